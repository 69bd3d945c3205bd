// Weight gradient of convolution on the matrix units of a GPU: per tap a matrix product of a-channels by b-channels over positions as in
// conv/weight_gradient_tile.wgsl, of f16 values with f32 sums. SA by SB subgroups of S lanes each multiply RA by RB matrices of M a-channels by N b-channels for each of
// TW taps of a row, DW places apart. Lines that both sides have are cut in runs of RUN positions, and KS · K positions of a slab of them are a step: a lane fetches runs of
// a, and of b the window that all taps reach. Each tap has a copy of its part in shared memory, since a matrix is read in whole vectors only where it begins at one.
// chooses lib/one_place lib/two_places
// uses lib/grid lib/conv_weight lib/conv_walk

const A_CHANNELS = SA * RA * M;
const B_CHANNELS = SB * RB * N;
const LANES = SA * SB * S;
const STEP = KS * K;
const RUN = 8u;
const RUNS = STEP / RUN;
// Channels that the lanes fetch at once, and how often they do.
const AT_ONCE = LANES / RUNS;
const A_FETCHES = A_CHANNELS / AT_ONCE;
const B_FETCHES = B_CHANNELS / AT_ONCE;
// In units of X. A window begins SHIFT places before what the first tap reaches, and its words from SURE to UNSURE lie inside of every line.
const A_WORDS = RUN / WIDE;
const B_WORDS = (SHIFT + (RUN - 1u) * SW + (TW - 1u) * DW) / WIDE + 1u;
const PITCH = STEP + 8u; // channels then begin in different banks
const A_LINES = RA * M;  // of a subgroup
const B_LINES = RB * N;

// 1: a line of a is no whole number of runs.
override TAIL: u32;

// Each subgroup reads its matrices from an array of its own, at constant offsets, so that nothing has to check whether they lie inside.
var<workgroup> a_shared: array<array<f16, A_LINES * PITCH>, SA>;
var<workgroup> b_shared: array<array<f16, TW * B_LINES * PITCH>, SB>;
var<workgroup> sum_shared: array<array<f32, M * N>, SB>;

// Addresses in units of X.
fn in_words(place: Place) -> Place {
  return Place(place.at, u32(i32(place.a) >> (WIDE - 1u)), u32(i32(place.b) >> (WIDE - 1u)));
}

// Of a tap, which are variables of their own: Mesa keeps no array of more than 256 bytes a lane in registers, whose loops it unrolls too late.
alias Sums = array<subgroup_matrix_result<f32, N, M>, RA * RB>;

fn multiply(acc: ptr<function, Sums>, lefts: array<subgroup_matrix_left<f16, K, M>, RA>, mine_b: u32, u: u32, t: u32) {
  for (var j = 0u; j < RB; j++) {
    let right = subgroupMatrixLoad<subgroup_matrix_right<f16, N, K>, col_major>(&b_shared[min(mine_b, SB - 1u)], (u * RB + j) * N * PITCH + t * K, PITCH);
    for (var i = 0u; i < RA; i++) {
      (*acc)[i * RB + j] = subgroupMatrixMultiplyAccumulate(lefts[i], right, (*acc)[i * RB + j]);
    }
  }
}

// Where the sums of a subgroup belong.
struct Result {
  group: u32, // its first a-channel
  a: u32,     // channels in the group
  b: u32,
  slab: u32,
  row: u32,   // of taps
  tap: u32,   // the first one
}

