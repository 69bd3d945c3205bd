// y[plane, i] = x[plane, indices[plane, i]], 0 where the index is outside: the second half of unpooling and its gradient.
// uses lib/grid

struct Params {
  results: u32,   // per plane
  sources: u32,   // per plane
  count: u32,     // results of all planes
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<E>;
@group(0) @binding(2) var<storage, read> indices: array<i32>;
@group(0) @binding(3) var<storage, read_write> y: array<E>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let i = linear_group(group, groups) * 64u + lane;
  if (i >= p.count) {
    return;
  }
  let at = indices[i];
  var v = 0.0;
  if (at >= 0 && u32(at) < p.sources) {
    v = f32(x[i / p.results * p.sources + u32(at)]);
  }
  y[i] = E(v);
}
