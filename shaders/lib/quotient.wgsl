// a / b for a below 2²²: software adapters divide integers one thread after the other, floats eight at once. Halves are never near a whole quotient.
fn quotient(a: u32, b: u32) -> u32 {
  return u32((f32(a) + 0.5) / f32(b));
}
