// Batched matrix product  y[z] = a[z] · b[z] (+ bias along the columns)  for software adapters with subgroups; conv/rows.wgsl tells how they work. A thread owns
// TM rows by TP columns: eight lanes read a row's value of a each and hand it around by shuffles. Several terms on one load and store of a sum were no faster.
// CPU time against matmul/registers.wgsl, 512³: 1.9 to 2.3 times less, 2.4 with b transposed.
// uses lib/grid lib/matmul lib/single lib/outer_product

override WG: u32 = 8u;

const TM = PC * PARTS;
@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32,
  @builtin(subgroup_invocation_id) share: u32) {
  let at = tile(linear_group(group, groups), TM, WG * TP);
  let z = at.z;
  if (z >= p.batches * p.slabs) {
    return;
  }
  let m0 = at.x * TM;
  let n0 = (at.y * WG + lane) * TP;
  let start = operands(z % p.batches);
  let first = z / p.batches * p.slab;
  let last = min(first + p.slab, p.inner);
  // Rows and columns beyond the end repeat the last one and are not stored. All lanes run to the end, for the sake of the shuffles.
  var row: array<u32, COLUMN>;
  for (var i = 0u; i < COLUMN; i++) {
    row[i] = start.x + first * p.a_inner + min(m0 + i * 8u + share % 8u, p.rows - 1u) * p.a_row;
  }
  var column: array<u32, TP>;
  for (var j = 0u; j < TP; j++) {
    column[j] = start.y + first * p.b_inner + min(n0 + j, p.columns - 1u) * p.b_column;
  }

  var acc: array<Part, PARTS>;
  var sum: array<Part, PARTS>;
  for (var begin = first; begin < last; begin += BLOCK) {
    let end = min(begin + BLOCK, last);
    for (var k = begin; k < end; k++) {
      var v: array<f32, TP>;
      for (var j = 0u; j < TP; j++) {
        v[j] = b[column[j]];
        column[j] += p.b_inner;
      }
      var left: array<f32, COLUMN>;
      for (var i = 0u; i < COLUMN; i++) {
        left[i] = a[row[i]];
        row[i] += p.a_inner;
      }
      multiply_all(&acc, &v, &left);
    }
    raise_all(&sum, &acc);
  }

  // A loop over places keeps the program short.
  for (var i = 0u; i < TM; i++) {
    for (var j = 0u; j < TP; j++) {
      store(z, m0 + i, n0 + j, sum[i / PC][i % PC][j]);
    }
  }
}
