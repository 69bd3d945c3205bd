// The image as a coarser grid would show it: nearest elements of `zoom` times as many positions per axis, joined linearly; zoom 1 leaves it as it is.
// uses lib/lines lib/quotient

struct Params {
  threads: vec3u,
  size: vec3u,   // D, H, W
  axes: u32,     // bits of the axes that are made coarser: 1 for D, 2 for H, 4 for W
  rows: u32,     // of a thread, one after the other along H
  skip: u32,     // 1: channels that stay as they are are not written
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> zooms: array<f32>;
@group(0) @binding(2) var<storage, read> x: array<f32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;

// Elements that two neighboring coarse positions show, and the weight of the second.
struct Pair {
  at: vec2u,
  t: f32,
}

fn pair_at(o: u32, axis: u32, zoom: f32) -> Pair {
  let size = p.size[axis];
  let coarse = max(1u, u32(round(f32(size) * zoom)));
  if (((p.axes >> axis) & 1u) == 0u || coarse >= size) {
    return Pair(vec2u(o), 0.0);
  }
  let ratio = f32(coarse) / f32(size);
  let v = max(0.0, (f32(o) + 0.5) * ratio - 0.5);
  let first = min(u32(v), coarse - 1u);
  let both = vec2u(first, min(first + 1u, coarse - 1u));
  // In whole numbers: ⌊(k + ½) · size / coarse⌋.
  return Pair(min(((2u * both + 1u) * size) / (2u * coarse), vec2u(size - 1u)), v - f32(first));
}

fn element(id: vec3u) {
  let plane = p.size.x * p.size.y * p.size.z;
  let channel = quotient(id.z, p.size.x);
  let depth = id.z - channel * p.size.x;
  let zoom = zooms[channel];
  if (zoom == 1.0 && p.skip != 0u) {
    return;
  }
  let pd = pair_at(depth, 0u, zoom);
  let pw = pair_at(id.x, 2u, zoom);
  let first = id.y * p.rows;
  for (var row = first; row < min(first + p.rows, p.size.y); row++) {
    let i = channel * plane + (depth * p.size.y + row) * p.size.z + id.x;
    if (zoom == 1.0) {
      y[i] = x[i];
    } else {
      y[i] = joined(channel * plane, pd, pair_at(row, 1u, zoom), pw);
    }
  }
}

fn joined(origin: u32, pd: Pair, ph: Pair, pw: Pair) -> f32 {
  var sum = 0.0;
  for (var d = 0u; d < 2u; d++) {
    for (var h = 0u; h < 2u; h++) {
      let line = origin + (pd.at[d] * p.size.y + ph.at[h]) * p.size.z;
      let weight = select(1.0 - pd.t, pd.t, d == 1u) * select(1.0 - ph.t, ph.t, h == 1u);
      if (weight != 0.0) {
        sum += weight * mix(x[line + pw.at[0]], x[line + pw.at[1]], pw.t);
      }
    }
  }
  return sum;
}
