// How many values of a flat gradient are NaN or infinite, per slab of 64 * LANES elements. By their bits: WGSL may compute as if there were neither.
// uses lib/grid lib/tree

struct Params {
  count: u32,   // in units of four
  first: u32,   // where this gradient's counts begin
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> gradient: array<vec4u>;
@group(0) @binding(2) var<storage, read_write> partial: array<f32>;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let id = linear_group(group, groups);
  let start = id * 64u * LANES;
  var found = 0.0;
  if (start < p.count) {
    for (var i = start + lane; i < min(start + 64u * LANES, p.count); i += LANES) {
      found += select(0.0, 1.0, any((gradient[i] & vec4u(0x7f800000u)) == vec4u(0x7f800000u)));
    }
  }
  let total = tree_sum(found, lane);
  if (lane == 0u && start < p.count) {
    partial[p.first + id] = total;
  }
}
