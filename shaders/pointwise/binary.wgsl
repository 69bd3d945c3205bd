// Pointwise functions of two tensors. Same shapes take the short way; otherwise the operands are broadcast over up to six axes.

struct Params {
  shape0: vec4u,    // result axes 0..3 of six, left-padded with ones
  shape1: vec4u,    // axes 4..5
  a0: vec4u,        // element strides of a, 0 along broadcast axes
  a1: vec4u,
  b0: vec4u,
  b1: vec4u,
  count: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> a: array<f32>;
@group(0) @binding(2) var<storage, read> b: array<f32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;

override OP: u32;
override BROADCAST: u32 = 0u;

fn apply(u: f32, v: f32) -> f32 {
  switch OP {
    case 0u: { return u + v; }
    case 1u: { return u - v; }
    case 2u: { return u * v; }
    case 3u: { return u / v; }
    default: { return u; }
  }
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let i = linear_group(group, groups) * 64u + lane;
  if (i >= p.count) {
    return;
  }
  var ia = i;
  var ib = i;
  if (BROADCAST != 0u) {
    ia = 0u;
    ib = 0u;
    var rest = i;
    for (var k = 0u; k < 6u; k++) {
      let axis = 5u - k;
      let low = axis & 3u;
      let size = select(p.shape0[low], p.shape1[low], axis >= 4u);
      let at = rest % size;
      rest /= size;
      ia += at * select(p.a0[low], p.a1[low], axis >= 4u);
      ib += at * select(p.b0[low], p.b1[low], axis >= 4u);
    }
  }
  y[i] = apply(a[ia], b[ib]);
}
