// Uniform cubic B-splines through [outer, knots, inner] along the middle axis: [outer, size, inner], the first and the last position at the ends of the
// knots' inner part.
// uses lib/grid

struct Params {
  knots: u32,
  size: u32,
  inner: u32,
  count: u32,   // elements of y
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let i = linear_group(group, groups) * 64u + lane;
  if (i >= p.count) {
    return;
  }
  let o = i / p.inner % p.size;
  let u = f32(o) / max(1.0, f32(p.size) - 1.0) * f32(p.knots - 3u);
  let first = min(u32(u), p.knots - 4u);
  let t = u - f32(first);
  let s = 1.0 - t;
  let at = (i / (p.inner * p.size) * p.knots + first) * p.inner + i % p.inner;
  let sum = s * s * s * x[at] + ((3.0 * t - 6.0) * t * t + 4.0) * x[at + p.inner] +
    ((3.0 * s - 6.0) * s * s + 4.0) * x[at + 2u * p.inner] + t * t * t * x[at + 3u * p.inner];
  y[i] = sum / 6.0;
}
