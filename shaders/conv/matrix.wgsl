// Convolution, transposed convolution and the input gradients of both on the matrix units of a GPU: an implicit matrix product of output channels by positions as
// in conv/tile.wgsl, of f16 values with f32 sums, from weights that conv/pack_matrix.wgsl put in order. SC by SP subgroups of S lanes each multiply RC by RP matrices of
// M channels by N positions. What K · KS input channels of a tap give is gathered into shared memory, twice, so that the next step's is written while this one is
// read; weights are read from where they lie, since the lines of a matrix follow each other there.
// uses lib/grid lib/conv lib/conv_taps

@group(0) @binding(2) var<storage, read> w: array<f16>;

// 1: the channels of a group are no multiple of a step.
override TAIL: u32;

const CHANNELS = SC * RC * M;
const POSITIONS = SP * RP * N;
const LANES = SC * SP * S;
const STEP = KS * K;
const PARTS = LANES / POSITIONS; // lanes that fetch the channels of one position
const FETCHES = STEP / PARTS;
const PITCH = STEP + 8u;         // positions then begin in different banks

// A matrix is read from an array of its own, at a constant offset, so that nothing has to check whether it lies inside.
var<workgroup> x_shared: array<array<array<f16, N * PITCH>, SP * RP>, 2>;
var<workgroup> y_shared: array<array<f32, M * N>, SC * SP>;

fn fetch(index: u32, plane: u32) -> array<f16, FETCHES> {
  var v: array<f16, FETCHES>;
  for (var f = 0u; f < FETCHES; f++) {
    v[f] = x[index + f * plane];
  }
  return v;
}

// Channels from c on, of one tap, the nth.
struct Step {
  c: u32,
  nth: u32,
  tap: Tap,
}

fn after(step: Step, tap_count: u32) -> Step {
  let more = step.nth + 1u < tap_count;
  let nth = select(0u, step.nth + 1u, more);
  return Step(select(step.c + STEP, step.c, more), nth, tap_shared[nth % TAPS]);
}

@compute @workgroup_size(LANES) @subgroup_size(S)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32, @builtin(subgroup_id) team: u32) {
  let s = steps();
  let id = linear_group(group, groups);
  let r = phase(id, s.phases);
  let tile = id / p.across % p.tiles;
  let count = (p.out_size.xyz - r + s.output - 1) / s.output;
  let pixels = u32(max(0, count.x) * max(0, count.y) * max(0, count.z));
  let total = pixels * p.samples;
  let q0 = id % p.across * POSITIONS;
  if (q0 >= total || r.x >= s.phases.x) {
    return;
  }
  // A tile of channels stays inside its group.
  let group_tiles = (p.out_group + CHANNELS - 1u) / CHANNELS;
  let g = tile / group_tiles;
  let c0 = tile % group_tiles * CHANNELS;
  let in_plane = u32(p.in_size.x * p.in_size.y * p.in_size.z);
  let out_plane = u32(p.out_size.x * p.out_size.y * p.out_size.z);

  let taps = taps_of(r, s);
  let tap_count = taps.count.x * taps.count.y * taps.count.z;
  list_taps(taps, s, lane, LANES);
  workgroupBarrier();

  // What this lane fetches: always the same position, and FETCHES channels of each step. Beyond the end: the last position again, which is not stored.
  let place = lane % POSITIONS;
  let part = lane / POSITIONS * FETCHES;
  let mine = min(q0 + place, total - 1u);
  let o = i32(mine % pixels);
  let at = vec3i(o / (count.y * count.z), o / count.z % count.y, o % count.z) * s.input + taps.reach;
  let start = (mine / pixels * p.in_channels + g * p.in_group + part) * in_plane + u32((at.x * p.in_size.y + at.y) * p.in_size.z + at.z);
  let reached = reached_bits(at, taps);
  // And what its subgroup multiplies.
  let mine_c = team / SP * RC * M;
  let mine_x = team % SP * RP;
  let mine_q = mine_x * N;
  let w_start = g * p.weight_group + c0 + mine_c; // rows
  let w_channels = u32(p.taps.x * p.taps.y * p.taps.z) * p.weight_in;

  var step = Step(0u, 0u, tap_shared[0]);
  var next = fetch(start + step.tap.x, in_plane);
  var acc: array<subgroup_matrix_result<f32, N, M>, RC * RP>;
  let last = tap_count * ((p.in_group + STEP - 1u) / STEP);
  for (var k = 0u; k < last; k++) {
    let inside = (reached & step.tap.bits) == step.tap.bits;
    for (var f = 0u; f < FETCHES; f++) {
      let counts = inside && (TAIL == 0u || step.c + part + f < p.in_group);
      x_shared[k & 1u][place / N][place % N * PITCH + part + f] = select(0.0h, next[f], counts);
    }
    workgroupBarrier();
    let w_at = w_start + (step.tap.w * p.weight_in + step.c / STEP * w_channels);
    // Behind the last step this reads what is not used.
    step = after(step, tap_count);
    for (var t = 0u; t < KS; t++) {
      var xs: array<subgroup_matrix_right<f16, N, K>, RP>;
      for (var j = 0u; j < RP; j++) {
        xs[j] = subgroupMatrixLoad<subgroup_matrix_right<f16, N, K>, col_major>(&x_shared[k & 1u][mine_x + j], t * K, PITCH);
      }
      for (var i = 0u; i < RC; i++) {
        let ws = subgroupMatrixLoad<subgroup_matrix_left<f16, K, M>, row_major>(&w, (w_at + i * M) * STEP + t * K, STEP);
        for (var j = 0u; j < RP; j++) {
          acc[i * RP + j] = subgroupMatrixMultiplyAccumulate(ws, xs[j], acc[i * RP + j]);
        }
      }
      // After weights: what is loaded later is waited for later.
      if (t == 0u) {
        next = fetch(start + (step.tap.x + step.c * in_plane), in_plane);
      }
    }
  }

  // Only their store says which lane has which value of a matrix.
  for (var j = 0u; j < RP; j++) {
    for (var i = 0u; i < RC; i++) {
      subgroupMatrixStore<row_major>(&y_shared[team], 0, acc[i * RP + j], N);
      workgroupBarrier();
      for (var e = lane % S; e < M * N; e += S) {
        let q = q0 + mine_q + j * N + e % N;
        let channel = c0 + mine_c + i * M + e / N;
        if (q < total && channel < p.out_group) {
          let o = i32(q % pixels);
          let at = vec3u(vec3i(o / (count.y * count.z), o / count.z % count.y, o % count.z) * s.output + r);
          let to = (at.x * u32(p.out_size.y) + at.y) * u32(p.out_size.z) + at.z;
          let c = g * p.out_group + channel;
          y[(q / pixels * p.out_channels + c) * out_plane + to] = finished(y_shared[team][e] + bias_of(c));
        }
      }
      workgroupBarrier();
    }
  }
}
