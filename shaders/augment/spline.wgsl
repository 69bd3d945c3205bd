// Uniform cubic B-splines through [outer, knots, inner] along the middle axis: [outer, size, inner], the first and the last position at the ends of the
// knots' inner part.
// A thread has a whole line, so that it fetches the knots of a stretch between two of them once.
// uses lib/lines lib/spline

struct Params {
  threads: vec3u,
  knots: u32,
  size: u32,
  inner: u32,   // 1: threads lie along what is outside of the axis, else along what is inside of it
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

fn element(id: vec3u) {
  let last = p.inner == 1u;
  let line = select(id.z, id.x, last);
  let k = select(id.x, 0u, last);
  let step = spline_step(p.knots, p.size);
  var o = 0u;
  for (var first = 0u; first < p.knots - 3u; first++) {
    let at = (line * p.knots + first) * p.inner + k;
    let knots = vec4f(x[at], x[at + p.inner], x[at + 2u * p.inner], x[at + 3u * p.inner]);
    let end = spline_end(first, step, p.knots, p.size);
    for (; o < end; o++) {
      y[(line * p.size + o) * p.inner + k] = dot(spline_weights(f32(o) * step - f32(first)), knots);
    }
  }
}
