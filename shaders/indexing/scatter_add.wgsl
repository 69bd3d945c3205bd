// y[…, index[…, k, …], …] += src[…, k, …] along one axis, the reverse of take.wgsl. Each element of y looks through its row of the index in order and
// adds what is meant for it: no float atomics, so the same input gives the same bits. That is `terms` comparisons per element.
// uses lib/grid

struct Params {
  shape: array<vec4u, 2>,          // of y, last axis first
  limit: array<vec4u, 2>,          // sizes of the index: beyond them nothing is added
  index_stride: array<vec4u, 2>,   // 0 along the axis
  src_stride: array<vec4u, 2>,     // 0 along the axis
  axis: u32,                       // place in these lists
  terms: u32,
  index_step: u32,
  src_step: u32,
  count: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> index: array<u32>;
@group(0) @binding(2) var<storage, read> src: array<f32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let i = linear_group(group, groups) * 64u + lane;
  if (i >= p.count) {
    return;
  }
  var rest = i;
  var at = 0u;
  var source = 0u;
  var own = 0u;
  for (var k = 0u; k < AXES; k++) {
    let size = p.shape[k / 4u][k % 4u];
    let outer = rest / size;
    let here = rest - outer * size;
    rest = outer;
    if (here >= p.limit[k / 4u][k % 4u]) {
      return;
    }
    at += here * p.index_stride[k / 4u][k % 4u];
    source += here * p.src_stride[k / 4u][k % 4u];
    own = select(own, here, k == p.axis);
  }
  var sum = y[i];
  for (var t = 0u; t < p.terms; t++) {
    if (index[at + t * p.index_step] == own) {
      sum += src[source + t * p.src_step];
    }
  }
  y[i] = sum;
}
