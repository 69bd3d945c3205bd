// Uniform cubic B-splines along an axis: the first and the last of `size` positions lie at the ends of the inner part of `knots` control points.

// Control points from one position to the next.
fn spline_step(knots: u32, size: u32) -> f32 {
  return f32(knots - 3u) / max(1.0, f32(size) - 1.0);
}

// Where the positions end that lie in the stretch of four control points from `first` on. The last one lies at the end of the last stretch.
fn spline_end(first: u32, step: f32, knots: u32, size: u32) -> u32 {
  return select(min(size, u32(ceil(f32(first + 1u) / step))), size, first == knots - 4u);
}

// Weights of the four, 0 ≤ t ≤ 1 being the way through the stretch.
fn spline_weights(t: f32) -> vec4f {
  let s = 1.0 - t;
  return vec4f(s * s * s, (3.0 * t - 6.0) * t * t + 4.0, (3.0 * s - 6.0) * s * s + 4.0, t * t * t) / 6.0;
}
