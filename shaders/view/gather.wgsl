// y[i] = x[start + sum of index * stride] over up to six axes: slices with steps, permutations, flips and expansions.

struct Params {
  shape0: vec4u,    // result axes 0..3 of six, left-padded with ones
  shape1: vec4u,
  stride0: vec4i,   // element strides in x, negative for flips, 0 for expanded axes
  stride1: vec4i,
  start: u32,
  count: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<u32>;
@group(0) @binding(2) var<storage, read_write> y: array<u32>;

// 32-bit words are moved untyped, so that one pipeline serves f32, i32 and u32.
@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let i = linear_group(group, groups) * 64u + lane;
  if (i < p.count) {
    y[i] = x[strided_index(i)];
  }
}
