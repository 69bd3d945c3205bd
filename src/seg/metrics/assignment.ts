/** @file The assignment of rows to columns with the greatest sum (Hungarian method with potentials, Jonker and Volgenant 1987). */

/**
 * Pairs of a row and a column, each at most once and as many as the shorter side has, whose values sum to the most.
 * @param values `rows` × `columns`, row by row
 */
export function assign(values: Float64Array, rows: number, columns: number): [row: number, column: number][] {
  if (rows === 0 || columns === 0) return [];
  if (rows > columns) {
    const turned = Float64Array.from(values, (_, i) => values[(i % rows) * columns + Math.floor(i / rows)]);
    return assign(turned, columns, rows)
      .map(([c, r]): [number, number] => [r, c])
      .sort((a, b) => a[0] - b[0]);
  }
  // Everything counts from 1; column 0 holds the row that is being placed.
  const [rowPrice, columnPrice] = [new Float64Array(rows + 1), new Float64Array(columns + 1)];
  const rowOf = new Int32Array(columns + 1);
  for (let r = 1; r <= rows; r++) place(r, values, columns, rowPrice, columnPrice, rowOf);
  const pairs: [number, number][] = [];
  for (let c = 1; c <= columns; c++) if (rowOf[c] > 0) pairs.push([rowOf[c] - 1, c - 1]);
  return pairs.sort((a, b) => a[0] - b[0]);
}

/** Finds the cheapest path from row `r` to a free column, and moves the rows on it along. */
function place(
  r: number,
  values: Float64Array,
  columns: number,
  rowPrice: Float64Array,
  columnPrice: Float64Array,
  rowOf: Int32Array,
): void {
  const least = new Float64Array(columns + 1).fill(Infinity);
  const came = new Int32Array(columns + 1);
  const done = new Uint8Array(columns + 1);
  rowOf[0] = r;
  let at = 0;
  do {
    done[at] = 1;
    const row = rowOf[at];
    let [step, next] = [Infinity, 0];
    for (let c = 1; c <= columns; c++) {
      if (done[c]) continue;
      const cost = -values[(row - 1) * columns + c - 1] - rowPrice[row] - columnPrice[c];
      if (cost < least[c]) {
        least[c] = cost;
        came[c] = at;
      }
      if (least[c] < step) [step, next] = [least[c], c];
    }
    for (let c = 0; c <= columns; c++) {
      if (done[c]) {
        rowPrice[rowOf[c]] += step;
        columnPrice[c] -= step;
      } else least[c] -= step;
    }
    at = next;
  } while (rowOf[at] !== 0);
  for (; at !== 0; at = came[at]) rowOf[at] = rowOf[came[at]];
}
