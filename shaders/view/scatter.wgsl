// y[start + sum of index * stride] = x[i]: the reverse of view/gather.wgsl where that is one to one. Places parts of a concatenation and
// slice gradients into a larger tensor.

struct Params {
  shape0: vec4u,    // axes of x
  shape1: vec4u,
  stride0: vec4i,   // element strides in y
  stride1: vec4i,
  start: u32,
  count: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<u32>;
@group(0) @binding(2) var<storage, read_write> y: array<u32>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let i = linear_group(group, groups) * 64u + lane;
  if (i < p.count) {
    y[strided_index(i)] = x[i];
  }
}
