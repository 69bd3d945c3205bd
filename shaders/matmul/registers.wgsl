// Batched matrix product  y[z] = a[z] · b[z] (+ bias along the columns)  in registers, for software adapters: no shared memory, no barriers.
//
// A thread owns TM rows times 8 columns as two vec4. The lanes of a workgroup differ in their columns only, so that the rows' addresses are the
// same for all of them and one load serves the whole subgroup.
// uses lib/grid lib/matmul lib/single

override WG: u32 = 8u;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let at = tile(linear_group(group, groups), TM, WG * 8u);
  let z = at.z;
  let m0 = at.x * TM;
  let n0 = (at.y * WG + lane) * 8u;
  if (z >= p.batches * p.slabs || n0 >= p.columns) {
    return;
  }
  let start = operands(z % p.batches);
  let first = z / p.batches * p.slab;
  let last = min(first + p.slab, p.inner);
  // Rows and columns beyond the end repeat the last one and are not stored.
  var row: array<u32, TM>;
  for (var i = 0u; i < TM; i++) {
    row[i] = start.x + first * p.a_inner + min(m0 + i, p.rows - 1u) * p.a_row;
  }
  var column: array<u32, 8>;
  for (var j = 0u; j < 8u; j++) {
    column[j] = start.y + first * p.b_inner + min(n0 + j, p.columns - 1u) * p.b_column;
  }

  var acc: array<vec4f, TM * 2u>;
  var sum: array<vec4f, TM * 2u>;
  var end = first;
  for (var k = first; k < last; k++) {
    if (BLOCKED != 0u) {
      if (k == end) {
        for (var i = 0u; i < TM * 2u; i++) {
          sum[i] += acc[i];
          acc[i] = vec4f(0.0);
        }
        end += BLOCK;
      }
    }
    let low = vec4f(b[column[0]], b[column[1]], b[column[2]], b[column[3]]);
    let high = vec4f(b[column[4]], b[column[5]], b[column[6]], b[column[7]]);
    for (var j = 0u; j < 8u; j++) {
      column[j] += p.b_inner;
    }
    for (var i = 0u; i < TM; i++) {
      let v = vec4f(a[row[i]]);
      row[i] += p.a_inner;
      acc[2u * i] = fma(v, low, acc[2u * i]);
      acc[2u * i + 1u] = fma(v, high, acc[2u * i + 1u]);
    }
  }

  for (var i = 0u; i < TM; i++) {
    for (var j = 0u; j < 8u; j++) {
      store(z, m0 + i, n0 + j, sum[2u * i + j / 4u][j % 4u] + acc[2u * i + j / 4u][j % 4u]);
    }
  }
}
