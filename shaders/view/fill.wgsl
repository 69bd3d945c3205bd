// Sets every 32-bit word to one value.
// chooses lib/word lib/word4 lib/half lib/half4
// uses lib/grid

struct Params {
  count: u32,
  value: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read_write> y: array<word>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let i = linear_group(group, groups) * 64u + lane;
  if (i < p.count) {
    y[i] = fill_word(p.value);
  }
}
