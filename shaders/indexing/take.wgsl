// y[…, k, …] = x[…, index[…, k, …], …] along one axis: torch's gather, and index_select with strides of 0 for the index. Words are moved untyped.
// uses lib/grid

struct Params {
  shape: array<vec4u, 2>,          // of y, last axis first
  x_stride: array<vec4u, 2>,       // 0 along the axis
  index_stride: array<vec4u, 2>,
  axis_size: u32,                  // of x
  axis_stride: u32,
  count: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<u32>;
@group(0) @binding(2) var<storage, read> index: array<u32>;
@group(0) @binding(3) var<storage, read_write> y: array<u32>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let i = linear_group(group, groups) * 64u + lane;
  if (i >= p.count) {
    return;
  }
  var rest = i;
  var row = 0u;
  var at = 0u;
  for (var k = 0u; k < AXES; k++) {
    let size = p.shape[k / 4u][k % 4u];
    let outer = rest / size;
    let here = rest - outer * size;
    row += here * p.x_stride[k / 4u][k % 4u];
    at += here * p.index_stride[k / 4u][k % 4u];
    rest = outer;
  }
  // A negative i32 is larger than any axis as u32.
  let chosen = index[at];
  var word = 0u;
  if (chosen < p.axis_size) {
    word = x[row + chosen * p.axis_stride];
  }
  y[i] = word;
}
