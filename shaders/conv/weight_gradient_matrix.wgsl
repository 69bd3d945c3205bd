// Weight gradient of convolution on the matrix units of a GPU: per tap a matrix product of a-channels by b-channels over positions as in
// conv/weight_gradient_tile.wgsl, of f16 values with f32 sums. SA by SB subgroups of S lanes each multiply RA by RB matrices of M a-channels by N b-channels for each of
// TW taps of a row, DW places apart. Lines that both sides have are cut in runs of RUN positions, and KS · K positions of a slab of them are a step: a lane fetches runs of
// a, and of b the window that all taps reach. Each tap has a copy of its part in shared memory, since a matrix is read in whole vectors only where it begins at one.
// chooses lib/one_place lib/two_places lib/eight_places
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
const A_FETCHES_WORDS = A_FETCHES * A_WORDS;
const B_FETCHES_WORDS = B_FETCHES * B_WORDS;
const PITCH = STEP + 8u; // channels then begin in different banks
const A_LINES = RA * M;  // of a subgroup
const B_LINES = RB * N;
// Where runs lie is worked out for so many of them at once: those of STEPS steps, and of one more, which is fetched during the last.
const PLACED = min(64u, LANES);
const STEPS = PLACED / RUNS - 1u;
// What a lane fetches goes to one subgroup, or one of each.
const A_TURN = max(1u, A_LINES / AT_ONCE);
const B_TURN = max(1u, B_LINES / AT_ONCE);
const A_ON = max(1u, AT_ONCE / A_LINES);
const B_ON = max(1u, AT_ONCE / B_LINES);

// 1: a line of a is no whole number of runs.
override TAIL: u32;

// Each subgroup reads its matrices from an array of its own, at constant offsets, so that nothing has to check whether they lie inside.
var<workgroup> a_shared: array<array<f16, A_LINES * PITCH>, SA>;
var<workgroup> b_shared: array<array<f16, TW * B_LINES * PITCH>, SB>;
var<workgroup> sum_shared: array<array<f32, M * N>, SB>;

// Of runs: the first place of their window on the line of b, and addresses in a and b without the channel, in units of X.
var<workgroup> run_shared: array<vec4i, PLACED>;

// What a lane has of a step.
struct Fetched {
  a: array<X, A_FETCHES_WORDS>,
  b: array<X, B_FETCHES_WORDS>,
  left: i32, // of the window on its line
}

struct Source {
  a: u32,
  b: u32,
  a_apart: u32,
  b_apart: u32,
}

fn fetch(run: u32, source: Source) -> Fetched {
  let r = run_shared[min(run, PLACED - 1u)];
  let a_at = source.a + u32(r.y);
  let b_at = source.b + u32(r.z);
  var v: Fetched;
  v.left = r.x;
  for (var n = 1u; n <= A_FETCHES_WORDS; n++) {
    let i = A_FETCHES_WORDS - n;
    v.a[i] = a[a_at + i / A_WORDS * source.a_apart + i % A_WORDS];
  }
  for (var n = 1u; n <= B_FETCHES_WORDS; n++) {
    let i = B_FETCHES_WORDS - n;
    v.b[i] = b[b_at + i / B_WORDS * source.b_apart + i % B_WORDS];
  }
  return v;
}

// Where it goes: subgroup and line there, of which a compiler sees that they lie inside. It would check each store.
struct To {
  a_team: u32,
  a_line: u32,
  b_team: u32,
  b_line: u32,
  run: u32,
}

