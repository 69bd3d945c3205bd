// Sums of some channels over their weights; `first_channel` counts from the first of these sums.
// uses lib/grid lib/round_half lib/window_planes

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> sums: array<f32>;
@group(0) @binding(2) var<storage, read> weights: array<f32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let i = linear_group(group, groups) * 64u + lane;
  if (i >= p.count) {
    return;
  }
  let at = ring_place(i);
  let weight = weights[at];
  for (var c = 0u; c < p.channels; c++) {
    y[c * p.count + i] = kept(sums[(p.first_channel + c) * p.ring * p.plane + at] / weight);
  }
}
