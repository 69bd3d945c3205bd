/** @file Arithmetic on images in place: float32 with torch's order of operations, or float64 where the image is. */
import { DataError, ShapeError } from "../../../host/errors.ts";
import type { HostArray } from "../../../host/array.ts";
import { extent } from "../../../host/stats.ts";
import { castTo, type DTypeName } from "../shape/cast.ts";

export type Floats = Float32Array | Float64Array;

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
  add(data, -aMin);
  if (aMax === aMin) {
    if (bMin !== null) add(data, bMin);
    return;
  }
  divide(data, aMax - aMin);
  if (bMin !== null && bMax !== null) {
    multiply(data, bMax - bMin);
    add(data, bMin);
  }
  if (clip) for (let i = 0; i < data.length; i++) data[i] = Math.min(Math.max(data[i], bMin ?? -Infinity), bMax ?? Infinity);
}

/** Rescales to [minv, maxv] in place; either null: to [0, 1]. */
export function rescale(op: string, data: Floats, minv: number | null, maxv: number | null): void {
  const { min, max } = range(op, data);
  if (min === max) {
    if (minv !== null) multiply(data, minv);
    return;
  }
  add(data, -min);
  divide(data, max - min);
  if (minv === null || maxv === null) return;
  multiply(data, maxv - minv);
  add(data, minv);
}

/** Slices of equal length, one per channel. */
export function channels<A extends Floats>(data: A, count: number): A[] {
  const size = data.length / count;
  return Array.from({ length: count }, (_, c) => data.subarray(c * size, (c + 1) * size) as A);
}

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

/** Divides in place; see `add`. */
export function divide(data: Floats, c: number): void {
  const rounded = data instanceof Float32Array ? Math.fround(c) : c;
  for (let i = 0; i < data.length; i++) data[i] /= rounded;
}

/** Least and greatest value. @throws DataError for NaN, ShapeError for an empty image */
export function range(op: string, data: Floats): { min: number; max: number } {
  if (data.length === 0) throw new ShapeError(`${op}: the image is empty`);
  const { min, max, firstNaN } = extent(data);
  if (firstNaN >= 0) throw new DataError(`${op}: the image holds NaN at element ${firstNaN}; replace such voxels before scaling`);
  return { min, max };
}

/** Mean, and standard deviation over n − ddof, in two passes; with `nonzero` only of elements that are not 0. */
export function meanAndStd(data: Floats, ddof: number, nonzero = false): { mean: number; std: number; count: number } {
  let sum = 0;
  let count = 0;
  for (let i = 0; i < data.length; i++) {
    if (nonzero && data[i] === 0) continue;
    sum += data[i];
    count++;
  }
  const mean = sum / count;
  let squares = 0;
  for (let i = 0; i < data.length; i++) if (!nonzero || data[i] !== 0) squares += (data[i] - mean) ** 2;
  return { mean, std: Math.sqrt(squares / (count - ddof)), count };
}

/** Puts computed values into the result's element type: `dtype`, or that of `x` for null. */
export function finish(op: string, data: Floats, x: HostArray, dtype: DTypeName | null): HostArray {
  const out = { ...x, data };
  if (dtype !== null) return castTo(op, out, dtype);
  return x.data.constructor === data.constructor
    ? out
    : { ...x, data: new (x.data.constructor as Float32ArrayConstructor)(data) };
}
