// Batched matrix product  y[z] = a[z] · b[z] (+ bias along the columns)  for software adapters with subgroups; conv/rows.wgsl tells how they work. A thread owns
// TM rows by TN columns: eight lanes read a row's value of a each and hand it around by shuffles. Several terms on one load and store of a sum were no faster.
// CPU time against matmul/registers.wgsl, 512³: 1.9 to 2.3 times less, 2.4 with b transposed.
// uses lib/grid lib/matmul lib/single

override WG: u32 = 8u;

const TM = PC * PARTS;
// The second to fourth part, if there are so many.
const P1 = min(1u, PARTS - 1u);
const P2 = min(2u, PARTS - 1u);
const P3 = min(3u, PARTS - 1u);
// Vectors of eight lanes that hold the rows of a term.
const AV = TM / 8u;

// Sums of PC rows. A thread has up to four parts, since Mesa unrolls loops of no more than some 800 instructions.
alias Part = array<array<f32, TN>, PC>;

fn multiply(acc: ptr<function, Part>, v: ptr<function, array<f32, TN>>, k: ptr<function, array<f32, AV>>, part: u32) {
  for (var j = 0u; j < PC; j++) {
    let row = part * PC + j;
    let left = subgroupShuffle((*k)[row / 8u], row % 8u);
    for (var i = 0u; i < TN; i++) {
      (*acc)[j][i] = fma(left, (*v)[i], (*acc)[j][i]);
    }
  }
}

// Adds sums to those of blocks and begins anew.
fn raise(sum: ptr<function, Part>, acc: ptr<function, Part>) {
  for (var j = 0u; j < PC; j++) {
    for (var i = 0u; i < TN; i++) {
      (*sum)[j][i] += (*acc)[j][i];
      (*acc)[j][i] = 0.0;
    }
  }
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32,
  @builtin(subgroup_invocation_id) share: u32) {
  let at = tile(linear_group(group, groups), TM, WG * TN);
  let z = at.z;
  if (z >= p.batches * p.slabs) {
    return;
  }
  let m0 = at.x * TM;
  let n0 = (at.y * WG + lane) * TN;
  let start = operands(z % p.batches);
  let first = z / p.batches * p.slab;
  let last = min(first + p.slab, p.inner);
  // Rows and columns beyond the end repeat the last one and are not stored. All lanes run to the end, for the sake of the shuffles.
  var row: array<u32, AV>;
  for (var i = 0u; i < AV; i++) {
    row[i] = start.x + first * p.a_inner + min(m0 + i * 8u + share % 8u, p.rows - 1u) * p.a_row;
  }
  var column: array<u32, TN>;
  for (var j = 0u; j < TN; j++) {
    column[j] = start.y + first * p.b_inner + min(n0 + j, p.columns - 1u) * p.b_column;
  }

  var acc: array<Part, PARTS>;
  var sum: array<Part, PARTS>;
  for (var begin = first; begin < last; begin += BLOCK) {
    let end = min(begin + BLOCK, last);
    for (var k = begin; k < end; k++) {
      var v: array<f32, TN>;
      for (var j = 0u; j < TN; j++) {
        v[j] = b[column[j]];
        column[j] += p.b_inner;
      }
      var left: array<f32, AV>;
      for (var i = 0u; i < AV; i++) {
        left[i] = a[row[i]];
        row[i] += p.a_inner;
      }
      multiply(&acc[0], &v, &left, 0u);
      if (PARTS > 1u) { multiply(&acc[P1], &v, &left, 1u); }
      if (PARTS > 2u) { multiply(&acc[P2], &v, &left, 2u); }
      if (PARTS > 3u) { multiply(&acc[P3], &v, &left, 3u); }
    }
    raise(&sum[0], &acc[0]);
    if (PARTS > 1u) { raise(&sum[P1], &acc[P1]); }
    if (PARTS > 2u) { raise(&sum[P2], &acc[P2]); }
    if (PARTS > 3u) { raise(&sum[P3], &acc[P3]); }
  }

  // A loop over places keeps the program short.
  for (var i = 0u; i < TM; i++) {
    for (var j = 0u; j < TN; j++) {
      store(z, m0 + i, n0 + j, sum[i / PC][i % PC][j]);
    }
  }
}
