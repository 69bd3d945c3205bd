// y[n, c, o] = x[n, c] at matrix[n] · (o, 1) + displacement[n, o]: crop, affine map, flip and elastic deformation in one pass. TAPS is 1 for nearest,
// 2 for linear sampling; AXES counts the spatial axes, the last ones of D, H, W. Written out axis by axis: software adapters are slow at vectors that
// are indexed by a variable.
// uses lib/lines lib/quotient

struct Params {
  threads: vec3u,
  in_size: vec4u,    // D, H, W, channels
  out_size: vec4u,   // D, H, W, samples
  padding: u32,
  elastic: u32,
  rows: u32,         // of a thread, one after the other along H
}

const ZEROS = 0u;
const BORDER = 1u;
const REFLECTION = 2u;

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> matrix: array<f32>;
@group(0) @binding(2) var<storage, read> displacement: array<f32>;
@group(0) @binding(3) var<storage, read> x: array<f32>;
@group(0) @binding(4) var<storage, read_write> y: array<f32>;

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

fn taps_at(position: f32, count: u32) -> Taps {
  let v = folded(position, count);
  let last = f32(count) - 1.0;
  if (TAPS == 1u) {
    let at = round(v);
    return Taps(u32(clamp(at, 0.0, last)), 0u, select(0.0, 1.0, at >= 0.0 && at <= last), 0.0);
  }
  let low = floor(v);
  let t = v - low;
  return Taps(
    u32(clamp(low, 0.0, last)), u32(clamp(low + 1.0, 0.0, last)),
    select(0.0, 1.0 - t, low >= 0.0 && low <= last), select(0.0, t, low >= -1.0 && low < last));
}

// Along a row of the image that starts at `line`.
fn along(line: u32, w: Taps, weight: f32) -> f32 {
  var sum = 0.0;
  if (weight != 0.0) { // what is not read may be infinite
    if (w.near != 0.0) {
      sum = w.near * x[line + w.low];
    }
    if (TAPS == 2u && w.far != 0.0) {
      sum += w.far * x[line + w.high];
    }
  }
  return weight * sum;
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
    let position = vec3f(cd.start + cd.step * o, ch.start + ch.step * o, cw.start + cw.step * o);
    sampled(n, positions, (depth * p.out_size.y + row) * p.out_size.z + id.x, position);
  }
}

fn sampled(n: u32, positions: u32, place: u32, straight: vec3f) {
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
  let td = taps_at(position.x, p.in_size.x);
  let th = taps_at(position.y, p.in_size.y);
  let tw = taps_at(position.z, p.in_size.z);
  for (var c = 0u; c < p.in_size.w; c++) {
    let origin = (n * p.in_size.w + c) * p.in_size.x * p.in_size.y * p.in_size.z;
    let near = origin + td.low * p.in_size.y * p.in_size.z;
    var sum = along(near + th.low * p.in_size.z, tw, td.near * th.near);
    if (TAPS == 2u) {
      let far = origin + td.high * p.in_size.y * p.in_size.z;
      sum += along(near + th.high * p.in_size.z, tw, td.near * th.far);
      sum += along(far + th.low * p.in_size.z, tw, td.far * th.near);
      sum += along(far + th.high * p.in_size.z, tw, td.far * th.far);
    }
    y[(n * p.in_size.w + c) * positions + place] = sum;
  }
}
