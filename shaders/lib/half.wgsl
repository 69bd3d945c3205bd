// Moves of f16 tensors; see lib/word.
alias word = f16;

fn fill_word(bits: u32) -> word {
  return f16(bitcast<f32>(bits));
}
