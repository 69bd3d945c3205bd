// y[outer, class, inner] = 1 where the class index equals the class, else 0. FLOAT_INDEX reads the indices as f32, as labels come from files.
// uses lib/grid

struct Params {
  classes: u32,
  inner: u32,
  count: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> index: array<u32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

override FLOAT_INDEX: u32;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let i = linear_group(group, groups) * 64u + lane;
  if (i >= p.count) {
    return;
  }
  let class_of = i / p.inner % p.classes;
  let word = index[i / (p.inner * p.classes) * p.inner + i % p.inner];
  var at = i32(word);
  if (FLOAT_INDEX != 0u) {
    at = i32(round(bitcast<f32>(word)));
  }
  y[i] = select(0.0, 1.0, at == i32(class_of));
}
