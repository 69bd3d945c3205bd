// Batched matrix product as matmul/tile.wgsl on the matrix units of a GPU, of f16 values with f32 sums: SM by SN subgroups of S lanes each multiply RM by RN matrices of
// M rows by N columns, in steps of KS · K terms. Both operands go through shared memory, terms side by side; what the next step needs is loaded while this one multiplies.
// AK and BK are 1 where neighbors of an operand are terms of one line (row of a, column of b), and 0 where they are lines of one term: eight neighbors begin at a multiple
// of eight, and there are eight terms, or a multiple. Lines behind the last one are read from what follows, and their results not stored.
// uses lib/eight_places lib/grid lib/matmul

const ROWS = SM * RM * M;
const COLUMNS = SN * RN * N;
const LANES = SM * SN * S;
const STEP = KS * K;
const PITCH = STEP + 8u; // rows and columns then begin in different banks
const A_LINES = RM * M;  // of a subgroup
const B_LINES = RN * N;
const AL = 1u - AK;
const BL = 1u - BK;

// Of each operand a lane fetches so many eights: of terms, this many lines apart, or of lines, of one term after the other.
const A_FETCHES = ROWS * STEP / WIDE / LANES;
const B_FETCHES = COLUMNS * STEP / WIDE / LANES;
const APART = LANES * WIDE / STEP;
// Of lines, four lanes fetch neighbors, and the next lanes other terms of them: a row of memory goes to several banks then.
const A_GROUPS = ROWS / WIDE;
const B_GROUPS = COLUMNS / WIDE;
const A_DEEP = min(8u, LANES / A_GROUPS);
const B_DEEP = min(8u, LANES / B_GROUPS);

// Places where a lane may put what it fetches, in units of the terms that it has side by side.
const A_UNIT = WIDE * AK + A_FETCHES * AL;
const B_UNIT = WIDE * BK + B_FETCHES * BL;
const A_PLACES = (min(APART, A_LINES) * AK + (A_LINES - WIDE + 1u) * AL) * PITCH / A_UNIT;
const B_PLACES = (min(APART, B_LINES) * BK + (B_LINES - WIDE + 1u) * BL) * PITCH / B_UNIT;
// Fetches that go to one subgroup, and how many subgroups on the next ones go.
const A_TURN = max(1u, A_LINES / APART * AK + A_FETCHES * AL);
const B_TURN = max(1u, B_LINES / APART * BK + B_FETCHES * BL);
const A_ON = max(1u, APART / A_LINES);
const B_ON = max(1u, APART / B_LINES);
const A_TEAMS = SM - (A_FETCHES - 1u) / A_TURN * A_ON;
const B_TEAMS = SN - (B_FETCHES - 1u) / B_TURN * B_ON;
// Subgroups that write their results at once.
const AT_ONCE = max(1u, SM * SN / 2u);

// Each subgroup reads its matrices from an array of its own, at constant offsets, so that nothing has to check whether they lie inside.
var<workgroup> a_shared: array<array<f16, A_LINES * PITCH>, SM>;
var<workgroup> b_shared: array<array<f16, B_LINES * PITCH>, SN>;
var<workgroup> y_shared: array<array<f32, M * N>, AT_ONCE>;

// What a lane has of a step.
struct Fetched {
  a: array<X, A_FETCHES>,
  b: array<X, B_FETCHES>,
}

fn fetch(at: vec2u, apart: vec2u) -> Fetched {
  var v: Fetched;
  for (var f = 0u; f < A_FETCHES; f++) {
    v.a[f] = a[at.x + f * apart.x];
  }
  for (var f = 0u; f < B_FETCHES; f++) {
    v.b[f] = b[at.y + f * apart.y];
  }
  return v;
}

// Where it goes: subgroup and place, of which a compiler sees that they lie inside. It would check each store.
struct To {
  team: vec2u,
  place: vec2u,
}

fn put(v: Fetched, to: To) {
  for (var f = 0u; f < A_FETCHES; f++) {
    let at = min(to.place.x, A_PLACES - 1u) * A_UNIT + (f % A_TURN) * (APART * PITCH * AK + AL);
    for (var e = 0u; e < WIDE; e++) {
      a_shared[min(to.team.x, A_TEAMS - 1u) + f / A_TURN * A_ON][at + e * (AK + PITCH * AL)] = nth(v.a[f], e);
    }
  }
  for (var f = 0u; f < B_FETCHES; f++) {
    let at = min(to.place.y, B_PLACES - 1u) * B_UNIT + (f % B_TURN) * (APART * PITCH * BK + BL);
    for (var e = 0u; e < WIDE; e++) {
      b_shared[min(to.team.y, B_TEAMS - 1u) + f / B_TURN * B_ON][at + e * (BK + PITCH * BL)] = nth(v.b[f], e);
    }
  }
}

alias Sums = array<subgroup_matrix_result<f32, N, M>, RM * RN>;

