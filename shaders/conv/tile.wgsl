// Convolution, transposed convolution and the input gradients of both for hardware: an implicit matrix product of output channels by positions, from
// weights that conv/pack.wgsl put in order. A workgroup of CG * PG lanes owns CG * RC groups of four output channels times PG * RP groups of four consecutive
// outputs of one phase; a lane multiplies RC * 4 channels by RP * 4 positions. All taps of STEP input channels follow each other, so that the input is still in the
// cache when the next tap reads it again. What the next step needs is loaded while this one multiplies. Where an output reaches over the edge is known
// before the loop, a bit for each tap of each axis, so that a step costs a uniform offset and four comparisons.
// uses lib/grid lib/conv lib/conv_places lib/conv_taps lib/single

@group(0) @binding(2) var<storage, read> w: array<vec4f>;

// 1: the channels of a group are no multiple of STEP.
override TAIL: u32;
// 1: four consecutive outputs always read four consecutive inputs.
override RUN: u32;

const CHANNELS = CG * RC;     // groups of four
const POSITIONS = PG * RP;
const LANES = CG * PG;
// Rows that the lanes fetch at once, and how often they do.
const X_ROWS = LANES / POSITIONS;
const W_ROWS = LANES / CHANNELS;
const X_FETCHES = (STEP + X_ROWS - 1u) / X_ROWS;
const W_FETCHES = (STEP + W_ROWS - 1u) / W_ROWS;

var<workgroup> w_shared: array<vec4f, STEP * CHANNELS>;
var<workgroup> x_shared: array<vec4f, STEP * POSITIONS>;

// The four positions of a lane, ROWS apart in memory; one index if they follow each other. The last one first: who waits for the first one waits for all.
fn fetch_x(index: vec4u, ahead: u32, row: u32) -> array<vec4<E>, X_FETCHES> {
  var v: array<vec4<E>, X_FETCHES>;
  for (var n = 0u; n < X_FETCHES; n++) {
    let f = X_FETCHES - 1u - n;
    var i = index + (ahead + f * row);
    if (RUN != 0u) {
      i = index.x + ahead + f * row + vec4u(0u, 1u, 2u, 3u);
    }
    let last = x[i.w];
    let third = x[i.z];
    let second = x[i.y];
    v[f] = vec4<E>(x[i.x], second, third, last);
  }
  return v;
}

fn fetch_w(index: u32) -> array<vec4f, W_FETCHES> {
  var v: array<vec4f, W_FETCHES>;
  for (var f = 0u; f < W_FETCHES; f++) {
    v[f] = w[index + f * W_ROWS * p.weight_in];
  }
  return v;
}

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

  let taps = taps_of(r, s);
  let tap_count = taps.count.x * taps.count.y * taps.count.z;
  list_taps(taps, s, lane, LANES);
  workgroupBarrier();

  // What this lane fetches of x: always the same four positions, and rows X_ROWS apart.
  let x_row = lane / POSITIONS;
  let x_place = lane % POSITIONS;
  var start: vec4u;
  var reached: vec4u;
  for (var i = 0u; i < 4u; i++) {
    // Beyond the end: the last one again, which is not stored.
    let q = min(q0 + x_place * 4u + i, total - 1u);
    let at = on_axes(q % pixels, count) * s.input + taps.reach;
    start[i] = q / pixels * p.x_pitch + (g * p.in_group + x_row) * in_plane + u32(place_in_x(at));
    reached[i] = reached_bits(at, taps);
  }
  let w_row = lane / CHANNELS;
  let w_place = lane % CHANNELS;
  let w_start = g * p.weight_group + w_row * p.weight_in + c0 / 4u + w_place;
  let w_tap = STEP * p.weight_in;
  let w_channel = u32(p.taps.x * p.taps.y * p.taps.z) * p.weight_in;
  let mine_c = lane / PG;
  let mine_q = lane % PG;

  // The step that is fetched: its tap and its first channel.
  var nth = 0u;
  var c = 0u;
  var tap = tap_at(0u);
  var x_next = fetch_x(start, tap.x, X_ROWS * in_plane);
  var w_next = fetch_w(w_start + tap.w * w_tap);
  var acc: array<vec4f, 4u * RC * RP>; // vec4 of positions, per channel
  var sum: array<vec4f, 4u * RC * RP>;
  let last = tap_count * ((p.in_group + STEP - 1u) / STEP);
  let in_block = select(max(1u, last), BLOCK / STEP, BLOCKED != 0u);
  // One at least, since a phase without taps is stored too.
  let blocks = max(1u, (last + in_block - 1u) / in_block);
  for (var block = 0u; block < blocks; block++) {
    let rounds = min(in_block, last - block * in_block);
    for (var k = 0u; k < rounds; k++) {
      let inside = (reached & vec4u(tap.bits)) == vec4u(tap.bits);
      for (var f = 0u; f < X_FETCHES; f++) {
        let t = x_row + f * X_ROWS;
        let counts = inside & vec4<bool>(TAIL == 0u || c + t < p.in_group);
        x_shared[t * POSITIONS + x_place] = select(vec4f(0.0), vec4f(x_next[f]), counts);
      }
      for (var f = 0u; f < W_FETCHES; f++) {
        if (W_ROWS <= STEP || w_row < STEP) { // a whole number of rows per lane, or lanes that have none
          w_shared[(w_row + f * W_ROWS) * CHANNELS + w_place] = w_next[f];
        }
      }
      workgroupBarrier();
      // Behind the last step this reads what is not used.
      nth++;
      if (nth == tap_count) {
        nth = 0u;
        c += STEP;
      }
      tap = tap_at(nth);
      x_next = fetch_x(start, tap.x + c * in_plane, X_ROWS * in_plane);
      w_next = fetch_w(w_start + (tap.w * w_tap + c * w_channel));
      for (var t = 0u; t < STEP; t++) {
        var xv: array<vec4f, RP>;
        for (var j = 0u; j < RP; j++) {
          xv[j] = x_shared[mine_q + (t * POSITIONS + j * PG)];
        }
        for (var i = 0u; i < RC; i++) {
          let wv = w_shared[mine_c + (t * CHANNELS + i * CG)];
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
    if (BLOCKED != 0u) {
      for (var k = 0u; k < 4u * RC * RP; k++) {
        sum[k] += acc[k];
        acc[k] = vec4f(0.0);
      }
    }
    // Where there are many blocks, 64 of them at a time are added to what y has of those before: a third set of sums would leave a GPU few subgroups.
    let done = block + 1u == blocks;
    if (!done && (BLOCKED < 2u || block % 64u != 63u)) {
      continue;
    }
    for (var j = 0u; j < RP; j++) {
      for (var n = 0u; n < 4u; n++) {
        let q = q0 + (mine_q + j * PG) * 4u + n;
        if (q < total) {
          let place = place_in_y(on_axes(q % pixels, count), s, r);
          for (var i = 0u; i < RC * 4u; i++) {
            let c = c0 + (mine_c + i / 4u * CG) * 4u + i % 4u;
            if (c < p.out_group) {
              let channel = g * p.out_group + c;
              let spot = channel * out_plane + place;
              let to = q / pixels * p.y_pitch + spot;
              var v = select(acc[i * RP + j], sum[i * RP + j], BLOCKED != 0u)[n];
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
    }
    for (var k = 0u; k < 4u * RC * RP; k++) {
      sum[k] = vec4f(0.0);
    }
  }
}
