// Weight gradient of convolution on the matrix units of a GPU: per tap a matrix product of a-channels by b-channels over positions as in
// conv/weight_gradient_tile.wgsl, of f16 values with f32 sums. SA by SB subgroups of S lanes each multiply RA by RB matrices of M a-channels by N b-channels. Lines
// are cut in runs of RUN positions, the last one filled up with zeros, and KS · K positions of a slab of them are a step, so that a lane fetches what lies side by side.
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
const PITCH = STEP + 8u; // channels then begin in different banks

// A matrix is read from an array of its own, at a constant offset, so that nothing has to check whether it lies inside.
var<workgroup> a_shared: array<array<f16, M * PITCH>, SA * RA>;
var<workgroup> b_shared: array<array<f16, N * PITCH>, SB * RB>;
var<workgroup> sum_shared: array<array<f32, M * N>, SA * SB>;

@compute @workgroup_size(LANES) @subgroup_size(S)
fn main(@builtin(workgroup_id) id: vec3u, @builtin(num_workgroups) ids: vec3u, @builtin(local_invocation_index) lane: u32, @builtin(subgroup_id) team: u32) {
  let group = place(linear_group(id, ids));
  if (group.z >= p.slabs) {
    return;
  }
  let tap_count = u32(p.taps.x * p.taps.y * p.taps.z);
  let tap = i32(group.x % tap_count);
  let b0 = group.x / tap_count * B_CHANNELS;
  // A tile of channels stays inside its group.
  let tiles = (p.a_group + A_CHANNELS - 1u) / A_CHANNELS;
  let g = group.y / tiles;
  let a0 = group.y % tiles * A_CHANNELS;
  let reach = vec3i(tap / (p.taps.y * p.taps.z), tap / p.taps.z % p.taps.y, tap % p.taps.z) * p.dilation.xyz - p.padding.xyz;
  let a_plane = u32(p.a_size.x * p.a_size.y * p.a_size.z);
  let b_plane = u32(p.b_size.x * p.b_size.y * p.b_size.z);
  let first = group.z * p.slab;
  let last = min(first + p.slab, p.rows);

  // Neighbouring lanes fetch neighbouring runs. Channels behind the last one are read from what follows, and their results not stored.
  let t = lane % RUNS;
  let m = lane / RUNS;
  let width = i32(p.segments * RUN);
  let on = way(STEP, width, reach);
  var run = first + t;
  let here = place_of(position(run * RUN, width));
  let tapped = u32((reach.x * p.b_size.y + reach.y) * p.b_size.z + reach.z);
  var now = Place(
    here.at + reach,
    here.a + (g * p.a_group + a0 + m) * a_plane,
    here.b + (g * p.b_group + b0 + m) * b_plane + tapped,
  );
  // Places of a line that both sides have.
  let ends = max(0, min(p.b_size.z, p.a_size.z * p.stride.z + reach.z));

  let mine_a = team / SB * RA;
  let mine_b = team % SB * RB;
  var acc: array<subgroup_matrix_result<f32, N, M>, RA * RB>;
  let steps = (last - first + RUNS - 1u) / RUNS;
  for (var k = 0u; k < steps; k++) {
    let outside = run >= last || any(vec2u(now.at.xy) >= vec2u(p.b_size.xy)); // below zero is above all as u32
    let end = u32(select(ends, 0, outside));
    for (var f = 0u; f < A_FETCHES; f++) {
      let c = m + f * AT_ONCE;
      for (var e = 0u; e < RUN; e++) {
        let counts = u32(now.at.z) + e * SW < end;
        a_shared[c / M][c % M * PITCH + t * RUN + e] = select(0.0h, a[now.a + f * AT_ONCE * a_plane + e], counts);
      }
    }
    for (var f = 0u; f < B_FETCHES; f++) {
      let c = m + f * AT_ONCE;
      for (var e = 0u; e < RUN; e++) {
        let counts = u32(now.at.z) + e * SW < end;
        b_shared[c / N][c % N * PITCH + t * RUN + e] = select(0.0h, b[now.b + f * AT_ONCE * b_plane + e * SW], counts);
      }
    }
    workgroupBarrier();
    now = moved(now, on);
    run += RUNS;
    for (var t = 0u; t < KS; t++) {
      var bs: array<subgroup_matrix_right<f16, N, K>, RB>;
      for (var j = 0u; j < RB; j++) {
        bs[j] = subgroupMatrixLoad<subgroup_matrix_right<f16, N, K>, col_major>(&b_shared[mine_b + j], t * K, PITCH);
      }
      for (var i = 0u; i < RA; i++) {
        let left = subgroupMatrixLoad<subgroup_matrix_left<f16, K, M>, row_major>(&a_shared[mine_a + i], t * K, PITCH);
        for (var j = 0u; j < RB; j++) {
          acc[i * RB + j] = subgroupMatrixMultiplyAccumulate(left, bs[j], acc[i * RB + j]);
        }
      }
    }
    workgroupBarrier();
  }

  // Only their store says which lane has which value of a matrix.
  for (var i = 0u; i < RA; i++) {
    for (var j = 0u; j < RB; j++) {
      subgroupMatrixStore<row_major>(&sum_shared[team], 0u, acc[i * RB + j], N);
      workgroupBarrier();
      for (var e = lane % S; e < M * N; e += S) {
        let ca = a0 + (mine_a + i) * M + e / N;
        let cb = b0 + (mine_b + j) * N + e % N;
        if (ca < p.a_group && cb < p.b_group) {
          partial[((group.z * p.a_channels + g * p.a_group + ca) * p.b_group + cb) * tap_count + u32(tap)] = sum_shared[team][e];
        }
      }
      workgroupBarrier();
    }
  }
}
