// Gradients of scale, shift and slope from the sums of norm/gradient.wgsl, which are added over samples and slabs in fixed order, those of one
// slope for all channels over these too. One workgroup.
// uses lib/tree

struct Params {
  channels: u32,
  rows: u32,    // samples times slabs
  slopes: u32,  // 0, 1 or the number of channels
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> sums: array<f32>; // [rows, channels, 3]
@group(0) @binding(2) var<storage, read_write> d_weight: array<f32>;
@group(0) @binding(3) var<storage, read_write> d_bias: array<f32>;
@group(0) @binding(4) var<storage, read_write> d_slope: array<f32>;

@compute @workgroup_size(LANES)
fn main(@builtin(local_invocation_index) lane: u32) {
  var below = 0.0;
  for (var c = lane; c < p.channels; c += LANES) {
    var sum = vec3f(0.0);
    for (var row = 0u; row < p.rows; row++) {
      let k = 3u * (row * p.channels + c);
      sum += vec3f(sums[k], sums[k + 1u], sums[k + 2u]);
    }
    d_bias[c] = sum.x;
    d_weight[c] = sum.y;
    below += sum.z;
    if (p.slopes > 1u) {
      d_slope[c] = sum.z;
    }
  }
  below = tree_sum(below, lane);
  if (lane == 0u && p.slopes <= 1u) {
    d_slope[0] = below;
  }
}
