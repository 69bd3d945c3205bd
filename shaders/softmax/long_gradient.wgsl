// softmax/gradient.wgsl for long rows: `reduce` has found their sums of dy * y, or of dy for the logarithm (LOG).
// uses lib/grid lib/around_axis

@group(0) @binding(1) var<storage, read> y: array<f32>;
@group(0) @binding(2) var<storage, read> dy: array<f32>;
@group(0) @binding(3) var<storage, read> sum: array<f32>;
@group(0) @binding(4) var<storage, read_write> dx: array<f32>;

override LOG: u32 = 0u;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let i = linear_group(group, groups) * 64u + lane;
  if (i >= rows() * p.axis) {
    return;
  }
  let s = sum[row_of(i)];
  if (LOG != 0u) {
    dx[i] = dy[i] - exp(y[i]) * s;
  } else {
    dx[i] = y[i] * (dy[i] - s);
  }
}
