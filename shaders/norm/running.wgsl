// Running statistics of batch norm: r <- r + momentum * (batch - r), with the unbiased variance.
// uses lib/grid

struct Params {
  channels: u32,
  epsilon: f32,
  momentum: f32,
  unbias: f32,  // n / (n - 1)
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> stats: array<f32>; // [channels, 3]: mean, 1 / sqrt(variance + epsilon), what the mean lacks
@group(0) @binding(2) var<storage, read_write> running_mean: array<f32>;
@group(0) @binding(3) var<storage, read_write> running_var: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let c = linear_group(group, groups) * 64u + lane;
  if (c >= p.channels) {
    return;
  }
  let variance = max(1.0 / (stats[3u * c + 1u] * stats[3u * c + 1u]) - p.epsilon, 0.0) * p.unbias;
  running_mean[c] = fma(p.momentum, stats[3u * c] + stats[3u * c + 2u] - running_mean[c], running_mean[c]);
  running_var[c] = fma(p.momentum, variance - running_var[c], running_var[c]);
}
