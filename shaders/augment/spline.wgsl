// Uniform cubic B-splines through [outer, knots, inner] along the middle axis: [outer, size, inner], the first and the last position at the ends of the
// knots' inner part.
// A workgroup has a stretch of one line, so that no thread divides integers, which software adapters do one by one.
// uses lib/lines

struct Params {
  threads: vec3u,
  knots: u32,
  size: u32,
  inner: u32,   // 1: threads lie along the axis, else along what is inside of it
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

fn element(id: vec3u) {
  let last = p.inner == 1u;
  let o = select(id.y, id.x, last);
  let k = select(id.x, 0u, last);
  let u = f32(o) / max(1.0, f32(p.size) - 1.0) * f32(p.knots - 3u);
  let first = min(u32(u), p.knots - 4u);
  let t = u - f32(first);
  let s = 1.0 - t;
  let at = (id.z * p.knots + first) * p.inner + k;
  let sum = s * s * s * x[at] + ((3.0 * t - 6.0) * t * t + 4.0) * x[at + p.inner] +
    ((3.0 * s - 6.0) * s * s + 4.0) * x[at + 2u * p.inner] + t * t * t * x[at + 3u * p.inner];
  y[(id.z * p.size + o) * p.inner + k] = sum / 6.0;
}
