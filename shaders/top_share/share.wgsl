// 1 for elements above the bound, 0 below, and those equal to it share what is open.
// uses lib/grid lib/top_share

@group(0) @binding(1) var<storage, read> x: array<u32>;
@group(0) @binding(2) var<storage, read> state: array<u32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let i = linear_group(group, groups) * 64u + lane;
  if (i >= p.count) {
    return;
  }
  let k = key(x[i]);
  let bound = state[BOUND];
  y[i] = select(select(0.0, f32(state[OPEN]) / f32(state[TIES]), k == bound), 1.0, k > bound);
}
