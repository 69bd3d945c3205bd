// What a copy moves per thread: four adjacent elements at once.
alias word = vec4u;

fn fill_word(bits: u32) -> word {
  return word(bits);
}
