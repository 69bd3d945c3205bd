// y[n, c, o] = x[n, c] at matrix[n] · (o, 1) + displacement[n](o): crop, affine map, flip and elastic deformation in one pass. TAPS is 1 for nearest,
// 2 for linear sampling.
// uses lib/grid

struct Params {
  in_size: vec4u,    // D, H, W, channels
  out_size: vec4u,   // D, H, W, samples
  knots: vec3u,      // control points of the displacement along D, H, W
  axes: u32,         // spatial axes: the last ones of D, H, W
  padding: u32,
  elastic: u32,
}

const ZEROS = 0u;
const BORDER = 1u;
const REFLECTION = 2u;

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> matrix: array<f32>;
@group(0) @binding(2) var<storage, read> displacement: array<f32>;
@group(0) @binding(3) var<storage, read> x: array<f32>;
@group(0) @binding(4) var<storage, read_write> y: array<f32>;

// Uniform cubic B-splines at t in [0, 1].
fn spline(t: f32) -> vec4f {
  let s = 1.0 - t;
  return vec4f(s * s * s, (3.0 * t - 6.0) * t * t + 4.0, (3.0 * s - 6.0) * s * s + 4.0, t * t * t) / 6.0;
}

struct Knots {
  first: u32,
  count: u32,
  weight: vec4f,
}

fn knots_at(o: u32, size: u32, knots: u32) -> Knots {
  if (knots < 4u) {
    return Knots(0u, 1u, vec4f(1.0, 0.0, 0.0, 0.0));
  }
  let u = f32(o) / max(1.0, f32(size) - 1.0) * f32(knots - 3u);
  let first = min(u32(u), knots - 4u);
  return Knots(first, 4u, spline(u - f32(first)));
}

// How far sample `n` is displaced at `o`, along D, H, W.
fn displaced(n: u32, o: vec3u) -> vec3f {
  let kd = knots_at(o.x, p.out_size.x, p.knots.x);
  let kh = knots_at(o.y, p.out_size.y, p.knots.y);
  let kw = knots_at(o.z, p.out_size.z, p.knots.z);
  let field = p.knots.x * p.knots.y * p.knots.z;
  var sum = vec3f(0.0);
  for (var d = 0u; d < kd.count; d++) {
    for (var h = 0u; h < kh.count; h++) {
      let line = ((kd.first + d) * p.knots.y + kh.first + h) * p.knots.z + kw.first;
      for (var w = 0u; w < kw.count; w++) {
        let weight = kd.weight[d] * kh.weight[h] * kw.weight[w];
        for (var axis = 3u - p.axes; axis < 3u; axis++) {
          sum[axis] += weight * displacement[(n * p.axes + axis + p.axes - 3u) * field + line + w];
        }
      }
    }
  }
  return sum;
}

fn folded(position: f32, count: u32) -> f32 {
  let size = f32(count);
  var v = position;
  if (p.padding == REFLECTION) {
    v = abs(v + 0.5);
    let flips = floor(v / size);
    v -= flips * size;
    v = select(v, size - v, flips % 2.0 != 0.0) - 0.5;
  }
  return select(clamp(v, 0.0, size - 1.0), v, p.padding == ZEROS);
}

// Elements that are read along an axis, and their weights; 0 for what lies outside.
struct Taps {
  at: vec2u,
  weight: vec2f,
}

fn taps_at(position: f32, count: u32) -> Taps {
  let v = folded(position, count);
  let low = select(floor(v), round(v), TAPS == 1u);
  let t = select(v - low, 0.0, TAPS == 1u);
  let at = vec2f(low, low + 1.0);
  let inside = (at >= vec2f(0.0)) & (at <= vec2f(f32(count) - 1.0));
  return Taps(vec2u(clamp(at, vec2f(0.0), vec2f(f32(count) - 1.0))), select(vec2f(0.0), vec2f(1.0 - t, t), inside));
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let i = linear_group(group, groups) * 64u + lane;
  let positions = p.out_size.x * p.out_size.y * p.out_size.z;
  if (i >= positions * p.out_size.w) {
    return;
  }
  let n = i / positions;
  let place = i % positions;
  let o = vec3u(place / (p.out_size.y * p.out_size.z), place / p.out_size.z % p.out_size.y, place % p.out_size.z);
  var position = vec3f(o);
  let row = p.axes + 1u;
  for (var axis = 3u - p.axes; axis < 3u; axis++) {
    let first = (n * p.axes + axis + p.axes - 3u) * row;
    var sum = matrix[first + p.axes];
    for (var k = 3u - p.axes; k < 3u; k++) {
      sum += matrix[first + k + p.axes - 3u] * f32(o[k]);
    }
    position[axis] = sum;
  }
  if (p.elastic != 0u) {
    position += displaced(n, o);
  }
  let td = taps_at(position.x, p.in_size.x);
  let th = taps_at(position.y, p.in_size.y);
  let tw = taps_at(position.z, p.in_size.z);
  let plane = p.in_size.x * p.in_size.y * p.in_size.z;
  for (var c = 0u; c < p.in_size.w; c++) {
    let origin = (n * p.in_size.w + c) * plane;
    var sum = 0.0;
    for (var d = 0u; d < TAPS; d++) {
      for (var h = 0u; h < TAPS; h++) {
        let line = origin + (td.at[d] * p.in_size.y + th.at[h]) * p.in_size.z;
        for (var w = 0u; w < TAPS; w++) {
          let weight = td.weight[d] * th.weight[h] * tw.weight[w];
          if (weight != 0.0) {
            sum += weight * x[line + tw.at[w]];
          }
        }
      }
    }
    y[(n * p.in_size.w + c) * positions + place] = sum;
  }
}
