// Which elements a sampling position reads along one axis, with which weights, and how the weights change with the position. TAPS is 1 for
// nearest, 2 for linear, 4 for cubic sampling.

struct Params {
  in_size: vec4u,    // D, H, W, channels
  out_size: vec4u,   // D, H, W, samples
  axes: u32,         // components of a grid vector: 2 (W, H) or 3 (W, H, D)
  first: u32,        // first sample, and
  samples: u32,      // how many samples, of this dispatch
  padding: u32,      // what lies outside
  align: u32,        // -1 and 1 are the centers of the corner elements, rather than their outer edges
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> grid: array<f32>;

const ZEROS = 0u;
const BORDER = 1u;
const REFLECTION = 2u;

struct Taps {
  at: array<u32, TAPS>,
  weight: array<f32, TAPS>,   // 0 where a tap reads nothing
  slope: array<f32, TAPS>,    // of the weight, by the normalized position
}

// Position folded into the image by `padding`, and the slope of that; PyTorch counts a position on the border as outside.
fn fold_inside(position: f32, size: f32) -> vec2f {
  var v = position;
  var slope = 1.0;
  if (p.padding == REFLECTION) {
    let low = select(-0.5, 0.0, p.align != 0u);
    let span = size - 1.0 - 2.0 * low;
    if (span <= 0.0) {
      return vec2f(0.0);
    }
    slope = select(1.0, -1.0, v < low);
    v = abs(v - low);
    let flips = floor(v / span);
    v -= flips * span;
    if (flips % 2.0 != 0.0) {
      v = span - v;
      slope = -slope;
    }
    v += low;
  }
  if (p.padding != ZEROS) {
    slope = select(slope, 0.0, v <= 0.0 || v >= size - 1.0);
    v = clamp(v, 0.0, size - 1.0);
  }
  return vec2f(v, slope);
}

// Cubic convolution (Keys 1981) with A = -0.75 at distance d, and its slope by d.
fn keys(d: f32) -> vec2f {
  let a = abs(d);
  let s = sign(d);
  if (a <= 1.0) {
    return vec2f((1.25 * a - 2.25) * a * a + 1.0, s * (3.75 * a - 4.5) * a);
  }
  return vec2f(((-0.75 * a + 3.75) * a - 6.0) * a + 3.0, s * ((-2.25 * a + 7.5) * a - 6.0));
}

fn axis_taps(g: f32, count: u32) -> Taps {
  let size = f32(count);
  let scale = 0.5 * select(size, size - 1.0, p.align != 0u);
  let position = (g + 1.0) * scale - select(0.5, 0.0, p.align != 0u);
  var taps: Taps;
  // Cubic sampling folds each tap, the others fold the position once.
  var inside = vec2f(position, 1.0);
  if (TAPS < 4u) {
    inside = fold_inside(position, size);
  }
  let low = select(floor(inside.x), round(inside.x), TAPS == 1u);
  let t = inside.x - low;
  for (var k = 0u; k < TAPS; k++) {
    var at = low + f32(k);
    var weight = vec2f(1.0, 0.0);
    if (TAPS == 2u) {
      weight = select(vec2f(1.0 - t, -1.0), vec2f(t, 1.0), k == 1u);
    } else if (TAPS == 4u) {
      at = round(fold_inside(at - 1.0, size).x);
      weight = keys(t + 1.0 - f32(k));
    }
    if (at >= 0.0 && at <= size - 1.0) {
      taps.at[k] = u32(at);
      taps.weight[k] = weight.x;
      taps.slope[k] = weight.y * scale * inside.y;
    }
  }
  return taps;
}

// Depth of two-dimensional sampling: the one slice there is.
fn depth_taps(g: u32) -> Taps {
  if (p.axes == 3u) {
    return axis_taps(grid[g + 2u], p.in_size.x);
  }
  var taps: Taps;
  taps.weight[0] = 1.0;
  return taps;
}

fn depth_count() -> u32 {
  return select(1u, TAPS, p.axes == 3u);
}
