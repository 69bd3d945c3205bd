// Adds a window's weights to the sum of weights.
// uses lib/grid lib/round_half lib/window

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> weight: array<f32>;
@group(0) @binding(2) var<storage, read_write> sums: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let i = linear_group(group, groups) * 64u + lane;
  if (i >= p.roi.x * p.roi.y * p.roi.z) {
    return;
  }
  let at = image_place(i);
  if (at.y >= p.first_row && at.y < p.first_row + p.rows) {
    let place = ((at.x % p.ring) * p.rows + at.y - p.first_row) * p.columns + at.z;
    sums[place] = kept(sums[place] + weight[i] * p.scale);
  }
}
