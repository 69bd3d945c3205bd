// What a copy moves per thread: four adjacent elements at once.
alias word = vec4u;
