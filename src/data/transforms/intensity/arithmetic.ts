/** @file Arithmetic on images in place: float32 with torch's order of operations, or float64 where the image is. */
import { ConfigError, DataError, ShapeError } from "../../../host/errors.ts";
import type { HostArray, TypedArray } from "../../../host/array.ts";
import { elements, integerRange, nativeOf } from "../../../host/elements.ts";
import { extent } from "../../../host/stats.ts";
import { castTo, type DTypeName } from "../shape/cast.ts";

export type Floats = Float32Array | Float64Array;

/** Two ends. */
export type Interval = readonly [number, number];

/** A pair of bounds, or v for [−v, v]. */
export type Bounds = number | Interval;

/** The range that is mapped, and the one it is mapped to. */
export interface IntensityRanges {
  /** Start of the range that is mapped. */
  readonly aMin: number;
  /** Its end. */
  readonly aMax: number;
  /** Start of the target range; null (default) leaves out its part. */
  readonly bMin?: number | null;
  /** Its end. */
  readonly bMax?: number | null;
  /** Clip to [bMin, bMax]. Default false. */
  readonly clip?: boolean;
}

/** Scales [aMin, aMax] to [bMin, bMax] in place. */
export function scaleRange(data: Floats, { aMin, aMax, bMin = null, bMax = null, clip = false }: IntensityRanges): void {
  if (aMax === aMin) {
    add(data, -aMin);
    if (bMin !== null) add(data, bMin);
    return;
  }
  const low = clip ? (bMin ?? -Infinity) : -Infinity;
  const high = clip ? (bMax ?? Infinity) : Infinity;
  const [factor, offset] = bMin !== null && bMax !== null ? [bMax - bMin, bMin] : [1, 0];
  linear(data, -aMin, aMax - aMin, factor, offset);
  if (clip) clamp(data, low, high);
}

/** Rescales to [minv, maxv] in place; either null: to [0, 1]. */
export function rescale(op: string, data: Floats, minv: number | null, maxv: number | null): void {
  const { min, max } = range(op, data);
  if (min === max) {
    if (minv !== null) multiply(data, minv);
    return;
  }
  const [factor, offset] = minv === null || maxv === null ? [1, 0] : [maxv - minv, minv];
  linear(data, -min, max - min, factor, offset);
}

/** ((x + shift) / divisor) · factor + offset in place, rounded after each step; see `add`. */
export function linear(data: Floats, shift: number, divisor: number, factor: number, offset: number): void {
  if (data instanceof Float64Array) {
    for (let i = 0; i < data.length; i++) data[i] = ((data[i] + shift) / divisor) * factor + offset;
    return;
  }
  const f = Math.fround;
  const [s, d, m, o] = [f(shift), f(divisor), f(factor), f(offset)];
  for (let i = 0; i < data.length; i++) data[i] = f(f(f(data[i] + s) / d) * m) + o;
}

/** Clips in place; NaN stays. */
export function clamp(data: Floats, low: number, high: number): void {
  for (let i = 0; i < data.length; i++) {
    const v = data[i];
    if (v < low) data[i] = low;
    else if (v > high) data[i] = high;
  }
}

/** Slices of equal length, one per channel. */
export function channels<A extends TypedArray>(data: A, count: number): A[] {
  const size = data.length / count;
  return Array.from({ length: count }, (_, c) => data.subarray(c * size, (c + 1) * size) as A);
}

/** The whole image, or its channels. */
export const parts = <A extends TypedArray>(data: A, x: HostArray, channelWise: boolean): A[] =>
  channelWise ? channels(data, x.shape[0]) : [data];

/** Adds in place; the constant is first rounded to the element type, as torch does with scalars. */
export function add(data: Floats, c: number): void {
  const rounded = data instanceof Float32Array ? Math.fround(c) : c;
  for (let i = 0; i < data.length; i++) data[i] += rounded;
}

