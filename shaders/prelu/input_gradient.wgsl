// dx = dy where x > 0, else slope * dy.
// chooses lib/scalar lib/wide
// uses lib/each

struct Params {
  each: u32,    // elements of a thread, see lib/each
  count: u32,   // V
  inner: u32,
  slopes: u32,
  start: u32,   // elements before this piece of a tensor
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<S>;
@group(0) @binding(2) var<storage, read> slope: array<f32>;
@group(0) @binding(3) var<storage, read> dy: array<S>;
@group(0) @binding(4) var<storage, read_write> dx: array<S>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let own = own_elements(group, groups, lane);
  for (var i = own.first; i < own.end; i += APART) {
    dx[i] = S(V(dy[i]) * select(V(slope[(p.start + i * WIDTH) / p.inner % p.slopes]), V(1.0), V(x[i]) > V(0.0)));
  }
}
