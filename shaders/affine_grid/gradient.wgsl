// Partial sums of dtheta[n] = sum over o of dgrid[n, o] * (position of o, 1)ᵀ: a thread adds one slab of SLAB positions, `reduce` adds the slabs.
// uses lib/grid lib/affine_grid

@group(0) @binding(1) var<storage, read> dgrid: array<f32>;
@group(0) @binding(2) var<storage, read_write> partial: array<f32>;   // [samples, slabs, axes, axes + 1]

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let positions = p.size.x * p.size.y * p.size.z;
  let i = linear_group(group, groups) * 64u + lane;
  if (i >= p.slabs * p.size.w) {
    return;
  }
  let first = i % p.slabs * SLAB;
  var sum: array<vec4f, 3>;
  for (var o = first; o < min(first + SLAB, positions); o++) {
    let at = base(o);
    let g = (i / p.slabs * positions + o) * p.axes;
    for (var row = 0u; row < p.axes; row++) {
      sum[row] = fma(vec4f(dgrid[g + row]), at, sum[row]);
    }
  }
  for (var row = 0u; row < p.axes; row++) {
    for (var k = 0u; k <= p.axes; k++) {
      partial[(i * p.axes + row) * (p.axes + 1u) + k] = sum[row][k];
    }
  }
}
