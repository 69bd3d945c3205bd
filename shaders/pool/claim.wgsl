// owner[indices[i]] = the largest i that points there: of several inputs of one target the last one wins, as if they were written in order.
// A maximum of integers is the same in any order, so this atomic keeps the result deterministic.
// uses lib/grid

struct Params {
  inputs: u32,    // per plane
  targets: u32,   // per plane
  count: u32,     // inputs of all planes
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> indices: array<i32>;
@group(0) @binding(2) var<storage, read_write> owner: array<atomic<i32>>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let i = linear_group(group, groups) * 64u + lane;
  if (i >= p.count) {
    return;
  }
  let at = indices[i];
  if (at >= 0 && u32(at) < p.targets) {
    atomicMax(&owner[i / p.inputs * p.targets + u32(at)], i32(i % p.inputs));
  }
}
