/** @file Values that padding computes: statistics along an axis, ramps, mirrored values. */
import { holdsIntegers, type TypedArray } from "../../../host/array.ts";
import { roundHalfEven } from "../../../host/rounding.ts";
import { emptyLike } from "../../../host/strided.ts";

export type Statistic = "mean" | "median" | "minimum" | "maximum";

export const isStatistic = (mode: string): mode is Statistic =>
  mode === "mean" || mode === "median" || mode === "minimum" || mode === "maximum";

/** Statistic along the first axis of a [size, inner] block; of integers rounded half to even. */
export function statisticRow(mode: Statistic, block: TypedArray, size: number, inner: number): TypedArray {
  const out = emptyLike(block, inner);
  const round = holdsIntegers(block);
  const line = new Float64Array(size);
  for (let j = 0; j < inner; j++) {
    for (let i = 0; i < size; i++) line[i] = block[i * inner + j];
    const value = statistic(mode, line);
    out[j] = round ? roundHalfEven(value) : value;
  }
  return out;
}

function statistic(mode: Statistic, line: Float64Array): number {
  if (mode === "median") {
    line.sort();
    const half = line.length >> 1;
    return line.length % 2 === 1 ? line[half] : (line[half - 1] + line[half]) / 2;
  }
  let sum = 0;
  let min = Infinity;
  let max = -Infinity;
  for (let i = 0; i < line.length; i++) {
    sum += line[i];
    if (line[i] < min) min = line[i];
    if (line[i] > max) max = line[i];
  }
  return mode === "mean" ? sum / line.length : mode === "minimum" ? min : max;
}

/** A row on the way from `end` (part 0) to the border's values (part 1); integers are rounded down, as in numpy.linspace. */
export function rampRow(edge: TypedArray, end: number, part: number, out: TypedArray, to: number): void {
  const round = holdsIntegers(edge);
  for (let j = 0; j < edge.length; j++) {
    const value = end + (edge[j] - end) * part;
    out[to + j] = round ? Math.floor(value) : value;
  }
}

/**
 * Rows around a block mirrored at the border voxel's center (or, with `face`, its outer face) in place and in value: row −k is 2 · row 0 − row k.
 * Beyond one length of the image the other side, which is mirrored too, goes on.
 */
export function oddMirror(size: number, before: number, after: number, face: boolean) {
  const shift = face ? 1 : 0;
  return (block: TypedArray, inner: number, out: TypedArray, to: number): void => {
    const reach = Math.max(before, after);
    const rows = new Float64Array((size + 2 * reach) * inner);
    rows.set(block, reach * inner);
    const at = (i: number) => (i + reach) * inner;
    for (let k = 1; k <= reach; k++) {
      // A block of one row has nothing to mirror but itself.
      const left = size === 1 && !face ? 0 : k - shift;
      const right = size === 1 && !face ? 0 : size - 1 - k + shift;
      for (let j = 0; j < inner; j++) {
        rows[at(-k) + j] = 2 * rows[at(0) + j] - rows[at(left) + j];
        rows[at(size - 1 + k) + j] = 2 * rows[at(size - 1) + j] - rows[at(right) + j];
      }
    }
    for (let i = -before; i < size + after; i++) {
      if (i >= 0 && i < size) continue;
      for (let j = 0; j < inner; j++) out[to + (i + before) * inner + j] = rows[at(i) + j];
    }
  };
}
