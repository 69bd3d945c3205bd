// Batched matrix product as matmul/tile.wgsl on the matrix units of a GPU, of f16 values with f32 sums: SM by SN subgroups of S lanes each multiply RM by RN matrices of
// M rows by N columns, in steps of KS · K terms. Both operands go through shared memory, terms side by side; what the next step needs is loaded while this one multiplies.
// AK and BK are 1 where neighbours of an operand are terms of one line (row of a, column of b), and 0 where they are lines of one term. Lines behind the last one are
// read from what follows, and their results not stored.
// chooses lib/one_place lib/two_places
// uses lib/grid lib/matmul

// 1: there are terms of no whole step.
override TAIL: u32;

const ROWS = SM * RM * M;
const COLUMNS = SN * RN * N;
const LANES = SM * SN * S;
const STEP = KS * K;
const PITCH = STEP + 8u; // rows and columns then begin in different banks
const A_FETCHES = ROWS * STEP / WIDE / LANES;
const B_FETCHES = COLUMNS * STEP / WIDE / LANES;
// From one fetch of a lane to the next: so many lines on where terms are adjacent, else one term.
const APART = LANES * WIDE / STEP;
const AL = 1u - AK;
const BL = 1u - BK;
const A_LINES = RM * M;  // of a subgroup
const B_LINES = RN * N;
const A_TURN = A_LINES / APART;
const B_TURN = B_LINES / APART;

// Each subgroup reads its matrices from an array of its own, at constant offsets, so that nothing has to check whether they lie inside.
var<workgroup> a_shared: array<array<f16, A_LINES * PITCH>, SM>;
var<workgroup> b_shared: array<array<f16, B_LINES * PITCH>, SN>;
var<workgroup> y_shared: array<array<f32, M * N>, SM * SN>;

@compute @workgroup_size(LANES) @subgroup_size(S)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32, @builtin(subgroup_id) team: u32) {
  let at = tile(linear_group(group, groups), ROWS, COLUMNS);
  let z = at.z;
  if (z >= p.batches * p.slabs) {
    return;
  }
  let m0 = at.x * ROWS;
  let n0 = at.y * COLUMNS;
  let start = operands(z % p.batches);
  let first_term = z / p.batches * p.slab;
  let last = min(first_term + p.slab, p.inner);

  let a_line = lane / (STEP / WIDE) * AK + lane % (ROWS / WIDE) * WIDE * AL;
  let a_term = lane % (STEP / WIDE) * WIDE * AK + lane / (ROWS / WIDE) * A_FETCHES * AL;
  let b_line = lane / (STEP / WIDE) * BK + lane % (COLUMNS / WIDE) * WIDE * BL;
  let b_term = lane % (STEP / WIDE) * WIDE * BK + lane / (COLUMNS / WIDE) * B_FETCHES * BL;
  // In shared memory, in terms of which a compiler sees that they lie inside: it would check each store.
  let a_put = (lane / (STEP / WIDE) * AK + lane % (ROWS / WIDE) % (A_LINES / WIDE) * WIDE * AL) * PITCH + a_term;
  let b_put = (lane / (STEP / WIDE) * BK + lane % (COLUMNS / WIDE) % (B_LINES / WIDE) * WIDE * BL) * PITCH + b_term;
  let a_team = lane % (ROWS / WIDE) / (A_LINES / WIDE) * AL;
  let b_team = lane % (COLUMNS / WIDE) / (B_LINES / WIDE) * BL;
  // In units of X.
  var a_at = (start.x + (m0 + a_line) * p.a_row + (first_term + a_term) * p.a_inner) / WIDE;
  var b_at = (start.y + (n0 + b_line) * p.b_column + (first_term + b_term) * p.b_inner) / WIDE;
  let a_apart = (APART * p.a_row * AK + p.a_inner * AL) / WIDE;
  let b_apart = (APART * p.b_column * BK + p.b_inner * BL) / WIDE;
  let mine_m = team / SN;
  let mine_n = team % SN;

  var a_next: array<X, A_FETCHES>;
  var b_next: array<X, B_FETCHES>;
  for (var f = 0u; f < A_FETCHES; f++) {
    a_next[f] = a[a_at + f * a_apart];
  }
  for (var f = 0u; f < B_FETCHES; f++) {
    b_next[f] = b[b_at + f * b_apart];
  }
  var acc: array<subgroup_matrix_result<f32, N, M>, RM * RN>;
  let steps = (last - first_term + STEP - 1u) / STEP;
  for (var step = 0u; step < steps; step++) {
    let terms = last - first_term - step * STEP; // that are left
    for (var f = 0u; f < A_FETCHES; f++) {
      let v = kept(a_next[f], TAIL == 0u || a_term + f * AL < terms);
      let to = a_put + (f % A_TURN * APART * PITCH * AK + f * AL);
      a_shared[a_team + f / A_TURN * AK][to] = first(v);
      if (WIDE > 1u) {
        a_shared[a_team + f / A_TURN * AK][to + AK + PITCH * AL] = second(v);
      }
    }
    for (var f = 0u; f < B_FETCHES; f++) {
      let v = kept(b_next[f], TAIL == 0u || b_term + f * BL < terms);
      let to = b_put + (f % B_TURN * APART * PITCH * BK + f * BL);
      b_shared[b_team + f / B_TURN * BK][to] = first(v);
      if (WIDE > 1u) {
        b_shared[b_team + f / B_TURN * BK][to + BK + PITCH * BL] = second(v);
      }
    }
    workgroupBarrier();
    // Behind the last step this reads what is not used.
    a_at += STEP * p.a_inner / WIDE;
    b_at += STEP * p.b_inner / WIDE;
    for (var f = 0u; f < A_FETCHES; f++) {
      a_next[f] = a[a_at + f * a_apart];
    }
    for (var f = 0u; f < B_FETCHES; f++) {
      b_next[f] = b[b_at + f * b_apart];
    }
    for (var t = 0u; t < KS; t++) {
      var bs: array<subgroup_matrix_right<f16, N, K>, RN>;
      for (var j = 0u; j < RN; j++) {
        bs[j] = subgroupMatrixLoad<subgroup_matrix_right<f16, N, K>, col_major>(&b_shared[mine_n], j * N * PITCH + t * K, PITCH);
      }
      for (var i = 0u; i < RM; i++) {
        let left = subgroupMatrixLoad<subgroup_matrix_left<f16, K, M>, row_major>(&a_shared[mine_m], i * M * PITCH + t * K, PITCH);
        for (var j = 0u; j < RN; j++) {
          acc[i * RN + j] = subgroupMatrixMultiplyAccumulate(left, bs[j], acc[i * RN + j]);
        }
      }
    }
    workgroupBarrier();
  }

  // Only their store says which lane has which value of a matrix.
  for (var i = 0u; i < RM; i++) {
    for (var j = 0u; j < RN; j++) {
      subgroupMatrixStore<row_major>(&y_shared[team], 0u, acc[i * RN + j], N);
      workgroupBarrier();
      for (var e = lane % S; e < M * N; e += S) {
        store(z, m0 + (mine_m * RM + i) * M + e / N, n0 + (mine_n * RN + j) * N + e % N, y_shared[team][e]);
      }
      workgroupBarrier();
    }
  }
}
