// Batched matrix product  y[z] = a[z] · b[z] (+ bias along the columns)  through shared memory, for hardware adapters: a workgroup of MG * NG lanes owns
// MG * RM groups of four rows times NG * RN groups of four columns and walks the terms in steps of STEP; a lane multiplies RM * 4 rows by RN * 4 columns. What the
// next step needs is loaded while this one multiplies.
// uses lib/grid lib/matmul lib/single

const ROWS = MG * RM;      // groups of four
const COLUMNS = NG * RN;
const LANES = MG * NG;
// Terms that the lanes fetch at once: a whole number of steps of them makes STEP.
const A_TERMS = LANES / ROWS;
const B_TERMS = LANES / COLUMNS;
const A_FETCHES = STEP / A_TERMS;
const B_FETCHES = STEP / B_TERMS;
// One vec4 more than the tile: lanes that differ in their term then store to different banks.
const A_PITCH = ROWS + 1u;
const B_PITCH = COLUMNS + 1u;

var<workgroup> a_shared: array<vec4f, STEP * A_PITCH>;
var<workgroup> b_shared: array<vec4f, STEP * B_PITCH>;

// Term and group of four that a lane fetches first: neighboring lanes follow the operand's adjacent elements.
fn slot(lane: u32, terms: u32, groups: u32, inner_adjacent: bool) -> vec2u {
  return select(vec2u(lane / groups, lane % groups), vec2u(lane % terms, lane / terms), inner_adjacent);
}

fn fetch_a(index: vec4u) -> array<vec4f, A_FETCHES> {
  var v: array<vec4f, A_FETCHES>;
  for (var f = 0u; f < A_FETCHES; f++) {
    let i = index + f * A_TERMS * p.a_inner;
    v[f] = vec4f(a[i.x], a[i.y], a[i.z], a[i.w]);
  }
  return v;
}

fn fetch_b(index: vec4u) -> array<vec4f, B_FETCHES> {
  var v: array<vec4f, B_FETCHES>;
  for (var f = 0u; f < B_FETCHES; f++) {
    let i = index + f * B_TERMS * p.b_inner;
    v[f] = vec4f(b[i.x], b[i.y], b[i.z], b[i.w]);
  }
  return v;
}

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let at = tile(linear_group(group, groups), ROWS * 4u, COLUMNS * 4u);
  let z = at.z;
  if (z >= p.batches * p.slabs) {
    return;
  }
  let m0 = at.x * ROWS * 4u;
  let n0 = at.y * COLUMNS * 4u;
  let start = operands(z % p.batches);
  let first = z / p.batches * p.slab;
  let last = min(first + p.slab, p.inner);
  let a_slot = slot(lane, A_TERMS, ROWS, p.a_inner == 1u);
  let b_slot = slot(lane, B_TERMS, COLUMNS, p.b_inner == 1u);
  let mine_m = lane / NG;
  let mine_n = lane % NG;

  // Rows and columns beyond the end repeat the last one and are not stored.
  let four = vec4u(0u, 1u, 2u, 3u);
  let am = min(vec4u(m0 + a_slot.y * 4u) + four, vec4u(p.rows - 1u)) * p.a_row + start.x + (first + a_slot.x) * p.a_inner;
  let bn = min(vec4u(n0 + b_slot.y * 4u) + four, vec4u(p.columns - 1u)) * p.b_column + start.y + (first + b_slot.x) * p.b_inner;

  var a_next = fetch_a(am);
  var b_next = fetch_b(bn);
  var acc: array<vec4f, 4u * RM * RN>;
  var sum: array<vec4f, 4u * RM * RN>;
  let in_block = select(max(1u, last - first), BLOCK, BLOCKED != 0u);
  let blocks = (last - first + in_block - 1u) / in_block;
  for (var block = 0u; block < blocks; block++) {
    let begin = first + block * in_block;
    let steps = (min(in_block, last - begin) + STEP - 1u) / STEP;
    for (var step = 0u; step < steps; step++) {
      let k = begin + step * STEP;
      for (var f = 0u; f < A_FETCHES; f++) {
        let t = a_slot.x + f * A_TERMS;
        a_shared[t * A_PITCH + a_slot.y] = select(vec4f(0.0), a_next[f], k + t < last);
      }
      for (var f = 0u; f < B_FETCHES; f++) {
        let t = b_slot.x + f * B_TERMS;
        b_shared[t * B_PITCH + b_slot.y] = select(vec4f(0.0), b_next[f], k + t < last);
      }
      workgroupBarrier();
      // Behind the last step this reads what is not used.
      a_next = fetch_a(am + (k + STEP - first) * p.a_inner);
      b_next = fetch_b(bn + (k + STEP - first) * p.b_inner);
      for (var t = 0u; t < STEP; t++) {
        var bv: array<vec4f, RN>;
        for (var j = 0u; j < RN; j++) {
          bv[j] = b_shared[mine_n + (t * B_PITCH + j * NG)];
        }
        for (var i = 0u; i < RM; i++) {
          let av = a_shared[mine_m + (t * A_PITCH + i * MG)];
          for (var n = 0u; n < 4u; n++) {
            for (var j = 0u; j < RN; j++) {
              let at = (i * 4u + n) * RN + j;
              acc[at] = fma(vec4f(av[n]), bv[j], acc[at]);
            }
          }
        }
      }
      workgroupBarrier();
    }
    if (BLOCKED != 0u) {
      for (var i = 0u; i < 4u * RM * RN; i++) {
        sum[i] += acc[i];
        acc[i] = vec4f(0.0);
      }
    }
  }

  for (var i = 0u; i < 4u * RM; i++) {
    for (var j = 0u; j < 4u * RN; j++) {
      let at = i * RN + j / 4u;
      let m = m0 + (mine_m + i / 4u * MG) * 4u + i % 4u;
      let n = n0 + (mine_n + j / 4u * NG) * 4u + j % 4u;
      store(z, m, n, sum[at][j % 4u] + acc[at][j % 4u]);
    }
  }
}
