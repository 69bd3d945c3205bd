// y = x where x > 0, else slope * x, with one slope for all channels or one each.
// chooses lib/scalar lib/wide
// uses lib/each

struct Params {
  each: u32,    // elements of a thread, see lib/each
  count: u32,   // V
  inner: u32,   // elements per channel
  slopes: u32,  // 1 or the number of channels
  start: u32,   // elements before this piece of a tensor
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<S>;
@group(0) @binding(2) var<storage, read> slope: array<f32>;
@group(0) @binding(3) var<storage, read_write> y: array<S>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let own = own_elements(group, groups, lane);
  for (var i = own.first; i < own.end; i += APART) {
    let v = V(x[i]);
    y[i] = S(select(slope[(p.start + i * WIDTH) / p.inner % p.slopes] * v, v, v > V(0.0)));
  }
}
