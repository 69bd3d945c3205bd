// Running sums along the middle axis of [outer, axis, inner], one thread per block of BLOCK terms. A block starts from the sum of those before it and
// keeps its own sum apart, so the error of the last element is that of a sum in three or four levels, not of one as long as the axis.
// uses lib/grid

struct Params {
  axis: u32,
  inner: u32,
  blocks: u32,
  reverse: u32,
  count: u32,    // threads: outer * blocks * inner
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> sums: array<f32>;   // running sums of the blocks, [outer, blocks, inner]
@group(0) @binding(3) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let i = linear_group(group, groups) * 64u + lane;
  if (i >= p.count) {
    return;
  }
  let block = i / p.inner % p.blocks;
  let base = i / (p.inner * p.blocks) * p.axis * p.inner + i % p.inner;
  var before = 0.0;
  if (block > 0u) {
    before = sums[i - p.inner];
  }
  var own = 0.0;
  for (var k = block * BLOCK; k < min((block + 1u) * BLOCK, p.axis); k++) {
    let at = base + select(k, p.axis - 1u - k, p.reverse != 0u) * p.inner;
    own += x[at];
    y[at] = before + own;
  }
}
