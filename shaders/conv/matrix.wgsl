// Convolution, transposed convolution and the input gradients of both on the matrix units of a GPU: an implicit matrix product of output channels by positions as
// in conv/tile.wgsl, of f16 values with f32 sums, from weights that conv/pack_matrix.wgsl put in order. SC by SP subgroups of S lanes each multiply RC by RP matrices of
// M channels by N positions. What K · KS input channels give to the TW taps of a row, DW places apart, is one window in shared memory, which each tap reads from another
// place on. Rows of outputs lie p.gap places apart for it, so that what reaches over the end of a row finds zeros there. Weights are read from where they lie, since the
// lines of a matrix follow each other there.
// chooses lib/one_place lib/two_places
// uses lib/grid lib/conv lib/conv_places lib/conv_taps

@group(0) @binding(2) var<storage, read> w: array<f16>;

// 1: the channels of a group are no multiple of a step.
override TAIL: u32;

const CHANNELS = SC * RC * M;
const RUN = RP * N;                    // places of a subgroup, of whose window HALO more lie behind
const LANES = SC * SP * S;
const STEP = KS * K;
const PLACES = SP * RUN / WIDE;
const FETCHES = STEP * PLACES / LANES; // channels that a lane fetches of its place
const BEHIND = max(1u, HALO / WIDE);
const BEHINDS = SP * BEHIND;
const REST = (STEP * SP * HALO / WIDE + LANES - 1u) / LANES; // and of one behind a run
const RESTS = max(1u, REST);
const PITCH = STEP + 8u;               // places then begin in different banks
// A lane puts away so many channels side by side, of a place up to the last one of its kind.
const UNIT = min(8u, FETCHES);
const LAST_UNIT = ((RUN - WIDE) * PITCH + STEP - FETCHES) / UNIT;
const LAST_BEHIND = (RUN + HALO - WIDE) * PITCH + STEP - 1u;
// Weights that are loaded before the values of the next step: of a single tap all, since no others come after these values.
const FIRST = select(1u, KS, TW == 1u);
// Subgroups that write their results at once.
const AT_ONCE = max(1u, SC * SP / 2u);

// Each subgroup reads its matrices from an array of its own, at constant offsets, so that nothing has to check whether they lie inside.
var<workgroup> x_shared: array<array<f16, (RUN + HALO) * PITCH>, SP>;
var<workgroup> y_shared: array<array<f32, M * N>, AT_ONCE>;

// Places of a phase: `count` outputs along each axis, of rows that begin `pitch` places apart.
struct Places {
  count: vec3i,
  pitch: i32,
  pixels: u32,
  total: u32,
}

fn in_sample(place: u32, to: Places) -> vec3i {
  return on_axes(place % to.pixels, vec3i(to.count.xy, to.pitch));
}

// Where a lane fetches, in units of X, and which taps lie in the input there.
struct Source {
  start: u32,
  reached: u32,
}

fn source(place: u32, channel: u32, to: Places, input: vec3i, taps: PhaseTaps) -> Source {
  // Beyond the end lies what the last row reaches: zeros.
  let q = min(place, to.total - WIDE);
  let at = in_sample(q, to) * input + taps.reach;
  let plane = u32(p.in_size.x * p.in_size.y * p.in_size.z);
  let start = i32(q / to.pixels * p.x_pitch + channel * plane) + place_in_x(at);
  return Source(u32(start >> (WIDE - 1u)), select(0u, reached_bits(at, taps), place < to.total));
}

// Channels from c on, of one row of taps, the nth.
struct Step {
  c: u32,
  nth: u32,
  tap: Tap,
}

fn after(step: Step, tap_count: u32) -> Step {
  let more = step.nth + 1u < tap_count;
  let nth = select(0u, step.nth + 1u, more);
  return Step(select(step.c + STEP, step.c, more), nth, tap_at(nth));
}

// What a lane has of a step.
struct Fetched {
  own: array<X, FETCHES>,
  behind: array<X, RESTS>,
}

