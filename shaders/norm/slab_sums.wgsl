// The sums of norm/gradient.wgsl for each slab of each channel of each group.
// chooses lib/scalar lib/wide
// uses lib/grid lib/norm_sums

@group(0) @binding(1) var<storage, read> x: array<S>;
@group(0) @binding(2) var<storage, read> weight: array<f32>;
@group(0) @binding(3) var<storage, read> bias: array<f32>;
@group(0) @binding(4) var<storage, read> slope: array<f32>;
@group(0) @binding(5) var<storage, read> stats: array<f32>;
@group(0) @binding(6) var<storage, read> dy: array<S>;
@group(0) @binding(7) var<storage, read_write> sums: array<f32>; // [slabs, groups, channels of a group, 3]

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let id = linear_group(group, groups);
  let of_slab = p.groups * p.channels_per_group;
  let k = id / of_slab;
  let g = id % of_slab / p.channels_per_group;
  let c = id % p.channels_per_group * p.inner;
  let first = c + k * p.slab;
  let last = select(first, min(first + p.slab, c + p.inner), k < p.slabs);
  let own = channel_sums(g, first, last, stats_of(g), of_channel(channel(g, c)), lane);
  if (lane < 3u && k < p.slabs) {
    sums[3u * id + lane] = own[lane];
  }
}
