// y[i] = x[start + sum of index * stride] over the axes of lib/strided: slices with steps, permutations, flips and expansions.
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
    y[t.flat + k * p.inner] = x[u32(t.at + i32(k) * p.step)];
  }
}
