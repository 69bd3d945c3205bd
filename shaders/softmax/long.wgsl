// Softmax of rows that are too long for a thread each, or its logarithm (LOG): `reduce` has found the maximum of each row and the sum of exponentials.
// uses lib/grid lib/around_axis

@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> top: array<f32>;
@group(0) @binding(3) var<storage, read> sum: array<f32>;
@group(0) @binding(4) var<storage, read_write> y: array<f32>;

override LOG: u32 = 0u;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let i = linear_group(group, groups) * 64u + lane;
  if (i >= rows() * p.axis) {
    return;
  }
  let row = row_of(i);
  let v = x[i] - top[row];
  if (LOG != 0u) {
    y[i] = v - log(sum[row]);
  } else {
    y[i] = exp(v) / sum[row];
  }
}