fn multiply(acc: ptr<function, Sums>, mine: vec2u) {
  workgroupBarrier();
  for (var t = 0u; t < KS; t++) {
    var rights: array<subgroup_matrix_right<f16, N, K>, RN>;
    for (var j = 0u; j < RN; j++) {
      rights[j] = subgroupMatrixLoad<subgroup_matrix_right<f16, N, K>, col_major>(&b_shared[min(mine.y, SN - 1u)], j * N * PITCH + t * K, PITCH);
    }
    for (var i = 0u; i < RM; i++) {
      let left = subgroupMatrixLoad<subgroup_matrix_left<f16, K, M>, row_major>(&a_shared[min(mine.x, SM - 1u)], i * M * PITCH + t * K, PITCH);
      for (var j = 0u; j < RN; j++) {
        (*acc)[i * RN + j] = subgroupMatrixMultiplyAccumulate(left, rights[j], (*acc)[i * RN + j]);
      }
    }
  }
  workgroupBarrier();
}

@compute @workgroup_size(LANES) @subgroup_size(S)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32, @builtin(subgroup_id) team: u32) {
  let tile = tile(linear_group(group, groups), ROWS, COLUMNS);
  let z = tile.z;
  if (z >= p.batches * p.slabs) {
    return;
  }
  let m0 = tile.x * ROWS;
  let n0 = tile.y * COLUMNS;
  let first_term = z / p.batches * p.slab;
  let last = min(first_term + p.slab, p.inner);
  // Where there are terms of no whole step, zeros come first.
  let steps = (last - first_term + STEP - 1u) / STEP;
  let zeros = steps * STEP - (last - first_term);

  let row = lane / (STEP / WIDE);
  let eighth = lane % (STEP / WIDE);
  let deep = vec2u(A_DEEP, B_DEEP);
  let many = vec2u(A_GROUPS, B_GROUPS);
  let eights = lane % 4u + lane / (4u * deep) % (many / 4u) * 4u;
  let part = lane / 4u % deep + lane / (deep * many) * deep;
  let terms = vec2u(AK, BK) * eighth * WIDE + vec2u(AL, BL) * part * vec2u(A_FETCHES, B_FETCHES);
  let lines = vec2u(AK, BK) * row + vec2u(AL, BL) * eights * WIDE;
  let own = vec2u(A_LINES, B_LINES);
  let to = To(lines / own, (lines % own * PITCH + terms) / vec2u(A_UNIT, B_UNIT));
  let mine = vec2u(team / SN, team % SN);

  // In units of X.
  let inner = vec2u(p.a_inner, p.b_inner);
  let line = vec2u(p.a_row, p.b_column);
  var at = (operands(z % p.batches) + (vec2u(m0, n0) + lines) * line + (first_term + terms) * inner) / WIDE - zeros * inner / WIDE;
  let apart = (APART * line * vec2u(AK, BK) + inner * vec2u(AL, BL)) / WIDE;
  let by = STEP * inner / WIDE;
  var now = fetch(at, apart);
  for (var f = 0u; f < A_FETCHES; f++) {
    now.a[f] = kept(now.a[f], terms.x + f * AL >= zeros);
  }
  for (var f = 0u; f < B_FETCHES; f++) {
    now.b[f] = kept(now.b[f], terms.y + f * BL >= zeros);
  }
  var acc: Sums;
  for (var i = 0u; i < RM * RN; i++) {
    acc[i] = subgroup_matrix_result<f32, N, M>(0.0); // left to itself, Mesa 25 takes what lies there
  }
  // Two steps at a time, so that what one loads lies in other registers than what it puts away. Behind the last step this reads what is not used.
  for (var odd = 0u; odd < steps % 2u; odd++) {
    put(now, to);
    at += by;
    now = fetch(at, apart);
    multiply(&acc, mine);
  }
  for (var pair = 0u; pair < steps / 2u; pair++) {
    put(now, to);
    at += by;
    let next = fetch(at, apart);
    multiply(&acc, mine);
    put(next, to);
    at += by;
    now = fetch(at, apart);
    multiply(&acc, mine);
  }

  // Only their store says which lane has which value of a matrix.
  for (var i = 0u; i < RM; i++) {
    for (var j = 0u; j < RN; j++) {
      for (var turn = 0u; turn < SM * SN; turn += AT_ONCE) {
        let writes = team >= turn && team < turn + AT_ONCE;
        if (writes) {
          subgroupMatrixStore<row_major>(&y_shared[team % AT_ONCE], 0u, acc[i * RN + j], N);
        }
        workgroupBarrier();
        for (var e = lane % S; e < M * N && writes; e += S) {
          store(z, m0 + (mine.x * RM + i) * M + e / N, n0 + (mine.y * RN + j) * N + e % N, y_shared[team % AT_ONCE][e]);
        }
        workgroupBarrier();
      }
    }
  }
}
