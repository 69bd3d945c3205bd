// The entry of kernels that give each thread an `element(id)` of `p.threads`, in workgroups along the first axis (lib/workgroups.ts: lines).
// Devices dispatch 65,535 workgroups along an axis: threads go on where more are left.
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var z = id.z; z < p.threads.z; z += groups.z) {
    for (var y = id.y; y < p.threads.y; y += groups.y) {
      for (var x = id.x; x < p.threads.x; x += 64u * groups.x) {
        element(vec3u(x, y, z));
      }
    }
  }
}
