// Softmax over the middle axis of [outer, axis, inner], or its logarithm (LOG), one thread per row. The maximum is subtracted before exp, so logits
// of any finite size are safe.
// uses lib/grid lib/around_axis

@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

override LOG: u32 = 0u;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let row = linear_group(group, groups) * 64u + lane;
  if (row >= rows()) {
    return;
  }
  let base = start_of(row);
  var top = x[base];
  for (var k = 1u; k < p.axis; k++) {
    top = max(top, x[base + k * p.inner]);
  }
  var sum = 0.0;
  for (var k = 0u; k < p.axis; k++) {
    sum += exp(x[base + k * p.inner] - top);
  }
  if (LOG != 0u) {
    let rest = log(sum);
    for (var k = 0u; k < p.axis; k++) {
      y[base + k * p.inner] = x[base + k * p.inner] - top - rest;
    }
    return;
  }
  for (var k = 0u; k < p.axis; k++) {
    y[base + k * p.inner] = exp(x[base + k * p.inner] - top) / sum;
  }
}
