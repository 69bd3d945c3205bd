// y[index] = x[source(index)], each axis on its own: padding, cropping and rolling. A thread makes elements of one row, as in lib/strided.
// chooses lib/word lib/half
// uses lib/grid lib/pad

struct Params {
  shape: array<vec4u, 2>,    // of y, last axis first
  source: array<vec4i, 2>,   // elements of x along the axis
  before: array<vec4i, 2>,   // elements of y before the first of x; negative where x is cropped
  stride: array<vec4i, 2>,
  start: u32,
  fill: u32,
  each: u32,                 // elements of a thread
  pieces: u32,               // threads that share a row
  count: u32,                // threads
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<word>;
@group(0) @binding(2) var<storage, read_write> y: array<word>;

// Position along an axis of `size` elements for a place that may lie outside; -1 for none.
fn source(at: i32, size: i32) -> i32 {
  switch MODE {
    case REFLECT: {
      let end = size - 1;
      return end - abs(end - abs(at));
    }
    case REPLICATE: { return clamp(at, 0, size - 1); }
    case CIRCULAR: { return at + select(0, size, at < 0) - select(0, size, at >= size); }
    default: { return select(-1, at, at >= 0 && at < size); }
  }
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let i = linear_group(group, groups) * 64u + lane;
  if (i >= p.count) {
    return;
  }
  var rest = i / p.pieces;
  let first = (i - rest * p.pieces) * p.each;
  let width = p.shape[0][0];
  let flat = rest * width;
  var at = i32(p.start);
  var inside = true;
  for (var k = 1u; k < AXES; k++) {
    var here = rest;
    if (k < AXES - 1u) {
      let size = p.shape[k / 4u][k % 4u];
      rest /= size;
      here -= rest * size;
    }
    let origin = source(i32(here) - p.before[k / 4u][k % 4u], p.source[k / 4u][k % 4u]);
    inside = inside && origin >= 0;
    at += origin * p.stride[k / 4u][k % 4u];
  }
  for (var k = first; k < min(first + p.each, width); k++) {
    let origin = source(i32(k) - p.before[0][0], p.source[0][0]);
    var v = fill_word(p.fill);
    if (inside && origin >= 0) {
      v = x[u32(at + origin * p.stride[0][0])];
    }
    y[flat + k] = v;
  }
}
