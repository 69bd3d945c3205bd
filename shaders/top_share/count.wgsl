// Counts the elements that agree with the bound above the bits under view, by those bits.
// uses lib/grid lib/top_share

@group(0) @binding(1) var<storage, read> x: array<u32>;
@group(0) @binding(2) var<storage, read_write> state: array<atomic<u32>>;

var<workgroup> counts: array<atomic<u32>, 256>;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  for (var b = lane; b < 256u; b += LANES) {
    atomicStore(&counts[b], 0u);
  }
  workgroupBarrier();
  let bound = atomicLoad(&state[BOUND]);
  let first = linear_group(group, groups) * p.slab;
  let last = min(first + p.slab, p.count);
  for (var i = first + lane; i < last; i += LANES) {
    let k = key(x[i]);
    // All agree above the topmost bits; two shifts, since one by 32 is not allowed.
    if ((k >> p.shift) >> 8u == (bound >> p.shift) >> 8u) {
      atomicAdd(&counts[(k >> p.shift) & 255u], 1u);
    }
  }
  workgroupBarrier();
  for (var b = lane; b < 256u; b += LANES) {
    let n = atomicLoad(&counts[b]);
    if (n > 0u) {
      atomicAdd(&state[b], n);
    }
  }
}
