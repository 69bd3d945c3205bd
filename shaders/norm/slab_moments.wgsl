// Mean, sum of squares around it and what the mean lacks of each slab of each group, for norm/forward.
// chooses lib/scalar lib/wide
// uses lib/grid lib/norm_moments

@group(0) @binding(1) var<storage, read> x: array<S>;
@group(0) @binding(2) var<storage, read_write> slab_moments: array<f32>; // [groups, slabs, 3]

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let id = linear_group(group, groups);
  let first = id % p.slabs * p.slab;
  let last = select(first, min(first + p.slab, p.count), id / p.slabs < p.groups);
  let own = moments(id / p.slabs, first, last, lane);
  if (lane < 3u && id / p.slabs < p.groups) {
    slab_moments[3u * id + lane] = own[lane];
  }
}
