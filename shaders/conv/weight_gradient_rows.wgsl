// Weight gradient for software adapters, as conv/weight_gradient.wgsl, but a thread owns all KW taps of a row (dilation 1 and stride SW along W) for PARTS · PC channels of a
// times TB of b: b slides past in a window, read once for all taps. What is said in conv/rows.wgsl of llvmpipe holds here: of a, which all
// lanes need alike, each of eight lanes reads another value, and shuffles hand them around. CPU time
// against conv/weight_gradient.wgsl (2 cores, f32): 3.0 times less for 4x32 -> 64x128² k3, 3.7 for 32 -> 32 at 32³ k5, 4.3 for 1 -> 16 at 64³ stride 2.
// uses lib/grid lib/conv_runs lib/single

const THREADS = 8u;
// 1: slabs have several blocks.
override BLOCKED: u32;

const TA = PC * PARTS;
// Positions of a turn, the window of b that they see, and how much of it the next turn sees too.
const P = 4u;
const NV = (P - 1u) * SW + KW;
const KEPT = KW - SW;
// The second to fourth part, if there are so many.
const P1 = min(1u, PARTS - 1u);
const P2 = min(2u, PARTS - 1u);
const P3 = min(3u, PARTS - 1u);
// Vectors of eight lanes with the values of a of a turn.
const AV = (TA * P + 7u) / 8u;

alias Part = array<array<array<f32, KW>, TB>, PC>;

// The loops around it end together for all lanes of a subgroup (subgroupAny), which no compiler sees.
@diagnostic(off, subgroup_uniformity)
fn multiply(acc: ptr<function, Part>, v: ptr<function, array<array<f32, NV>, TB>>, av: ptr<function, array<f32, AV>>, part: u32) {
  for (var i = 0u; i < PC; i++) {
    var factor: array<f32, P>;
    for (var o = 0u; o < P; o++) {
      let f = (part * PC + i) * P + o;
      factor[o] = subgroupShuffle((*av)[f / 8u], f % 8u);
    }
    for (var j = 0u; j < TB; j++) {
      for (var t = 0u; t < KW; t++) {
        var s = (*acc)[i][j][t];
        for (var o = 0u; o < P; o++) {
          s = fma((*v)[j][o * SW + t], factor[o], s);
        }
        (*acc)[i][j][t] = s;
      }
    }
  }
}

// Adds sums to those of blocks and begins anew.
fn raise(sum: ptr<function, Part>, acc: ptr<function, Part>) {
  for (var i = 0u; i < PC; i++) {
    for (var j = 0u; j < TB; j++) {
      for (var t = 0u; t < KW; t++) {
        (*sum)[i][j][t] += (*acc)[i][j][t];
        (*acc)[i][j][t] = 0.0;
      }
    }
  }
}

