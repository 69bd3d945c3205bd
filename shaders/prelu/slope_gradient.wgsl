// Slope gradient: per slope, the sum of dy * min(x, 0) over its elements of [outer, slopes, inner]. One workgroup per slope and slab;
// `reduce` adds the slabs.
// chooses lib/scalar lib/wide
// uses lib/grid lib/tree

struct Params {
  outer: u32,
  inner: u32,  // V, as are slabs
  slopes: u32,
  slab: u32,   // V per workgroup
  slabs: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<S>;
@group(0) @binding(2) var<storage, read> dy: array<S>;
@group(0) @binding(3) var<storage, read_write> partial: array<f32>; // [slabs, slopes]

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let id = linear_group(group, groups);
  let s = id % p.slopes;
  let k = id / p.slopes;
  let last = select(0u, min((k + 1u) * p.slab, p.outer * p.inner), k < p.slabs);
  var sum = V(0.0);
  for (var r = k * p.slab + lane; r < last; r += LANES) {
    let i = (r / p.inner * p.slopes + s) * p.inner + r % p.inner;
    sum = fma(V(dy[i]), min(V(x[i]), V(0.0)), sum);
  }
  let all = tree_sum(total(sum), lane);
  if (lane == 0u && k < p.slabs) {
    partial[id] = all;
  }
}
