// Values of [outer, inner] put at an index along the middle axis of [outer, axis, inner], zeros elsewhere: the gradient of picking one element.
// uses lib/grid

struct Params {
  axis: u32,
  inner: u32,
  count: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> index: array<i32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let i = linear_group(group, groups) * 64u + lane;
  if (i >= p.count) {
    return;
  }
  let line = i / p.inner;
  let row = line / p.axis * p.inner + i % p.inner;
  y[i] = select(0.0, x[row], index[row] == i32(line % p.axis));
}
