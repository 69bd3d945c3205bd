// A gradient limited to [-limit, limit]. By comparison rather than `clamp`, which may turn a NaN into a number and hide it.
fn limited(g: vec4f, limit: f32) -> vec4f {
  return select(g, sign(g) * limit, abs(g) > vec4f(limit));
}
