// dx = y * (dy - sum(dy * y)) over the middle axis of [outer, axis, inner]; of the logarithm (LOG) dx = dy - exp(y) * sum(dy).
// uses lib/grid lib/around_axis

@group(0) @binding(1) var<storage, read> y: array<f32>;
@group(0) @binding(2) var<storage, read> dy: array<f32>;
@group(0) @binding(3) var<storage, read_write> dx: array<f32>;

override LOG: u32 = 0u;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let row = linear_group(group, groups) * 64u + lane;
  if (row >= rows()) {
    return;
  }
  let base = start_of(row);
  var dot = 0.0;
  if (LOG != 0u) {
    for (var k = 0u; k < p.axis; k++) {
      dot += dy[base + k * p.inner];
    }
    for (var k = 0u; k < p.axis; k++) {
      let i = base + k * p.inner;
      dx[i] = dy[i] - exp(y[i]) * dot;
    }
    return;
  }
  for (var k = 0u; k < p.axis; k++) {
    dot = fma(y[base + k * p.inner], dy[base + k * p.inner], dot);
  }
  for (var k = 0u; k < p.axis; k++) {
    let i = base + k * p.inner;
    dx[i] = y[i] * (dy[i] - dot);
  }
}