fn put(v: Fetched, to: To, a_end: i32) {
  let run = min(to.run, RUNS - 1u) * RUN;
  for (var f = 0u; f < B_FETCHES; f++) {
    var window: array<X, B_WORDS>;
    for (var i = 0u; i < B_WORDS; i++) {
      window[i] = v.b[f * B_WORDS + i];
      if (i < SURE || i >= UNSURE) {
        window[i] = kept(window[i], u32(v.left + i32(i * WIDE)) < u32(p.b_size.z)); // below zero is above all as u32
      }
    }
    let team = min(to.b_team, SB - 1u - (B_FETCHES - 1u) / B_TURN * B_ON) + f / B_TURN * B_ON;
    let line = min(to.b_line, min(AT_ONCE, B_LINES) - 1u) + f % B_TURN * AT_ONCE;
    for (var u = 0u; u < TW; u++) {
      for (var e = 0u; e < RUN; e++) {
        let at = SHIFT + u * DW + e * SW;
        b_shared[team][(u * B_LINES + line) * PITCH + run + e] = nth(window[at / WIDE], at % WIDE);
      }
    }
  }
  for (var f = 0u; f < A_FETCHES; f++) {
    let team = min(to.a_team, SA - 1u - (A_FETCHES - 1u) / A_TURN * A_ON) + f / A_TURN * A_ON;
    let line = min(to.a_line, min(AT_ONCE, A_LINES) - 1u) + f % A_TURN * AT_ONCE;
    for (var i = 0u; i < A_WORDS; i++) {
      let w = kept(v.a[f * A_WORDS + i], TAIL == 0u || v.left + i32(i * WIDE * SW) < a_end);
      let at = line * PITCH + run + i * WIDE;
      for (var e = 0u; e < WIDE; e++) {
        a_shared[team][at + e] = nth(w, e);
      }
    }
  }
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
fn keep(acc: ptr<function, Sums>, to: Result, u: u32, lane: u32, team: u32) {
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
  let begin = place_of(vec4i(low.xy, 0, 0));
  let left = reach.z - i32(SHIFT);
  let tapped = (reach.x * p.b_size.y + reach.y) * p.b_size.z + left;
  let source = Source(
    (g * p.a_group + a0 + m) * (a_plane / WIDE),
    (g * p.b_group + b0 + m) * (b_plane / WIDE),
    AT_ONCE * a_plane / WIDE,
    AT_ONCE * b_plane / WIDE,
  );
  let to = To(m / A_LINES, m % A_LINES, m / B_LINES, m % B_LINES, t);
  let a_end = p.a_size.z * i32(SW) + left;

  let mine_a = team / SB % SA;
  let mine_b = team % SB;
  var now: Fetched;
  var acc0: Sums;
  var acc1: Sums;
  var acc2: Sums;
  for (var i = 0u; i < RA * RB; i++) {
    acc0[i] = subgroup_matrix_result<f32, N, M>(0.0); // left to itself, Mesa 25 takes what lies there
    acc1[i] = acc0[i];
    acc2[i] = acc0[i];
  }
  // Runs of no whole step come first, behind zeros.
  let steps = (last - first_run + RUNS - 1u) / RUNS;
  let zeros = steps * RUNS - (last - first_run);
  for (var done = 0u; done < steps; done += STEPS) {
    let run = first_run + (max(done * RUNS + lane, zeros) - zeros);
    let here = place_of(position(run * RUN, lines));
    if (lane < PLACED) {
      run_shared[lane] = vec4i(here.at.z + left, i32(here.a + begin.a) / i32(WIDE), (i32(here.b + begin.b) + tapped) / i32(WIDE), 0);
    }
    workgroupBarrier();
    if (done == 0u) {
      now = fetch(t, source);
      for (var i = 0u; i < A_FETCHES_WORDS; i++) {
        now.a[i] = kept(now.a[i], t >= zeros);
      }
      for (var i = 0u; i < B_FETCHES_WORDS; i++) {
        now.b[i] = kept(now.b[i], t >= zeros);
      }
    }
    let count = min(STEPS, steps - done);
    for (var k = 0u; k < count; k++) {
      put(now, to, a_end);
      workgroupBarrier();
      // Behind the last step this reads what is not used.
      now = fetch((k + 1u) * RUNS + t, source);
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
  }

  let out = Result(g * p.a_group, a0 + mine_a * A_LINES, b0 + mine_b * B_LINES, group.z, u32(tap_row), tap0);
  keep(&acc0, out, 0u, lane, team);
  if (TW > 1u) {
    keep(&acc1, out, 1u, lane, team);
  }
  if (TW > 2u) {
    keep(&acc2, out, 2u, lane, team);
  }
}
