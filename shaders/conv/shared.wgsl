// Convolution, transposed convolution and the input gradients of both through shared memory, for hardware with many cores: an implicit matrix
// product of output channels by positions. A workgroup of CG * PG owns CG * RC groups of four output channels times PG * RP groups of four consecutive
// outputs of one phase. Per tap it walks the input channels in steps of STEP: weights and inputs go to shared memory once, then every thread
// multiplies RC * 4 channels by RP * 4 positions, so that a loaded value is used 4 * RC or 4 * RP times. The taps are walked outside, so that
// positions are found once per tap. Software adapters run barriers one subgroup after the other and want conv/gather.wgsl:
// 4x32 -> 64x128² k3 on lavapipe, GFLOP per CPU-second, 12.7 there and 2.3 to 2.7 here. Not measured on a GPU yet; the table is a guess that `tune` corrects.
// uses lib/grid lib/conv

const CHANNELS = CG * RC;     // groups of four
const POSITIONS = PG * RP;
const LANES = CG * PG;
// One more than the tile, so that lanes that differ in their term use different banks.
const W_PITCH = CHANNELS + 1u;
const X_PITCH = POSITIONS + 1u;

var<workgroup> w_shared: array<vec4f, STEP * W_PITCH>;
var<workgroup> x_shared: array<vec4f, STEP * X_PITCH>;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let s = steps();
  let id = linear_group(group, groups);
  let r = phase(id, s.phases);
  let tile = id / p.across % p.tiles;
  let count = (p.out_size.xyz - r + s.output - 1) / s.output;
  let pixels = u32(max(0, count.x) * max(0, count.y) * max(0, count.z));
  let total = pixels * p.samples;
  let q0 = id % p.across * POSITIONS * 4u;
  if (q0 >= total || r.x >= s.phases.x) {
    return;
  }
  // A tile of channels stays inside its group.
  let group_tiles = (p.out_group + CHANNELS * 4u - 1u) / (CHANNELS * 4u);
  let g = tile / group_tiles;
  let c0 = tile % group_tiles * CHANNELS * 4u;
  let in_plane = u32(p.in_size.x * p.in_size.y * p.in_size.z);
  let out_plane = u32(p.out_size.x * p.out_size.y * p.out_size.z);

  // What this lane fetches: always the same four positions, and terms LANES / POSITIONS apart.
  let fetched = lane % POSITIONS;
  var origin: array<vec3i, 4>;
  var start: array<u32, 4>;
  for (var i = 0u; i < 4u; i++) {
    // Beyond the end: the last one again, which is not stored.
    let q = min(q0 + fetched * 4u + i, total - 1u);
    let k = i32(q % pixels);
    origin[i] = vec3i(k / (count.y * count.z), k / count.z % count.y, k % count.z) * s.input;
    start[i] = (q / pixels * p.in_channels + g * p.in_group) * in_plane;
  }
  let mine_c = lane / PG;
  let mine_q = lane % PG;

  var acc: array<vec4f, 4u * RC * RP>; // vec4 of positions, per channel
  for (var td = first_tap(r.x, 0u); td < p.taps.x; td += s.tap.x) {
    for (var th = first_tap(r.y, 1u); th < p.taps.y; th += s.tap.y) {
      for (var tw = first_tap(r.z, 2u); tw < p.taps.z; tw += s.tap.z) {
        let offset = vec3i(tap_offset(r.x, td, 0u), tap_offset(r.y, th, 1u), tap_offset(r.z, tw, 2u));
        var index = vec4u(0u);
        var inside = vec4<bool>(false);
        for (var i = 0u; i < 4u; i++) {
          let at = origin[i] + offset;
          inside[i] = all(at >= vec3i(0)) && all(at < p.in_size.xyz);
          index[i] = select(0u, start[i] + u32((at.x * p.in_size.y + at.y) * p.in_size.z + at.z), inside[i]);
        }
        let tap = g * p.weight_group + u32((td * p.taps.y + th) * p.taps.z + tw);
        for (var c = 0u; c < p.in_group; c += STEP) {
          for (var t = lane / POSITIONS; t < STEP; t += LANES / POSITIONS) {
            // Channels beyond the last one count nothing: their weights are zero.
            let at = index + min(c + t, p.in_group - 1u) * in_plane * vec4u(inside);
            let v = vec4f(vec4<E>(x[at.x], x[at.y], x[at.z], x[at.w]));
            x_shared[t * X_PITCH + fetched] = select(vec4f(0.0), v, inside & vec4<bool>(c + t < p.in_group));
          }
          for (var k = lane; k < STEP * CHANNELS; k += LANES) {
            let t = k % STEP;
            let m = k / STEP;
            let o = min(vec4u(c0 + m * 4u) + vec4u(0u, 1u, 2u, 3u), vec4u(p.out_group - 1u)) * p.weight_out;
            let at = o + tap + min(c + t, p.in_group - 1u) * p.weight_in;
            w_shared[t * W_PITCH + m] = select(vec4f(0.0), vec4f(w[at.x], w[at.y], w[at.z], w[at.w]), c + t < p.in_group);
          }
          workgroupBarrier();
          for (var t = 0u; t < STEP; t++) {
            var xv: array<vec4f, RP>;
            for (var j = 0u; j < RP; j++) {
              xv[j] = x_shared[t * X_PITCH + mine_q + j * PG];
            }
            for (var i = 0u; i < RC; i++) {
              let wv = w_shared[t * W_PITCH + mine_c + i * CG];
              for (var k = 0u; k < 4u; k++) {
                for (var j = 0u; j < RP; j++) {
                  let a = (i * 4u + k) * RP + j;
                  acc[a] = fma(vec4f(wv[k]), xv[j], acc[a]);
                }
              }
            }
          }
          workgroupBarrier();
        }
      }
    }
  }

  for (var j = 0u; j < RP; j++) {
    for (var n = 0u; n < 4u; n++) {
      let q = q0 + (mine_q + j * PG) * 4u + n;
      if (q < total) {
        let k = i32(q % pixels);
        let at = vec3u(vec3i(k / (count.y * count.z), k / count.z % count.y, k % count.z) * s.output + r);
        let place = (at.x * u32(p.out_size.y) + at.y) * u32(p.out_size.z) + at.z;
        for (var i = 0u; i < RC * 4u; i++) {
          let c = c0 + (mine_c + i / 4u * CG) * 4u + i % 4u;
          if (c < p.out_group) {
            let channel = g * p.out_group + c;
            y[(q / pixels * p.out_channels + channel) * out_plane + place] = finished(acc[i * RP + j][n] + bias_of(channel));
          }
        }
      }
    }
  }
}
