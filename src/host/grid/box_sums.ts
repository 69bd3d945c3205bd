/** @file Sums over a box around each element, axis by axis: the work grows with the sum of its sizes and not with their product. */
import { sizeOf, type TypedArray } from "../array.ts";

/**
 * The sum over a box around each element, in float64.
 * @param sizes of the box along each axis, odd
 * @param outside what elements beyond the grid count as
 */
export function boxSums(grid: TypedArray, shape: readonly number[], sizes: readonly number[], outside: number): Float64Array {
  let now = new Float64Array(grid);
  // A sum beyond the grid is of elements that all are outside.
  let beyond = outside;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    if (sizes[axis] > 1) now = sumAlong(now, shape, axis, sizes[axis] >> 1, beyond);
    beyond *= sizes[axis];
  }
  return now;
}

function sumAlong(
  grid: Float64Array<ArrayBuffer>,
  shape: readonly number[],
  axis: number,
  reach: number,
  outside: number,
): Float64Array<ArrayBuffer> {
  const out = new Float64Array(grid.length);
  const size = shape[axis];
  const step = sizeOf(shape.slice(axis + 1));
  for (let block = 0; block < grid.length; block += size * step) {
    for (let i = 0; i < size; i++) {
      const to = block + i * step;
      for (let k = i - reach; k <= i + reach; k++) {
        if (k < 0 || k >= size) for (let j = 0; j < step; j++) out[to + j] += outside;
        else for (let j = 0, from = block + k * step; j < step; j++) out[to + j] += grid[from + j];
      }
    }
  }
  return out;
}
