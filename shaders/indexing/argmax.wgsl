// Index of the largest (LEAST: smallest) value along the middle axis of [outer, axis, inner]; the first one among equals, as PyTorch on the CPU,
// and the first NaN where there is one.
// uses lib/grid lib/around_axis lib/nan

@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<i32>;

override LEAST: u32 = 0u;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let row = linear_group(group, groups) * 64u + lane;
  if (row >= rows()) {
    return;
  }
  let base = start_of(row);
  var best = x[base];
  var at = 0u;
  for (var k = 1u; k < p.axis; k++) {
    let v = x[base + k * p.inner];
    if (select(v > best, v < best, LEAST != 0u) || (is_nan(v) && !is_nan(best))) {
      best = v;
      at = k;
    }
  }
  y[row] = i32(at);
}
