// Cuts one window out of a plane stack that is kept as a ring: plane z of the image is plane z % ring of `x`.
// uses lib/grid lib/window

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let i = linear_group(group, groups) * 64u + lane;
  if (i >= p.roi.x * p.roi.y * p.roi.z) {
    return;
  }
  let at = image_place(i);
  y[p.offset + i] = x[((at.x % p.ring) * p.rows + at.y - p.first_row) * p.columns + at.z];
}
