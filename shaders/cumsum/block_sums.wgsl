// Sums of blocks of BLOCK adjacent terms along the middle axis of [outer, axis, inner]; reversed for sums that run from the end.
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
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let i = linear_group(group, groups) * 64u + lane;
  if (i >= p.count) {
    return;
  }
  let first = i / p.inner % p.blocks * BLOCK;
  let base = i / (p.inner * p.blocks) * p.axis * p.inner + i % p.inner;
  var sum = 0.0;
  for (var k = first; k < min(first + BLOCK, p.axis); k++) {
    sum += x[base + select(k, p.axis - 1u - k, p.reverse != 0u) * p.inner];
  }
  y[i] = sum;
}
