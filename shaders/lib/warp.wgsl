// Positions of augment/warp_linear, warp_nearest and warp_both: matrix[n] · (o, 1) + displacement[n, o]. AXES counts the spatial axes, the last ones of D, H, W.
// Written out axis by axis: software adapters are slow at vectors that are indexed by a variable.

struct Params {
  threads: vec3u,
  in_size: vec4u,    // D, H, W, channels
  out_size: vec4u,   // D, H, W, samples
  padding: u32,
  elastic: u32,      // 0: none, 1: a displacement for each position, else how many control points of it there are along H
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
  let end = min((id.y + 1u) * p.rows, p.out_size.y);
  for (var row = id.y * p.rows; row < end;) {
    // Control points are loaded once for the rows between two of them.
    var stop = end;
    var stretch = Stretch();
    if (p.elastic > 1u) {
      stretch = stretch_at(n, depth, row, id.x);
      stop = clamp(stretch.end, row + 1u, end);
    }
    for (; row < stop; row++) {
      let o = f32(row);
      let place = (depth * p.out_size.y + row) * p.out_size.z + id.x;
      let position = vec3f(cd.start + cd.step * o, ch.start + ch.step * o, cw.start + cw.step * o);
      sampled(n, positions, place, moved(n, positions, place, position, stretch, o));
    }
  }
}

// What moves the rows before `end`: four control points for each axis, the first of them number `first`.
struct Stretch {
  end: u32,
  first: f32,
  step: f32,   // control points from row to row
  d: vec4f,
  h: vec4f,
  w: vec4f,
}

fn stretch_at(n: u32, depth: u32, row: u32, column: u32) -> Stretch {
  let step = spline_step(p.elastic, p.out_size.y);
  let first = min(u32(f32(row) * step), p.elastic - 4u);
  let end = spline_end(first, step, p.elastic, p.out_size.y);
  let line = (n * AXES * p.out_size.x + depth) * p.elastic + first;
  var d = vec4f();
  if (AXES == 3u) {
    d = control_points(line, 0u, column);
  }
  return Stretch(end, f32(first), step, d, control_points(line, AXES - 2u, column), control_points(line, AXES - 1u, column));
}

fn control_points(line: u32, axis: u32, column: u32) -> vec4f {
  let at = (line + axis * p.out_size.x * p.elastic) * p.out_size.z + column;
  return vec4f(displacement[at], displacement[at + p.out_size.z], displacement[at + 2u * p.out_size.z], displacement[at + 3u * p.out_size.z]);
}

fn moved(n: u32, positions: u32, place: u32, straight: vec3f, stretch: Stretch, o: f32) -> vec3f {
  var position = straight;
  if (p.elastic == 1u) {
    let at = n * AXES * positions + place;
    position.z += displacement[at + (AXES - 1u) * positions];
    if (AXES >= 2u) {
      position.y += displacement[at + (AXES - 2u) * positions];
    }
    if (AXES == 3u) {
      position.x += displacement[at];
    }
  } else if (p.elastic > 1u) {
    let weights = spline_weights(o * stretch.step - stretch.first);
    position += vec3f(dot(weights, stretch.d), dot(weights, stretch.h), dot(weights, stretch.w));
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
