// Conversion between f32 and f16, to the nearest; what f16 cannot hold becomes infinite. Which way: lib/narrow or lib/widen.
// chooses lib/narrow lib/widen
// uses lib/each

struct Params {
  each: u32, // elements of a thread, see lib/each
  count: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<From>;
@group(0) @binding(2) var<storage, read_write> y: array<To>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let own = own_elements(group, groups, lane);
  for (var i = own.first; i < own.end; i += APART) {
    y[i] = To(x[i]);
  }
}
