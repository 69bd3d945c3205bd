// y[outer, class, inner] = 1 where the class index equals the class and is not ignored, else 0.
// uses lib/grid lib/target lib/class_fault

struct Params {
  classes: u32,
  inner: u32,
  positions: u32,
  ignored: i32, // class index that gives zeros and may be outside of the classes, if `ignores`
  ignores: u32,
  fault: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> index: array<u32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@group(0) @binding(3) var<storage, read_write> faults: array<atomic<u32>>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let i = linear_group(group, groups) * 64u + lane;
  if (i >= p.positions) {
    return;
  }
  let at = class_index(index[i]);
  let ignored = p.ignores != 0u && at == p.ignored;
  if (!ignored) {
    expect_class(at, p.classes);
  }
  let base = i / p.inner * p.classes * p.inner + i % p.inner;
  for (var c = 0u; c < p.classes; c++) {
    y[base + c * p.inner] = select(0.0, 1.0, at == i32(c) && !ignored);
  }
}
