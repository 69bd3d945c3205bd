// Four at once.
alias word = vec4<f16>;

fn fill_word(bits: u32) -> word {
  return word(f16(bitcast<f32>(bits)));
}
