// A gradient limited to [-limit, limit]. By comparison rather than `clamp`, which may turn a NaN into a number and hide it.
fn limited(g: f32, limit: f32) -> f32 {
  return select(g, sign(g) * limit, abs(g) > limit);
}
