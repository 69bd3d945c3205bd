// Sets every 32-bit word to one value.
// chooses lib/word lib/word4 lib/half lib/half4
// uses lib/each

struct Params {
  each: u32, // elements of a thread, see lib/each
  count: u32,
  value: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read_write> y: array<word>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let own = own_elements(group, groups, lane);
  for (var i = own.first; i < own.end; i += APART) {
    y[i] = fill_word(p.value);
  }
}
