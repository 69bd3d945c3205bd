// As many multiply-adds as the device can do: eight independent chains of vec4 per thread, nothing loaded in between. Eight of each chain follow on one turn of the
// loop, since llvmpipe merges all that a loop changes with its old value at every turn.
// uses lib/grid

alias V = vec4<E>;

@group(0) @binding(1) var<storage, read_write> y: array<E>;

const ROUNDS = 1024u;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let i = linear_group(group, groups) * 64u + lane;
  var a: array<V, 8>;
  for (var k = 0u; k < 8u; k++) {
    a[k] = V(E(i + k) * E(0.001));
  }
  let f = V(E(0.999));
  let s = V(E(lane) * E(0.0001));
  for (var r = 0u; r < ROUNDS; r += 8u) {
    for (var n = 0u; n < 8u; n++) {
      for (var k = 0u; k < 8u; k++) {
        a[k] = fma(a[k], f, s);
      }
    }
  }
  var sum = a[0];
  for (var k = 1u; k < 8u; k++) {
    sum += a[k];
  }
  y[i] = sum.x + sum.y + sum.z + sum.w;
}
