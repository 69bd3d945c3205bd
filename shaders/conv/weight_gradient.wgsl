// Weight gradient of convolution and transposed convolution: for each pair of channels (a, b) of one group and each tap,
//   sum over n and o of  a[n, ca, o] * b[n, cb, o * stride + tap * dilation - padding].
// For convolution a is the output gradient and b the input; for the transposed one a is the input and b the output gradient.
//
// A thread owns TA channels of a times TB channels of b for one tap and walks a slab of rows; the lanes of a workgroup differ in tap and
// b-channels, so loads of a are uniform. Each slab writes its partial sums, which `reduce` adds in fixed order: one thread per
// weight would leave a first layer (1 -> 16 channels) with 144 threads and an unbounded f32 sum.
// uses lib/grid lib/conv_weight

const TA4 = TA / 4u;
override WG: u32 = 32u;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) id: vec3u, @builtin(num_workgroups) ids: vec3u, @builtin(local_invocation_index) lane: u32) {
  let group = place(linear_group(id, ids));
  if (group.z >= p.slabs) {
    return;
  }
  let tap_count = u32(p.taps.x * p.taps.y * p.taps.z);
  let t = group.x * WG + lane;
  let tap = i32(t % tap_count);
  let b0 = t / tap_count * TB;
  if (b0 >= p.b_group) {
    return;
  }
  // A tile of TA channels stays inside its group.
  let tiles = (p.a_group + TA - 1u) / TA;
  let g = group.y / tiles;
  let a0 = group.y % tiles * TA;
  let at = vec3i(tap / (p.taps.y * p.taps.z), tap / p.taps.z % p.taps.y, tap % p.taps.z) * p.dilation.xyz - p.padding.xyz;
  let a_plane = u32(p.a_size.x * p.a_size.y * p.a_size.z);
  let b_plane = u32(p.b_size.x * p.b_size.y * p.b_size.z);
  let width = u32(p.a_size.z);

  var acc: array<vec4f, TA4 * TB>;
  let last = min((group.z + 1u) * p.slab, p.rows);
  for (var row = group.z * p.slab; row < last; row++) {
    let h = i32(row) % p.a_size.y;
    let d = i32(row) / p.a_size.y % p.a_size.x;
    let n = row / u32(p.a_size.x * p.a_size.y);
    let bd = d * p.stride.x + at.x;
    let bh = h * p.stride.y + at.y;
    if (bd < 0 || bd >= p.b_size.x || bh < 0 || bh >= p.b_size.y) {
      continue;
    }
    var ia = (n * p.a_channels + g * p.a_group + a0) * a_plane + u32(d * p.a_size.y + h) * width;
    let ib = (n * p.b_channels + g * p.b_group + b0) * b_plane + u32((bd * p.b_size.y + bh) * p.b_size.z);
    for (var o = 0u; o < width; o++) {
      let bw = i32(o) * p.stride.z + at.z;
      let inside = bw >= 0 && bw < p.b_size.z;
      let k = select(0u, ib + u32(bw), inside);
      var v: array<f32, TB>;
      for (var j = 0u; j < TB; j++) {
        v[j] = select(0.0, f32(b[k + j * b_plane]), inside);
      }
      for (var i = 0u; i < TA4; i++) {
        let q = ia + i * 4u * a_plane;
        let av = vec4f(vec4<E>(a[q], a[q + a_plane], a[q + 2u * a_plane], a[q + 3u * a_plane]));
        for (var j = 0u; j < TB; j++) {
          acc[i * TB + j] = fma(vec4f(v[j]), av, acc[i * TB + j]);
        }
      }
      ia++;
    }
  }

  for (var i = 0u; i < TA; i++) {
    for (var j = 0u; j < TB; j++) {
      if (a0 + i < p.a_group && b0 + j < p.b_group) {
        partial[((group.z * p.a_channels + g * p.a_group + a0 + i) * p.b_group + b0 + j) * tap_count + u32(tap)] = acc[(i / 4u) * TB + j][i % 4u];
      }
    }
  }
}
