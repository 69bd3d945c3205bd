// Largest element of each window and its position inside the input plane; the first one among equals, and the last NaN where there is one, as
// PyTorch. ADAPTIVE windows are [⌊o · in / out⌋, ⌈(o + 1) · in / out⌉), the others taps at o * stride - padding + t * dilation. A thread does one
// position of TP planes, so that they share the index arithmetic.
// uses lib/grid lib/planes lib/pool lib/nan

@group(0) @binding(1) var<storage, read> x: array<E>;
@group(0) @binding(2) var<storage, read_write> y: array<E>;
@group(0) @binding(3) var<storage, read_write> indices: array<i32>;

// First position inside the input and the end of the window along one axis.
fn window(axis: u32, o: i32) -> vec2i {
  let size = p.in_size[axis];
  if (ADAPTIVE != 0u) {
    return vec2i(portion(o, size, p.out_size[axis], 0), portion(o + 1, size, p.out_size[axis], 1) + 1);
  }
  let step = p.dilation[axis];
  let first = o * p.stride[axis] - p.padding[axis];
  let inside = select(first, first + (step - 1 - first) / step * step, first < 0);
  return vec2i(inside, min(size, first + (p.taps[axis] - 1) * step + 1));
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let size = p.out_size;
  let place = position_and_plane(linear_group(group, groups), lane, p.positions, TP);
  let i = place.x;
  let plane = place.y;
  if (i >= p.positions || plane >= p.planes) {
    return;
  }
  let o = i32(p.first + i);
  let wd = window(0u, o / (size.y * size.z));
  let wh = window(1u, o / size.z % size.y);
  let ww = window(2u, o % size.z);
  let first = (wd.x * p.in_size.y + wh.x) * p.in_size.z + ww.x;
  var origin: array<u32, TP>;
  var at: array<i32, TP>;
  var best: array<f32, TP>;
  for (var t = 0u; t < TP; t++) {
    origin[t] = min(plane + t, p.planes - 1u) * u32(p.in_size.x * p.in_size.y * p.in_size.z) - p.base;
    at[t] = first;
    best[t] = f32(x[origin[t] + u32(first)]);
  }
  for (var d = wd.x; d < wd.y; d += p.dilation.x) {
    for (var h = wh.x; h < wh.y; h += p.dilation.y) {
      let line = (d * p.in_size.y + h) * p.in_size.z;
      for (var w = ww.x; w < ww.y; w += p.dilation.z) {
        for (var t = 0u; t < TP; t++) {
          let v = f32(x[origin[t] + u32(line + w)]);
          let better = v > best[t] || is_nan(v);
          at[t] = select(at[t], line + w, better);
          best[t] = select(best[t], v, better);
        }
      }
    }
  }
  for (var t = 0u; t < TP; t++) {
    if (plane + t < p.planes) {
      y[(plane + t) * p.positions + i] = E(best[t]);
      indices[(plane + t) * p.positions + i] = at[t];
    }
  }
}
