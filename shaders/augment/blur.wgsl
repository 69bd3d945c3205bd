// Symmetric weights along one axis, those of the element's channel; the image is reflected about its border elements.
// uses lib/lines lib/quotient

struct Params {
  threads: vec3u,
  size: u32,     // of the axis
  inner: u32,    // elements between neighbors along it; 1: threads lie along the axis, else along what is inside of it
  outer: u32,    // lines of a channel outside of the axis
  radius: u32,   // in elements
  rows: u32,     // of a thread, one after the other: along the axis, or of lines along it
  skip: u32,     // 1: channels that stay as they are are not written
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> weights: array<f32>;
@group(0) @binding(2) var<storage, read> x: array<f32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;

fn reflected(at: i32, size: i32) -> i32 {
  let k = abs(at) % max(1, 2 * (size - 1));
  return min(k, 2 * (size - 1) - k);
}

fn element(id: vec3u) {
  let last = p.inner == 1u;
  let first = select(quotient(id.z, p.outer), id.z, last) * (p.radius + 1u);
  let center = weights[first];
  if (center == 1.0 && p.skip != 0u) {
    return;
  }
  let begin = id.y * p.rows;
  for (var row = begin; row < min(begin + p.rows, select(p.size, p.outer, last)); row++) {
    if (last) {
      smoothed((id.z * p.outer + row) * p.size, id.x, first, center);
    } else {
      smoothed(id.z * p.size * p.inner + id.x, row, first, center);
    }
  }
}

// Element `at` of the line that begins at `line`.
fn smoothed(line: u32, at: u32, first: u32, center: f32) {
  let i = line + at * p.inner;
  var sum = center * x[i];
  if (center == 1.0) {
    y[i] = sum;
    return;
  }
  let size = i32(p.size);
  let k = i32(at);
  let base = i32(i) - k * i32(p.inner);
  for (var d = 1; d <= i32(p.radius); d++) {
    let weight = weights[first + u32(d)];
    if (weight < 1e-9) {
      break;
    }
    // Few are near enough to the border to be folded.
    var before = k - d;
    var behind = k + d;
    if (before < 0 || behind >= size) {
      before = reflected(before, size);
      behind = reflected(behind, size);
    }
    sum += weight * (x[base + before * i32(p.inner)] + x[base + behind * i32(p.inner)]);
  }
  y[i] = sum;
}
