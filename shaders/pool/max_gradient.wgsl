// dx of max pooling as a gather: each input adds dy of the windows over it that chose it. Which windows chose it is what `indices` says, so
// the range of candidates may be generous. A thread does one position of TP planes: with one, finding the windows took most of the time
// (lavapipe, 2x16x64³, kernel 2: 312 ms, 137 ms with 8).
// uses lib/grid lib/planes lib/blocked lib/pool

@group(0) @binding(1) var<storage, read> indices: array<i32>;
@group(0) @binding(2) var<storage, read> dy: array<E>;
@group(0) @binding(3) var<storage, read_write> dx: array<E>;

// First and last window that may cover position i of an axis.
fn windows(axis: u32, i: i32) -> vec2i {
  let size = p.in_size[axis];
  let out = p.out_size[axis];
  if (ADAPTIVE != 0u) {
    return vec2i(portion(i, out, size, 0), portion(i + 1, out, size, 1));
  }
  let stride = p.stride[axis];
  let last = i + p.padding[axis];
  let first = last - (p.taps[axis] - 1) * p.dilation[axis];
  return vec2i(max(0, first + stride - 1) / stride, min(last / stride, out - 1));
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let size = p.in_size;
  let place = position_and_plane(linear_group(group, groups), lane, p.positions, TP);
  let i = place.x;
  let plane = place.y;
  if (i >= p.positions || plane >= p.planes) {
    return;
  }
  let at = i32(p.first + i);
  let wd = windows(0u, at / (size.y * size.z));
  let wh = windows(1u, at / size.z % size.y);
  let ww = windows(2u, at % size.z);
  var origin: array<u32, TP>;
  for (var t = 0u; t < TP; t++) {
    origin[t] = min(plane + t, p.planes - 1u) * u32(p.out_size.x * p.out_size.y * p.out_size.z) - p.base;
  }
  var acc: array<f32, TP>;
  var sum: array<vec3f, TP>;
  var blocks = 0u;
  for (var d = wd.x; d <= wd.y; d++) {
    for (var h = wh.x; h <= wh.y; h++) {
      var first = ww.x;
      loop {
        let end = select(ww.y + 1, min(ww.y + 1, first + i32(BLOCK)), BLOCKED != 0u);
        for (var w = first; w < end; w++) {
          let o = u32((d * p.out_size.y + h) * p.out_size.z + w);
          for (var t = 0u; t < TP; t++) {
            acc[t] += select(0.0, f32(dy[origin[t] + o]), indices[origin[t] + o] == at);
          }
        }
        if (BLOCKED == 0u) {
          break;
        }
        blocks++;
        for (var t = 0u; t < TP; t++) {
          sum[t] = raised(sum[t], acc[t], blocks);
          acc[t] = 0.0;
        }
        first = end;
        if (first > ww.y) {
          break;
        }
      }
    }
  }
  for (var t = 0u; t < TP; t++) {
    if (plane + t < p.planes) {
      dx[(plane + t) * p.positions + i] = E(select(acc[t], sum_of(sum[t]), BLOCKED != 0u));
    }
  }
}
