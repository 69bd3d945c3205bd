// Sums of squares of a flat gradient, one per slab of 64 * LANES vectors of four, for the norm over all parameters.
// uses lib/grid lib/tree lib/clip

struct Params {
  count: u32,   // in units of four
  first: u32,   // where this gradient's partial sums begin
  limit: f32,   // values are limited to it first
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> gradient: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> partial: array<f32>;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let id = linear_group(group, groups);
  let start = id * 64u * LANES;
  var sum = vec4f(0.0);
  if (start < p.count) {
    for (var i = start + lane; i < min(start + 64u * LANES, p.count); i += LANES) {
      let g = limited(gradient[i], p.limit);
      sum = fma(g, g, sum);
    }
  }
  let total = tree_sum(sum.x + sum.y + sum.z + sum.w, lane);
  if (lane == 0u && start < p.count) {
    partial[p.first + id] = total;
  }
}