/** Multiplies in place; see `add`. */
export function multiply(data: Floats, c: number): void {
  const rounded = data instanceof Float32Array ? Math.fround(c) : c;
  for (let i = 0; i < data.length; i++) data[i] *= rounded;
}

/** Least and greatest value. @throws DataError for NaN, ShapeError for an empty image */
export function range(op: string, data: TypedArray): { min: number; max: number } {
  if (data.length === 0) throw new ShapeError(`${op}: the image is empty`);
  const { min, max, firstNaN } = extent(data);
  if (firstNaN >= 0) throw new DataError(`${op}: the image holds NaN at element ${firstNaN}; replace such voxels before scaling`);
  return { min, max };
}

/** Mean, and standard deviation over n − ddof, in two passes; with `nonzero` only of elements that are not 0. */
export function meanAndStd(data: Floats, ddof: number, nonzero = false): { mean: number; std: number; count: number } {
  const { mean, count } = meanOf(data, nonzero);
  // Zeros that do not count are taken out again at the end.
  const squares = squaresAround(data, mean) - (data.length - count) * mean * mean;
  return { mean, std: Math.sqrt(Math.max(squares, 0) / (count - ddof)), count };
}

/** Σ (x − mean)². Four sums, so that an addition need not wait for the one before. */
function squaresAround(data: Floats, mean: number): number {
  let [a, b, c, d] = [0, 0, 0, 0];
  let i = 0;
  for (const end = data.length - 3; i < end; i += 4) {
    const p = data[i] - mean;
    const q = data[i + 1] - mean;
    const r = data[i + 2] - mean;
    const s = data[i + 3] - mean;
    a += p * p;
    b += q * q;
    c += r * r;
    d += s * s;
  }
  for (; i < data.length; i++) a += (data[i] - mean) ** 2;
  return a + b + (c + d);
}

/** Mean and number of the elements; with `nonzero` only of those that are not 0. */
export function meanOf(data: Floats, nonzero = false): { mean: number; count: number } {
  let [a, b, c, d] = [0, 0, 0, 0];
  let i = 0;
  for (const end = data.length - 3; i < end; i += 4) {
    a += data[i];
    b += data[i + 1];
    c += data[i + 2];
    d += data[i + 3];
  }
  for (; i < data.length; i++) a += data[i];
  let count = data.length;
  if (nonzero) for (let k = 0; k < data.length; k++) if (data[k] === 0) count--;
  return { mean: (a + b + (c + d)) / count, count };
}

/** Puts computed values into the result's element type: `dtype`, or that of `x` for null. */
export function finish(op: string, data: Floats, x: HostArray, dtype: DTypeName | null): HostArray {
  const out = { ...x, data };
  if (dtype !== null) return castTo(op, out, dtype);
  return { ...x, data: intoType(data, x.data) };
}

/** The values in the element type of `like`; floats to integers are cut towards zero. */
export function intoType<A extends TypedArray>(data: TypedArray, like: A): A {
  if (like.constructor === data.constructor) return data as A;
  return new (like.constructor as new (values: ArrayLike<number>) => A)(data);
}

/** Clips values to what the elements of `like` can hold. */
export function clampToType(data: Floats, like: TypedArray): void {
  const name = nativeOf(like);
  const bounds = name && elements[name].kind === "int" ? integerRange(name) : undefined;
  if (bounds) clamp(data, bounds[0], bounds[1]);
}

/** The lower and the upper one of a pair of bounds. @throws ConfigError for what is not a number or a pair of them */
export function boundsOf(op: string, name: string, v: Bounds): readonly [number, number] {
  const pair = typeof v === "number" ? [-v, v] : v;
  if (!Array.isArray(pair) || pair.length !== 2 || !pair.every(Number.isFinite))
    throw new ConfigError(`${op}: ${name} must be a number or a pair of numbers, got ${JSON.stringify(v)}`);
  return [Math.min(pair[0], pair[1]), Math.max(pair[0], pair[1])];
}
