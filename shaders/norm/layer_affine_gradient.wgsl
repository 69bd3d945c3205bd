// Gradients of the scale and shift of a layer norm: per element c of a group, the sums over groups of dy * (x - mean) * scale and of dy. Neighboring
// lanes own neighboring elements, so that reads are adjacent; each slab of groups writes partial sums, which `reduce` adds in fixed order.
// uses lib/grid

struct Params {
  count: u32,   // elements per group
  groups: u32,
  slab: u32,    // groups per slab
  slabs: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<E>;
@group(0) @binding(2) var<storage, read> stats: array<f32>; // of norm/forward
@group(0) @binding(3) var<storage, read> dy: array<E>;
@group(0) @binding(4) var<storage, read_write> d_weight: array<f32>; // [slabs, count]
@group(0) @binding(5) var<storage, read_write> d_bias: array<f32>;

const BLOCK = 64u; // groups that are added on their own

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let id = linear_group(group, groups);
  let tiles = (p.count + LANES - 1u) / LANES;
  let c = id % tiles * LANES + lane;
  let slab = id / tiles;
  if (c >= p.count || slab >= p.slabs) {
    return;
  }
  var sums = vec2f(0.0);
  let last = min((slab + 1u) * p.slab, p.groups);
  for (var first = slab * p.slab; first < last; first += BLOCK) {
    var block = vec2f(0.0);
    for (var g = first; g < min(first + BLOCK, last); g++) {
      let d = f32(dy[g * p.count + c]);
      block += vec2f(d * (f32(x[g * p.count + c]) - stats[3u * g] - stats[3u * g + 2u]) * stats[3u * g + 1u], d);
    }
    sums += block;
  }
  d_weight[slab * p.count + c] = sums.x;
  d_bias[slab * p.count + c] = sums.y;
}
