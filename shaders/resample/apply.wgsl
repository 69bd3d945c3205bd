// A linear map along up to three axes at once: y = Σ weight(d) weight(h) weight(w) x. Every average pool and every mode of interpolate is such
// a map with short contiguous rows, and so is its transpose, the gradient; the host writes the rows into a table (src/kernels/resample.ts), so
// this is the whole family in both directions. The host runs it once over all axes, or once per axis where that touches fewer elements.
//
// Rejected: weights computed in this loop, one shader per mode. The gradient then has to search which outputs read an input, and repeats
// the mode's formula for each of them; with a table the weight is one load, which TP planes share.
// uses lib/grid lib/planes

struct Params {
  in_size: vec4u,   // D, H, W
  out_size: vec4u,
  base: vec4u,      // where the rows of an axis start in the table
  row: vec4u,       // words per row: start, count, weights; 0 where the axis stays as it is
  planes: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<E>;
@group(0) @binding(2) var<storage, read> table: array<u32>;
@group(0) @binding(3) var<storage, read_write> y: array<E>;

// Start and count of the inputs of one output.
fn span(axis: u32, at: u32) -> vec2u {
  if (p.row[axis] == 0u) {
    return vec2u(at, 1u);
  }
  let r = p.base[axis] + at * p.row[axis];
  return vec2u(table[r], table[r + 1u]);
}

fn weight(axis: u32, at: u32, k: u32) -> f32 {
  if (p.row[axis] == 0u) {
    return 1.0;
  }
  return bitcast<f32>(table[p.base[axis] + at * p.row[axis] + 2u + k]);
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let positions = p.out_size.x * p.out_size.y * p.out_size.z;
  let place = position_and_plane(linear_group(group, groups), lane, positions, TP);
  let i = place.x;
  let plane = place.y;
  if (i >= positions || plane >= p.planes) {
    return;
  }
  let at = vec3u(i / (p.out_size.y * p.out_size.z), i / p.out_size.z % p.out_size.y, i % p.out_size.z);
  let sd = span(0u, at.x);
  let sh = span(1u, at.y);
  let sw = span(2u, at.z);
  let in_plane = p.in_size.x * p.in_size.y * p.in_size.z;
  // Threads of the last planes read one of them again rather than beyond the end.
  var origin: array<u32, TP>;
  for (var t = 0u; t < TP; t++) {
    origin[t] = min(plane + t, p.planes - 1u) * in_plane;
  }
  var acc: array<f32, TP>;
  for (var d = 0u; d < sd.y; d++) {
    let wd = weight(0u, at.x, d);
    for (var h = 0u; h < sh.y; h++) {
      let wh = wd * weight(1u, at.y, h);
      let line = ((sd.x + d) * p.in_size.y + sh.x + h) * p.in_size.z + sw.x;
      for (var w = 0u; w < sw.y; w++) {
        let v = wh * weight(2u, at.z, w);
        for (var t = 0u; t < TP; t++) {
          acc[t] = fma(v, f32(x[origin[t] + line + w]), acc[t]);
        }
      }
    }
  }
  for (var t = 0u; t < TP; t++) {
    if (plane + t < p.planes) {
      y[(plane + t) * positions + i] = E(acc[t]);
    }
  }
}