// Only the store of a matrix says which lane has which value of it. SB subgroups at a time, since shared memory is full.
fn put(acc: ptr<function, Sums>, to: Result, u: u32, lane: u32, team: u32) {
  for (var i = 0u; i < RA; i++) {
    for (var j = 0u; j < RB; j++) {
      for (var turn = 0u; turn < SA; turn++) {
        let mine = team / SB % SA == turn;
        if (mine) {
          subgroupMatrixStore<row_major>(&sum_shared[team % SB], 0u, (*acc)[i * RB + j], N);
        }
        workgroupBarrier();
        for (var e = lane % S; e < M * N && mine; e += S) {
          let ca = to.a + i * M + e / N;
          let cb = to.b + j * N + e % N;
          if (ca < p.a_group && cb < p.b_group && to.tap + u < u32(p.taps.z)) {
            let row = ((to.slab * p.a_channels + to.group + ca) * p.b_group + cb) * u32(p.taps.x * p.taps.y) + to.row;
            partial[row * u32(p.taps.z) + to.tap + u] = sum_shared[team % SB][e];
          }
        }
        workgroupBarrier();
      }
    }
  }
}

fn one_of(v: X, odd: bool) -> f16 {
  if (odd) {
    return second(v);
  }
  return first(v);
}

@compute @workgroup_size(LANES) @subgroup_size(S)
fn main(@builtin(workgroup_id) id: vec3u, @builtin(num_workgroups) ids: vec3u, @builtin(local_invocation_index) lane: u32, @builtin(subgroup_id) team: u32) {
  let group = place(linear_group(id, ids));
  if (group.z >= p.slabs) {
    return;
  }
  // TW taps of a row, and a tile of channels, which stays inside its group.
  let parts = (u32(p.taps.z) + TW - 1u) / TW;
  let tap_rows = u32(p.taps.x * p.taps.y);
  let tap0 = group.x % parts * TW;
  let tap_row = i32(group.x / parts % tap_rows);
  let b0 = group.x / parts / tap_rows * B_CHANNELS;
  let tiles = (p.a_group + A_CHANNELS - 1u) / A_CHANNELS;
  let g = group.y / tiles;
  let a0 = group.y % tiles * A_CHANNELS;
  let stride = p.stride.xyz;
  let reach = vec3i(tap_row / p.taps.y, tap_row % p.taps.y, i32(tap0)) * p.dilation.xyz - p.padding.xyz;
  let a_plane = u32(p.a_size.x * p.a_size.y * p.a_size.z);
  let b_plane = u32(p.b_size.x * p.b_size.y * p.b_size.z);

  // Lines of a for which the taps reach one of b.
  let low = max(vec3i(0), (stride - 1 - reach) / stride);
  let high = min(p.a_size.xyz, (max(vec3i(0), p.b_size.xyz - reach) + stride - 1) / stride);
  let width = i32(p.segments * RUN);
  let lines = vec3i(max(vec2i(0), (high - low).xy), width);
  let rows = p.rows / max(1u, u32(p.a_size.x * p.a_size.y)) * u32(lines.x * lines.y);
  let first_run = min(group.z * p.slab, rows);
  let last = min(first_run + p.slab, rows);

  // Neighbouring lanes fetch neighbouring runs. Channels behind the last one are read from what follows, and their results not stored.
  let t = lane % RUNS;
  let m = lane / RUNS;
  let walk = way(STEP, lines, vec3i(0));
  let on = Way(in_words(walk.step), in_words(walk.line), in_words(walk.slice), in_words(walk.sample), walk.end);
  var run = first_run + t;
  let here = place_of(position(run * RUN, lines));
  let begin = place_of(vec4i(low.xy, 0, 0));
  let tapped = (reach.x * p.b_size.y + reach.y) * p.b_size.z + reach.z - i32(SHIFT);
  var now = in_words(Place(
    here.at,
    here.a + begin.a + (g * p.a_group + a0 + m) * a_plane,
    here.b + begin.b + (g * p.b_group + b0 + m) * b_plane + u32(tapped),
  ));
  let left = reach.z - i32(SHIFT);
  let a_apart = AT_ONCE * a_plane / WIDE;
  let b_apart = AT_ONCE * b_plane / WIDE;

  let mine_a = team / SB % SA;
  let mine_b = team % SB;
  var a_next: array<X, A_FETCHES * A_WORDS>;
  var b_next: array<X, B_FETCHES * B_WORDS>;
  for (var i = 0u; i < A_FETCHES * A_WORDS; i++) {
    a_next[i] = a[now.a + i / A_WORDS * a_apart + i % A_WORDS];
  }
  for (var i = 0u; i < B_FETCHES * B_WORDS; i++) {
    b_next[i] = b[now.b + i / B_WORDS * b_apart + i % B_WORDS];
  }
  var acc0: Sums;
  var acc1: Sums;
  var acc2: Sums;
  for (var i = 0u; i < RA * RB; i++) {
    acc0[i] = subgroup_matrix_result<f32, N, M>(0.0); // left to itself, Mesa 25 takes what lies there
    acc1[i] = acc0[i];
    acc2[i] = acc0[i];
  }
  let steps = (last - first_run + RUNS - 1u) / RUNS;
  for (var k = 0u; k < steps; k++) {
    // Both sides are cut off, since a zero times what lies elsewhere may be no zero.
    let counts = run < last;
    let a_end = select(0, p.a_size.z * i32(SW), counts);
    let b_end = select(0u, u32(p.b_size.z), counts);
    for (var f = 0u; f < B_FETCHES; f++) {
      var window: array<X, B_WORDS>;
      for (var i = 0u; i < B_WORDS; i++) {
        let inside = u32(now.at.z + left + i32(i * WIDE)) < b_end; // below zero is above all as u32
        window[i] = kept(b_next[f * B_WORDS + i], select(inside, counts, i >= SURE && i < UNSURE));
      }
      let c = m + f * AT_ONCE;
      for (var u = 0u; u < TW; u++) {
        for (var e = 0u; e < RUN; e++) {
          let at = SHIFT + u * DW + e * SW;
          b_shared[c / B_LINES][(u * B_LINES + c % B_LINES) * PITCH + t * RUN + e] = one_of(window[at / WIDE], at % WIDE == 1u);
        }
      }
    }
    for (var f = 0u; f < A_FETCHES; f++) {
      let c = m + f * AT_ONCE;
      for (var i = 0u; i < A_WORDS; i++) {
        let v = kept(a_next[f * A_WORDS + i], now.at.z + i32(TAIL * i * WIDE * SW) < a_end);
        let put = c % A_LINES * PITCH + t * RUN + i * WIDE;
        a_shared[c / A_LINES][put] = first(v);
        if (WIDE > 1u) {
          a_shared[c / A_LINES][put + 1u] = second(v);
        }
      }
    }
    workgroupBarrier();
    // Behind the last step this reads what is not used.
    now = moved(now, on);
    run += RUNS;
    for (var i = 0u; i < A_FETCHES * A_WORDS; i++) {
      a_next[i] = a[now.a + i / A_WORDS * a_apart + i % A_WORDS];
    }
    for (var i = 0u; i < B_FETCHES * B_WORDS; i++) {
      b_next[i] = b[now.b + i / B_WORDS * b_apart + i % B_WORDS];
    }
    for (var t = 0u; t < KS; t++) {
      var lefts: array<subgroup_matrix_left<f16, K, M>, RA>;
      for (var i = 0u; i < RA; i++) {
        lefts[i] = subgroupMatrixLoad<subgroup_matrix_left<f16, K, M>, row_major>(&a_shared[min(mine_a, SA - 1u)], i * M * PITCH + t * K, PITCH);
      }
      multiply(&acc0, lefts, mine_b, 0u, t);
      if (TW > 1u) {
        multiply(&acc1, lefts, mine_b, 1u, t);
      }
      if (TW > 2u) {
        multiply(&acc2, lefts, mine_b, 2u, t);
      }
    }
    workgroupBarrier();
  }

  let out = Result(g * p.a_group, a0 + mine_a * A_LINES, b0 + mine_b * B_LINES, group.z, u32(tap_row), tap0);
  put(&acc0, out, 0u, lane, team);
  if (TW > 1u) {
    put(&acc1, out, 1u, lane, team);
  }
  if (TW > 2u) {
    put(&acc2, out, 2u, lane, team);
  }
}