fn fetch(step: Step, own: u32, behind: u32, in_plane: u32) -> Fetched {
  let at = u32(i32(step.tap.x) >> (WIDE - 1u)) + step.c * in_plane;
  var v: Fetched;
  // The first one last: who waits for it waits for all.
  for (var f = 0u; f < REST; f++) {
    v.behind[f] = x[behind + at + f * in_plane];
  }
  for (var n = 0u; n < FETCHES; n++) {
    let f = FETCHES - 1u - n;
    v.own[f] = x[own + at + f * in_plane];
  }
  return v;
}

// Where it goes: subgroup and place, of which `put` says that they lie inside. A compiler would check each store.
struct To {
  column: u32,
  place: u32,
  part: u32,    // its first channel
  reached: u32, // taps that lie in the input there
}

fn put(v: Fetched, step: Step, own: To, behind: To) {
  let inside = (own.reached & step.tap.bits) == step.tap.bits;
  for (var f = 0u; f < FETCHES; f++) {
    let counts = inside && (TAIL == 0u || step.c + own.part + f < p.in_group);
    let to = min(own.place, LAST_UNIT) * UNIT + f;
    let w = kept(v.own[f], counts);
    x_shared[min(own.column, SP - 1u)][to] = nth(w, 0u);
    if (WIDE > 1u) {
      x_shared[min(own.column, SP - 1u)][to + PITCH] = nth(w, 1u);
    }
  }
  let rest_inside = (behind.reached & step.tap.bits) == step.tap.bits;
  for (var f = 0u; f < REST; f++) {
    let counts = rest_inside && (TAIL == 0u || step.c + behind.part + f < p.in_group);
    if (LANES / BEHINDS * REST == STEP || behind.part + f < STEP) {
      let to = min(behind.place + f, LAST_BEHIND);
      let w = kept(v.behind[f], counts);
      x_shared[min(behind.column, SP - 1u)][to] = nth(w, 0u);
      if (WIDE > 1u) {
        x_shared[min(behind.column, SP - 1u)][to + PITCH] = nth(w, 1u);
      }
    }
  }
}

alias Sums = array<subgroup_matrix_result<f32, N, M>, RC * RP>;
alias Weights = array<subgroup_matrix_left<f16, K, M>, RC>;

fn weights(at: u32, t: u32) -> Weights {
  var ws: Weights;
  for (var i = 0u; i < RC; i++) {
    ws[i] = subgroupMatrixLoad<subgroup_matrix_left<f16, K, M>, row_major>(&w, (at + i * M) * STEP + t * K, STEP);
  }
  return ws;
}

fn multiply(acc: ptr<function, Sums>, ws: Weights, u: u32, t: u32, mine: u32) {
  for (var j = 0u; j < RP; j++) {
    let xs = subgroupMatrixLoad<subgroup_matrix_right<f16, N, K>, col_major>(&x_shared[min(mine, SP - 1u)], (j * N + SHIFT + u * DW) * PITCH + t * K, PITCH);
    for (var i = 0u; i < RC; i++) {
      (*acc)[i * RP + j] = subgroupMatrixMultiplyAccumulate(ws[i], xs, (*acc)[i * RP + j]);
    }
  }
}

