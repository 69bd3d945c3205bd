// Conversion between 32-bit types by WGSL's rules: floats are cut towards zero and limited to the range of the integer type,
// integers that differ only in sign keep their bits.
// uses lib/each

override FROM: u32;
override TO: u32;
const F32 = 0u;
const I32 = 1u;
const U32 = 2u;

struct Params {
  each: u32, // elements of a thread, see lib/each
  count: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<u32>;
@group(0) @binding(2) var<storage, read_write> y: array<u32>;

fn convert(word: u32) -> u32 {
  if (FROM == F32) {
    let v = bitcast<f32>(word);
    return select(u32(v), bitcast<u32>(i32(v)), TO == I32);
  }
  if (TO == F32) {
    return bitcast<u32>(select(f32(word), f32(bitcast<i32>(word)), FROM == I32));
  }
  return word;
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let own = own_elements(group, groups, lane);
  for (var i = own.first; i < own.end; i += APART) {
    y[i] = convert(x[i]);
  }
}
