// Weight gradient of convolution and transposed convolution: for each pair of channels (a, b) of one group and each tap,
//   sum over n and o of  a[n, ca, o] * b[n, cb, o * stride + tap * dilation - padding].
// For convolution a is the output gradient and b the input; for the transposed one a is the input and b the output gradient.
//
// A thread owns TA channels of a times TB channels of b for one tap and walks a slab of runs, in blocks whose sums are added; the lanes of a workgroup differ in tap and
// b-channels, so loads of a are uniform. Each slab writes its partial sums, which `reduce` adds in fixed order: one thread per
// weight would leave a first layer (1 -> 16 channels) with 144 threads and an unbounded f32 sum.
// chooses lib/channels_apart lib/channels_by_lane
// uses lib/grid lib/conv_runs lib/single

const TA4 = TA / 4u;
override WG: u32 = 32u;
// 1: slabs have several blocks.
override BLOCKED: u32;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) id: vec3u, @builtin(num_workgroups) ids: vec3u, @builtin(local_invocation_index) lane: u32) {
  let group = place(linear_group(id, ids));
  if (group.z >= p.slabs) {
    return;
  }
  let tap_count = u32(p.taps.x * p.taps.y * p.taps.z);
  let t = group.x * WG + lane;
  let own = tap_and_tile(t, tap_count, (p.b_group + TB - 1u) / TB);
  let tap = i32(own.x);
  // All lanes run to the end, for the sake of lib/channels_by_lane.
  let b0 = own.y * TB;
  let b_end = select(b0, min(b0 + TB, p.b_group), own.x < tap_count);
  // A tile of TA channels stays inside its group.
  let tiles = (p.a_group + TA - 1u) / TA;
  let g = group.y / tiles;
  let a0 = group.y % tiles * TA;
  let place_of_tap = vec3i(tap / (p.taps.y * p.taps.z), tap / p.taps.z % p.taps.y, tap % p.taps.z);
  let at = place_of_tap * p.dilation.xyz - p.padding.xyz;
  let a_plane = u32(p.a_size.x * p.a_size.y * p.a_size.z);
  let b_plane = u32(p.b_size.x * p.b_size.y * p.b_size.z);
  let width = u32(p.a_size.z);

  var acc: array<vec4f, TA4 * TB>;
  var sum: array<vec4f, TA4 * TB>;
  let last = min((group.z + 1u) * p.slab, p.rows);
  var in_block = 0u;
  let first = group.z * p.slab;
  var run = run_of(first);
  for (var row = first; row < last; row++) {
    if (BLOCKED != 0u) {
      if (in_block == p.block) {
        for (var k = 0u; k < TA4 * TB; k++) {
          sum[k] += acc[k];
          acc[k] = vec4f(0.0);
        }
        in_block = 0u;
      }
      in_block++;
    }
    let bd = run.d * p.stride.x + at.x;
    let bh = run.h * p.stride.y + at.y;
    let ok = b0 < b_end && bd >= 0 && bd < p.b_size.x && bh >= 0 && bh < p.b_size.y;
    var ia = run.n * p.a_pitch + (g * p.a_group + a0) * a_plane + u32(run.d * p.a_size.y + run.h) * width + run.start;
    let ib = run.n * p.b_pitch + (g * p.b_group + b0) * b_plane + u32((bd * p.b_size.y + bh) * p.b_size.z);
    // Of a small input few taps reach a row.
    let some = any_lane(ok);
    let end = select(run.start, min(run.start + p.segment, width), some);
    for (var o = run.start; o < end; o++) {
      let bw = i32(o) * p.stride.z + at.z;
      let inside = ok && bw >= 0 && bw < p.b_size.z;
      let from_b = select(0u, ib + u32(bw), inside);
      var v: array<f32, TB>;
      for (var j = 0u; j < TB; j++) {
        v[j] = select(0.0, f32(b[from_b + j * b_plane]), inside);
      }
      var k = channels_at(ia, a_plane, lane);
      for (var i = 0u; i < TA4; i++) {
        let av = four_channels(&k, i);
        for (var j = 0u; j < TB; j++) {
          acc[i * TB + j] = fma(vec4f(v[j]), av, acc[i * TB + j]);
        }
      }
      ia++;
    }
    run = next_run(run);
  }

  if (BLOCKED != 0u) {
    for (var k = 0u; k < TA4 * TB; k++) {
      acc[k] += sum[k];
    }
  }
  // Loops over places, which no compiler unrolls, for a short program.
  let a_end = min(a0 + TA, p.a_group);
  let row = (group.z * p.a_channels + g * p.a_group) * p.b_group;
  for (var c = a0; c < a_end; c++) {
    let i = c - a0;
    for (var j = b0; j < b_end; j++) {
      partial[(row + c * p.b_group + j) * taps_of_weight() + tap_place(place_of_tap)] = acc[(i / 4u) * TB + j - b0][i % 4u];
    }
  }
}