@compute @workgroup_size(LANES) @subgroup_size(S)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32, @builtin(subgroup_id) team: u32) {
  let s = steps();
  let id = linear_group(group, groups);
  let r = phase(id, s.phases);
  let tile = id / p.across % p.tiles;
  let count = max(vec3i(0), (p.out_size.xyz - r + s.output - 1) / s.output);
  let pitch = count.z + i32(p.gap);
  let pixels = u32(count.x * count.y * pitch);
  let to = Places(count, pitch, pixels, pixels * p.samples);
  let q0 = id % p.across * SP * RUN;
  if (q0 >= to.total || r.x >= s.phases.x) {
    return;
  }
  // A tile of channels stays inside its group.
  let group_tiles = (p.out_group + CHANNELS - 1u) / CHANNELS;
  let g = tile / group_tiles;
  let c0 = tile % group_tiles * CHANNELS;
  let in_plane = u32(p.in_size.x * p.in_size.y * p.in_size.z) / WIDE;
  let out_plane = u32(p.out_size.x * p.out_size.y * p.out_size.z);

  var taps = taps_of(r, s);
  if (TW > 1u) {
    // One entry for a row of taps, which begins with the leftmost.
    taps.reach.z += min(0, i32(TW - 1u) * taps.stride.z);
    taps.count.z = 1u;
  }
  taps.reach.z -= i32(SHIFT);
  let tap_count = taps.count.x * taps.count.y * taps.count.z;
  list_taps(taps, s, lane, LANES);
  workgroupBarrier();

  // What this lane fetches: always the same place, and FETCHES channels of each step; and REST of one behind a run.
  let column = lane % PLACES / (RUN / WIDE);
  let place = lane % (RUN / WIDE) * WIDE;
  let part = lane / PLACES * FETCHES;
  let mine = source(q0 + column * RUN + place, g * p.in_group + part, to, s.input, taps);
  let own = To(column, (place * PITCH + part) / UNIT, part, mine.reached);
  let rest_column = lane % BEHINDS / BEHIND;
  let rest_place = RUN + lane % BEHIND * WIDE;
  let rest_part = lane / BEHINDS * REST;
  let more = source(q0 + rest_column * RUN + rest_place, g * p.in_group + rest_part, to, s.input, taps);
  let behind = To(rest_column, rest_place * PITCH + rest_part, rest_part, more.reached);
  // And what its subgroup multiplies. Where the taps go down, the last of a row lies leftmost.
  let mine_c = team / SP * RC * M;
  let mine_x = team % SP;
  let down = TW > 1u && p.transposed != 0u;
  let w_start = g * p.weight_group + c0 + mine_c + select(0u, (TW - 1u) * p.weight_in, down); // rows
  let w_tap = select(p.weight_in, ~p.weight_in + 1u, down);
  let w_channels = u32(p.taps.x * p.taps.y * p.taps.z) * p.weight_in;

  var step = Step(0u, 0u, tap_at(0u));
  var now = fetch(step, mine.start, more.start, in_plane);
  var acc: Sums;
  for (var i = 0u; i < RC * RP; i++) {
    acc[i] = subgroup_matrix_result<f32, N, M>(0.0); // left to itself, Mesa 25 takes what lies there
  }
  let last = tap_count * ((p.in_group + STEP - 1u) / STEP);
  for (var k = 0u; k < last; k++) {
    put(now, step, own, behind);
    workgroupBarrier();
    let w_at = w_start + (step.tap.w * p.weight_in + step.c / STEP * w_channels);
    // Behind the last step this reads what is not used.
    step = after(step, tap_count);
    var first: array<Weights, FIRST>;
    for (var t = 0u; t < FIRST; t++) {
      first[t] = weights(w_at, t);
    }
    for (var t = 0u; t < FIRST; t++) {
      multiply(&acc, first[t], 0u, t, mine_x);
    }
    // After weights: what is loaded later is waited for later.
    now = fetch(step, mine.start, more.start, in_plane);
    for (var n = FIRST; n < KS * TW; n++) {
      multiply(&acc, weights(w_at + n % TW * w_tap, n / TW), n % TW, n / TW, mine_x);
    }
    workgroupBarrier();
  }

  // Only their store says which lane has which value of a matrix.
  for (var j = 0u; j < RP; j++) {
    for (var i = 0u; i < RC; i++) {
      for (var turn = 0u; turn < SC * SP; turn += AT_ONCE) {
        let writes = team >= turn && team < turn + AT_ONCE;
        if (writes) {
          subgroupMatrixStore<row_major>(&y_shared[team % AT_ONCE], 0, acc[i * RP + j], N);
        }
        workgroupBarrier();
        for (var e = lane % S; e < M * N && writes; e += S) {
          let q = q0 + mine_x * RUN + j * N + e % N;
          let o = in_sample(q, to);
          let channel = c0 + mine_c + i * M + e / N;
          if (q < to.total && o.z < count.z && channel < p.out_group) {
            let out = place_in_y(o, s, r);
            let c = g * p.out_group + channel;
            store(q / to.pixels, c * out_plane + out, y_shared[team % AT_ONCE][e] + bias_of(c));
          }
        }
        workgroupBarrier();
      }
    }
  }
}
