/** @file Statistics of lists and of whole volumes. */
import { inBlocks } from "./blocks.ts";
import { selectRanks } from "./quantile.ts";
import { extentInLanes } from "./simd/extent.ts";

/** What is read by index: a list or a typed array. */
type Values = ArrayLike<number>;

/** The mean of the values that are not NaN; NaN where there is none. */
export function nanMean(values: Values): number {
  let sum = 0;
  let count = 0;
  for (let i = 0; i < values.length; i++) {
    if (values[i] !== values[i]) continue;
    sum += values[i];
    count++;
  }
  return sum / count;
}

/** Least and greatest of some values. */
export interface Extent {
  /** Infinity where there is no value. */
  readonly min: number;
  /** −Infinity where there is no value. */
  readonly max: number;
  /** Index of the first NaN, −1 without one. NaNs count neither for `min` nor for `max`. */
  readonly firstNaN: number;
}

/** Least and greatest value, in one pass; a second one only where there is NaN. */
export function extent(values: Values): Extent {
  const out = (values instanceof Float32Array && extentInLanes(values)) || extentInBlocks(values);
  return out.min === out.min ? { ...out, firstNaN: -1 } : extentWithNaN(values);
}

function extentInBlocks(values: Values): { min: number; max: number } {
  const out = { min: Infinity, max: -Infinity };
  inBlocks(values.length, (start, end) => extend(out, values, start, end));
  return out;
}

/** NaN once there is one. */
function extend(out: { min: number; max: number }, values: Values, start: number, end: number): void {
  let { min, max } = out;
  for (let i = start; i < end; i++) {
    min = Math.min(min, values[i]);
    max = Math.max(max, values[i]);
  }
  out.min = min;
  out.max = max;
}

function extentWithNaN(values: Values): Extent {
  let min = Infinity;
  let max = -Infinity;
  let firstNaN = -1;
  for (let i = 0; i < values.length; i++) {
    const v = values[i];
    if (v < min) min = v;
    if (v > max) max = v;
    if (v !== v && firstNaN < 0) firstNaN = i;
  }
  return { min, max, firstNaN };
}

/** A sorted copy. NaNs come last, as NumPy sorts them. */
function sorted(values: Values): Float32Array | Float64Array {
  // Typed arrays sort by number, and float32 in half the memory of float64.
  return (values instanceof Float32Array ? new Float32Array(values) : new Float64Array(values)).sort();
}

/** From here on counting beats sorting. */
const large = 2 ** 14;

/**
 * Quantiles with linear interpolation, NumPy's default and PyTorch's.
 * @param fractions 0 … 1 each; 0.5 is the median
 * @returns one value per fraction; NaN of no values
 */
export function quantiles(values: Values, fractions: readonly number[]): number[] {
  if (values.length === 0) return fractions.map(() => NaN);
  const last = values.length - 1;
  const low = fractions.map((q) => Math.floor(q * last));
  const ranks = [...low, ...low.map((r) => Math.min(r + 1, last))];
  const list = orderStatistics(values, ranks);
  return fractions.map((q, i) => list[i] + (q * last - low[i]) * (list[i + low.length] - list[i]));
}

/** The elements of the given ranks. */
function orderStatistics(values: Values, ranks: readonly number[]): number[] {
  const floats = values instanceof Float32Array || values instanceof Float64Array;
  // NaNs have places only in a sorted array.
  if (values.length < large || !floats || extent(values).firstNaN >= 0) {
    const list = sorted(values);
    return ranks.map((r) => list[r]);
  }
  return selectRanks(values, ranks);
}

/** The value in the middle, of an even number the mean of the two there; NaN of no values. */
export function median(values: Values): number {
  const list = sorted(values);
  const half = list.length >> 1;
  return list.length % 2 === 1 ? list[half] : (list[half - 1] + list[half]) / 2;
}

/** The value in the middle, of an even number the lower of the two there, so that it is one of the values; NaN of no values. */
export function medianLow(values: Values): number {
  const list = sorted(values);
  return list.length === 0 ? NaN : list[(list.length - 1) >> 1];
}
