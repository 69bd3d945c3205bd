/** @file The median of a window around each element. */
import { edgeIndices } from "./edges.ts";
import { sizeOf } from "./array.ts";
import { unfilledFloats } from "./unfilled.ts";

/**
 * The median of the box of 2·radius + 1 elements around each element of the last axes; the border is repeated outside.
 * @param shape of the array; its last axes are those of `radius`, all before are filtered one by one
 */
export function medianFilter(data: Float32Array, shape: readonly number[], radius: readonly number[]): Float32Array {
  const spatial = shape.slice(shape.length - radius.length);
  const size = sizeOf(spatial);
  const window = radius.map((r) => 2 * r + 1);
  const reach = spatial.map((s, a) => edgeIndices("edge", -radius[a], s + 2 * radius[a], s));
  const values = new Float32Array(sizeOf(window));
  const middle = values.length >> 1;
  const width = spatial.at(-1)!;
  const span = window.at(-1)!;
  const last = reach.at(-1)!;
  const starts = new Int32Array(values.length / span);
  const out = unfilledFloats(data.length);
  for (let row = 0; row < data.length; row += width) {
    const block = row - (row % size);
    rowsOfWindow(row - block, spatial, window, reach, starts);
    for (let j = 0; j < width; j++) {
      let n = 0;
      for (let r = 0; r < starts.length; r++) {
        const start = block + starts[r];
        for (let t = 0; t < span; t++) values[n++] = data[start + last[j + t]];
      }
      out[row + j] = select(values, middle);
    }
  }
  return out;
}

/** Flat indices of the rows that the window around a row covers, borders repeated. */
function rowsOfWindow(
  row: number,
  spatial: readonly number[],
  window: readonly number[],
  reach: readonly Int32Array[],
  starts: Int32Array,
): void {
  for (let r = 0; r < starts.length; r++) {
    let at = row / spatial.at(-1)!;
    let k = r;
    let stride = spatial.at(-1)!;
    starts[r] = 0;
    for (let a = spatial.length - 2; a >= 0; a--) {
      starts[r] += reach[a][(at % spatial[a]) + (k % window[a])] * stride;
      stride *= spatial[a];
      at = Math.floor(at / spatial[a]);
      k = Math.floor(k / window[a]);
    }
  }
}

/** The k-th smallest (Hoare's selection); reorders the values. */
function select(values: Float32Array, k: number): number {
  let low = 0;
  let high = values.length - 1;
  while (low < high) {
    const pivot = values[k];
    let i = low;
    let j = high;
    do {
      while (values[i] < pivot) i++;
      while (pivot < values[j]) j--;
      if (i <= j) {
        const held = values[i];
        values[i++] = values[j];
        values[j--] = held;
      }
    } while (i <= j);
    if (j < k) low = i;
    if (k < i) high = j;
  }
  return values[k];
}
