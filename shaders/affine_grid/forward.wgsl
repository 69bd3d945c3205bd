// grid[n, o] = theta[n] * (position of o, 1)
// uses lib/grid lib/affine_grid

@group(0) @binding(1) var<storage, read> theta: array<f32>;
@group(0) @binding(2) var<storage, read_write> grid: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let positions = p.size.x * p.size.y * p.size.z;
  let i = linear_group(group, groups) * 64u + lane;
  if (i >= positions * p.size.w) {
    return;
  }
  let at = base(i % positions);
  for (var row = 0u; row < p.axes; row++) {
    let first = (i / positions * p.axes + row) * (p.axes + 1u);
    var sum = 0.0;
    for (var k = 0u; k <= p.axes; k++) {
      sum = fma(theta[first + k], at[k], sum);
    }
    grid[i * p.axes + row] = sum;
  }
}
