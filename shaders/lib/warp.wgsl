// Positions of augment/warp_linear, warp_nearest and warp_both: matrix[n] · (o, 1) + displacement[n, o]. AXES counts the spatial axes, the last ones of D, H, W.
// Written out axis by axis: software adapters are slow at vectors that are indexed by a variable.

struct Params {
  threads: vec3u,
  in_size: vec4u,    // D, H, W, channels
  out_size: vec4u,   // D, H, W, samples
  padding: u32,
  elastic: u32,
  rows: u32,         // of a thread, one after the other along H
  labels: u32,       // channels of the labels that warp_both moves too
}

const ZEROS = 0u;
const BORDER = 1u;
const REFLECTION = 2u;

// A position along an axis: where the first row would be, and how far each one is from the one before.
struct Course {
  start: f32,
  step: f32,
}

// Row `row` of the matrix of sample `n`, at `depth` and `column`.
fn course(n: u32, row: u32, depth: f32, column: f32) -> Course {
  let at = (n * AXES + row) * (AXES + 1u);
  var start = matrix[at + AXES - 1u] * column + matrix[at + AXES];
  var step = 0.0;
  if (AXES >= 2u) {
    step = matrix[at + AXES - 2u];
  }
  if (AXES == 3u) {
    start += matrix[at] * depth;
  }
  return Course(start, step);
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

// Two elements that are read along an axis, and their weights; 0 for what lies outside.
struct Taps {
  low: u32,
  high: u32,
  near: f32,
  far: f32,
}

fn linear_at(position: f32, count: u32) -> Taps {
  let v = folded(position, count);
  let last = f32(count) - 1.0;
  let low = floor(v);
  let t = v - low;
  return Taps(
    u32(clamp(low, 0.0, last)), u32(clamp(low + 1.0, 0.0, last)),
    select(0.0, 1.0 - t, low >= 0.0 && low <= last), select(0.0, t, low >= -1.0 && low < last));
}

fn nearest_at(position: f32, count: u32) -> Taps {
  let at = round(folded(position, count));
  let last = f32(count) - 1.0;
  return Taps(u32(clamp(at, 0.0, last)), 0u, select(0.0, 1.0, at >= 0.0 && at <= last), 0.0);
}

fn element(id: vec3u) {
  let positions = p.out_size.x * p.out_size.y * p.out_size.z;
  // Along W the threads of a workgroup, then H, then D of all samples.
  let n = quotient(id.z, p.out_size.x);
  let depth = id.z - n * p.out_size.x;
  // Loads that all threads make alike take a software adapter as long as any other, so they are made once for several rows.
  let cw = course(n, AXES - 1u, f32(depth), f32(id.x));
  var ch = Course(0.0, 0.0);
  var cd = Course(0.0, 0.0);
  if (AXES >= 2u) {
    ch = course(n, AXES - 2u, f32(depth), f32(id.x));
  }
  if (AXES == 3u) {
    cd = course(n, 0u, f32(depth), f32(id.x));
  }
  let first = id.y * p.rows;
  for (var row = first; row < min(first + p.rows, p.out_size.y); row++) {
    let o = f32(row);
    let place = (depth * p.out_size.y + row) * p.out_size.z + id.x;
    let position = vec3f(cd.start + cd.step * o, ch.start + ch.step * o, cw.start + cw.step * o);
    sampled(n, positions, place, moved(n, positions, place, position));
  }
}

fn moved(n: u32, positions: u32, place: u32, straight: vec3f) -> vec3f {
  var position = straight;
  if (p.elastic != 0u) {
    let at = n * AXES * positions + place;
    position.z += displacement[at + (AXES - 1u) * positions];
    if (AXES >= 2u) {
      position.y += displacement[at + (AXES - 2u) * positions];
    }
    if (AXES == 3u) {
      position.x += displacement[at];
    }
  }
  return position;
}

// Where the element nearest to a position is in a channel, and 1 if there is one.
fn nearest_place(position: vec3f) -> Taps {
  let td = nearest_at(position.x, p.in_size.x);
  let th = nearest_at(position.y, p.in_size.y);
  let tw = nearest_at(position.z, p.in_size.z);
  return Taps((td.low * p.in_size.y + th.low) * p.in_size.z + tw.low, 0u, td.near * th.near * tw.near, 0.0);
}
