// What a copy moves per thread: elements of any 32-bit type, untyped.
alias word = u32;

fn fill_word(bits: u32) -> word {
  return word(bits);
}