fn raise_all(sum: ptr<function, array<Part, PARTS>>, acc: ptr<function, array<Part, PARTS>>) {
  raise(&(*sum)[0], &(*acc)[0]);
  if (PARTS > 1u) { raise(&(*sum)[P1], &(*acc)[P1]); }
  if (PARTS > 2u) { raise(&(*sum)[P2], &(*acc)[P2]); }
  if (PARTS > 3u) { raise(&(*sum)[P3], &(*acc)[P3]); }
}

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) id: vec3u, @builtin(num_workgroups) ids: vec3u, @builtin(local_invocation_index) lane: u32,
  @builtin(subgroup_invocation_id) share: u32) {
  let group = place(linear_group(id, ids));
  if (group.z >= p.slabs) {
    return;
  }
  // Taps of D and H, and tiles of b-channels. All lanes run to the end, for the sake of the shuffles.
  let row_taps = u32(p.taps.x * p.taps.y);
  let t = group.x * THREADS + lane;
  let own = tap_and_tile(t, row_taps, (p.b_group + TB - 1u) / TB);
  let tap = i32(own.x);
  let b0 = own.y * TB;
  let b_end = select(b0, min(b0 + TB, p.b_group), own.x < row_taps);
  // A tile of TA channels stays inside its group.
  let tiles = (p.a_group + TA - 1u) / TA;
  let g = group.y / tiles;
  let a0 = group.y % tiles * TA;
  let at = vec2i(tap / p.taps.y, tap % p.taps.y) * p.dilation.xy - p.padding.xy;
  let a_plane = u32(p.a_size.x * p.a_size.y * p.a_size.z);
  let b_plane = u32(p.b_size.x * p.b_size.y * p.b_size.z);
  let width = u32(p.a_size.z);
  // The channel and position of a that this lane reads for all.
  let own_channel = a0 + share % 8u / P;
  let own_place = share % P;

  var acc: array<Part, PARTS>;
  var sum: array<Part, PARTS>;
  let last = min((group.z + 1u) * p.slab, p.rows);
  var in_block = 0u;
  let first = group.z * p.slab;
  var run = run_of(first);
  for (var row = first; row < last; row++) {
    if (BLOCKED != 0u) {
      if (in_block == p.block) {
        raise_all(&sum, &acc);
        in_block = 0u;
      }
      in_block++;
    }
    let bd = run.d * p.stride.x + at.x;
    let bh = run.h * p.stride.y + at.y;
    let ok = b0 < b_end && bd >= 0 && bd < p.b_size.x && bh >= 0 && bh < p.b_size.y;
    // Of a small input few taps reach a row: one of 5 along an axis of one element.
    let end = select(run.start, min(run.start + p.segment, width), subgroupAny(ok));
    let ia = run.n * p.a_pitch + (g * p.a_group + own_channel) * a_plane + u32(run.d * p.a_size.y + run.h) * width + own_place;
    let ib = i32(run.n * p.b_pitch + (g * p.b_group + b0) * b_plane) + (bd * p.b_size.y + bh) * p.b_size.z;
    var bw = i32(run.start * SW) - p.padding.z;
    var v: array<array<f32, NV>, TB>;
    for (var m = 0u; m < KEPT; m++) {
      let inside = ok && bw >= 0 && bw < p.b_size.z;
      for (var j = 0u; j < TB; j++) {
        v[j][m] = select(0.0, f32(b[ib + bw + i32(j * b_plane)]), inside);
      }
      bw++;
    }
    for (var o = run.start; o < end; o += P) {
      for (var m = 0u; m < P * SW; m++) {
        let inside = ok && bw >= 0 && bw < p.b_size.z;
        for (var j = 0u; j < TB; j++) {
          v[j][KEPT + m] = select(0.0, f32(b[ib + bw + i32(j * b_plane)]), inside);
        }
        bw++;
      }
      var av: array<f32, AV>;
      for (var q = 0u; q < AV; q++) {
        let c = own_channel + q * (8u / P);
        av[q] = select(0.0, f32(a[ia + o + q * (8u / P) * a_plane]), o + own_place < end && c < p.a_group);
      }
      multiply(&acc[0], &v, &av, 0u);
      if (PARTS > 1u) { multiply(&acc[P1], &v, &av, 1u); }
      if (PARTS > 2u) { multiply(&acc[P2], &v, &av, 2u); }
      if (PARTS > 3u) { multiply(&acc[P3], &v, &av, 3u); }
      for (var j = 0u; j < TB; j++) {
        for (var m = 0u; m < KEPT; m++) {
          v[j][m] = v[j][P * SW + m];
        }
      }
    }
    run = next_run(run);
  }

  if (BLOCKED != 0u) {
    raise_all(&acc, &sum);
  }
  // A loop over places keeps the program short, and the sums in memory, where they are aligned; as spilled registers they would not be.
  let tap_count = row_taps * KW;
  for (var i = 0u; i < min(TA, p.a_group - a0); i++) {
    for (var j = b0; j < b_end; j++) {
      let to = ((group.z * p.a_channels + g * p.a_group + a0 + i) * p.b_group + j) * tap_count + u32(tap) * KW;
      for (var k = 0; k < p.taps.z; k++) {
        partial[to + u32(k)] = acc[i / PC][i % PC][j - b0][k];
      }
    }
  }
}
