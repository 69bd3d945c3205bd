// Convolution, transposed convolution and the input gradients of both for few output channels on hardware: a lane owns all LC channels of its group at four
// consecutive outputs, so that nobody else wants what it reads of the input, which stays in registers: a window of a row that all KW taps along W see, of STEP
// channels at a time. More outputs per lane would save loads, but their lanes would read further apart, a cache line each. Weights, in the order of conv/pack.wgsl, are the same for all lanes, which a GPU loads once for all of them. With KW = 1 a tap is a
// window, wherever strides and phases put it. Loads of a step are not begun in the step before: other subgroups fill the time, as each needs few registers.
// uses lib/grid lib/conv lib/conv_places lib/conv_taps lib/single

@group(0) @binding(2) var<storage, read> w: array<vec4f>;

// 1: the channels of a group are no multiple of STEP.
override TAIL: u32;
// 1: four consecutive outputs always read four consecutive inputs.
override RUN: u32;

const LANES = 64u;
const GROUPS = (LC + 3u) / 4u;
const LP = 4u; // outputs of a lane
const WINDOW = LP + KW - 1u;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let s = steps();
  let id = linear_group(group, groups);
  let r = phase(id, s.phases);
  let g = id / p.across % p.tiles;
  let count = (p.out_size.xyz - r + s.output - 1) / s.output;
  let pixels = u32(max(0, count.x) * max(0, count.y) * max(0, count.z));
  let total = pixels * p.samples;
  let q0 = id % p.across * LANES * LP;
  if (q0 >= total || r.x >= s.phases.x) {
    return;
  }
  let in_plane = u32(p.in_size.x * p.in_size.y * p.in_size.z);
  let out_plane = u32(p.out_size.x * p.out_size.y * p.out_size.z);

  // With windows the table has the rows of taps, each by the first place that it reads.
  var taps = taps_of(r, s);
  if (KW > 1u) {
    taps.count.z = 1u;
    taps.reach.z = min(taps.reach.z, taps.reach.z + taps.stride.z * i32(KW - 1u));
  }
  let rows = taps.count.x * taps.count.y * taps.count.z;
  list_taps(taps, s, lane, LANES);
  workgroupBarrier();

  var start: vec4u;
  var reached: vec4u;
  var first: vec3i; // where the lane's window begins
  for (var i = 0u; i < LP; i++) {
    // Beyond the end: the last one again, which is not stored.
    let q = min(q0 + lane * LP + i, total - 1u);
    let at = on_axes(q % pixels, count) * s.input + taps.reach;
    start[i] = q / pixels * p.x_pitch + g * p.in_group * in_plane + u32(place_in_x(at));
    reached[i] = reached_bits(at, taps);
    if (i == 0u) {
      first = at;
    }
  }
  let w_group = g * (p.weight_group / GROUPS);
  // From one tap of a window to the next, which a transposed convolution has in reverse.
  let w_first = select(0u, (KW - 1u) * STEP, p.transposed != 0u);
  let w_next = select(STEP, 0u - STEP, p.transposed != 0u);
  let tap_count = u32(p.taps.x * p.taps.y * p.taps.z);

  var nth = 0u;
  var c = 0u;
  var acc: array<vec4f, GROUPS * LP>; // vec4 of channels, per position
  var sum: array<vec4f, GROUPS * LP>;
  let last = rows * ((p.in_group + STEP - 1u) / STEP);
  let in_block = select(max(1u, last), BLOCK / (STEP * KW), BLOCKED != 0u);
  // One at least, since a phase without taps is stored too.
  let blocks = max(1u, (last + in_block - 1u) / in_block);
  for (var block = 0u; block < blocks; block++) {
    let rounds = min(in_block, last - block * in_block);
    for (var k = 0u; k < rounds; k++) {
      let tap = tap_at(nth);
      // A lane whose row is not there does nothing; otherwise it may lie beyond the ends of one.
      if (KW == 1u || ((reached.x | 1u) & tap.bits) == tap.bits) {
        // The last one first: who waits for the first one waits for all.
        var v: array<array<E, WINDOW>, STEP>;
        for (var i = 0u; i < STEP; i++) {
          let t = STEP - 1u - i;
          let ahead = tap.x + (c + t) * in_plane;
          if (KW > 1u) {
            let at = start.x + ahead;
            for (var m = 0u; m < WINDOW; m++) {
              v[t][WINDOW - 1u - m] = x[at + (WINDOW - 1u - m)];
            }
          } else {
            for (var m = 0u; m < LP; m++) {
              let o = LP - 1u - m;
              v[t][o] = x[select(start[o] + ahead, start.x + ahead + o, RUN != 0u)];
            }
          }
        }
        let w_now = w_group + c * tap_count + tap.w * STEP;
        for (var t = 0u; t < STEP; t++) {
          if (TAIL != 0u && c + t >= p.in_group) {
            break;
          }
          var xv: array<f32, WINDOW>;
          for (var m = 0u; m < WINDOW; m++) {
            let inside = select((reached[m % LP] & tap.bits) == tap.bits, u32(first.z + i32(m)) < u32(p.in_size.z), KW > 1u);
            xv[m] = select(0.0, f32(v[t][m]), inside);
          }
          for (var j = 0u; j < KW; j++) {
            let row = w_now + w_first + j * w_next + t;
            for (var i = 0u; i < GROUPS; i++) {
              let wv = w[row * GROUPS + i];
              for (var o = 0u; o < LP; o++) {
                acc[i * LP + o] = fma(wv, vec4f(xv[o + j]), acc[i * LP + o]);
              }
            }
          }
        }
      }
      nth++;
      if (nth == rows) {
        nth = 0u;
        c += STEP;
      }
    }
    if (BLOCKED != 0u) {
      for (var k = 0u; k < GROUPS * LP; k++) {
        sum[k] += acc[k];
        acc[k] = vec4f(0.0);
      }
    }
    // As in conv/tile.wgsl: 64 blocks at a time are added to what y has of those before.
    let done = block + 1u == blocks;
    if (!done && (BLOCKED < 2u || block % 64u != 63u)) {
      continue;
    }
    for (var n = 0u; n < LP; n++) {
      let q = q0 + lane * LP + n;
      if (q < total) {
        let place = place_in_y(on_axes(q % pixels, count), s, r);
        for (var i = 0u; i < LC; i++) {
          if (i < p.out_group) {
            let channel = g * p.out_group + i;
            let spot = channel * out_plane + place;
            let to = q / pixels * p.y_pitch + spot;
            var v = select(acc[i / 4u * LP + n], sum[i / 4u * LP + n], BLOCKED != 0u)[i % 4u];
            if (BLOCKED > 1u && block >= 64u) {
              v += f32(y[to]);
            }
            if (done) {
              store(q / pixels, spot, v + bias_of(channel));
            } else {
              y[to] = E(v);
            }
          }
        }
      }
    }
    for (var k = 0u; k < GROUPS * LP; k++) {
      sum[k] = vec4f(0.0);
    }
  }
}
