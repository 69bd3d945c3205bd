// y[start + sum of index * stride] = x[i]: the reverse of view/gather.wgsl where that is one to one. Places parts of a concatenation and
// slice gradients into a larger tensor.
//
// CPU-ms of all threads to join two [4, 16, 128, 128] on lavapipe (schedstat, median of 5 runs of 20): 71 with six axes and two divisions each, 34 with
// merged axes, 11 with four words per thread as well. Where both sides are large blocks, software adapters do not come here: src/kernels/lib/strided.ts.
// chooses lib/word lib/word4 lib/half lib/half4
// uses lib/grid lib/strided

@group(0) @binding(1) var<storage, read> x: array<word>;
@group(0) @binding(2) var<storage, read_write> y: array<word>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let i = linear_group(group, groups) * 64u + lane;
  if (i >= p.count) {
    return;
  }
  let t = piece(i);
  for (var k = 0u; k < t.count; k++) {
    y[u32(t.at + i32(k) * p.step)] = x[t.flat + k * p.inner];
  }
}
