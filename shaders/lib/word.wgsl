// What a copy moves per thread: elements of any 32-bit type, untyped.
alias word = u32;
