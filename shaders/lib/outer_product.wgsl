// A column of PC * PARTS values, of which each of eight lanes holds other ones, times a row of TP of the thread's own: added to its sums.
// uses lib/parts

// Vectors of eight lanes that hold a column.
const COLUMN = PC * PARTS / 8u;

fn multiply(acc: ptr<function, Part>, row: ptr<function, array<f32, TP>>, column: ptr<function, array<f32, COLUMN>>, part: u32) {
  for (var j = 0u; j < PC; j++) {
    let place = part * PC + j;
    let factor = subgroupShuffle((*column)[place / 8u], place % 8u);
    for (var i = 0u; i < TP; i++) {
      (*acc)[j][i] = fma(factor, (*row)[i], (*acc)[j][i]);
    }
  }
}

fn multiply_all(acc: ptr<function, array<Part, PARTS>>, row: ptr<function, array<f32, TP>>, column: ptr<function, array<f32, COLUMN>>) {
  multiply(&(*acc)[0], row, column, 0u);
  if (PARTS > 1u) { multiply(&(*acc)[P1], row, column, 1u); }
  if (PARTS > 2u) { multiply(&(*acc)[P2], row, column, 2u); }
  if (PARTS > 3u) { multiply(&(*acc)[P3], row, column, 3u); }
}
