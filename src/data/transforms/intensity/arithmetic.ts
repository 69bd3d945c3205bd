/** @file Arithmetic on images, in place or from one array to another: float32 with torch's order of operations, or float64 where the image is. */
import { ConfigError, DataError, ShapeError } from "../../../host/errors.ts";
import type { HostArray, TypedArray } from "../../../host/array.ts";
import { inBlocks } from "../../../host/blocks.ts";
import { elements, integerRange, nativeOf } from "../../../host/elements.ts";
import { changed, lanesOf } from "../../../host/simd/chunks.ts";
import * as maps from "../../../host/simd/maps.ts";
import { places } from "../../../host/simd/places.ts";
import { extent } from "../../../host/stats.ts";
import { asWords } from "../../../host/strided.ts";
import { unfilledLike } from "../../../host/unfilled.ts";
import { castTo, type DTypeName, workingCopy } from "../shape/cast.ts";

export type Floats = Float32Array | Float64Array;

/** Two ends. */
export type Interval = readonly [number, number];

/** A pair of bounds, or v for [−v, v]. */
export type Bounds = number | Interval;

/** `boundsOf` where a pair that descends is a mistake, as TorchIO has it. */
export function ascendingBounds(op: string, name: string, v: Bounds): readonly [number, number] {
  const bounds = boundsOf(op, name, v);
  if (typeof v !== "number" && v[0] > v[1]) throw new ConfigError(`${op}: ${name} must ascend, got ${JSON.stringify(v)}`);
  return bounds;
}

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

/**
 * What an operation reads and what it writes: floats are read where they are, everything else is converted to float32 first, as in torch, and both are one.
 * A copy that is made while it is computed costs half of one that is made before.
 */
export function workspace(data: TypedArray): { readonly from: Floats; readonly to: Floats } {
  if (data instanceof Float32Array || data instanceof Float64Array) return { from: data, to: unfilledLike(data, data.length) };
  const both = workingCopy(data);
  return { from: both, to: both };
}

/** Runs an operation on the whole image, or channel by channel, and gives what it wrote. */
export function computed(x: HostArray, data: TypedArray, channelWise: boolean, run: Computation): Floats {
  const { from, to } = workspace(data);
  const targets = parts(to, x, channelWise);
  parts(from, x, channelWise).forEach((part, c) => run(part, targets[c], c));
  return to;
}

/** Computes `to` of `from`, for the image or channel `c`; both may be one. */
type Computation = (from: Floats, to: Floats, c: number) => void;

/** Scales [aMin, aMax] to [bMin, bMax]. */
export function scaleRange(
  from: Floats,
  to: Floats,
  { aMin, aMax, bMin = null, bMax = null, clip = false }: IntensityRanges,
): void {
  if (aMax === aMin) {
    add(from, -aMin, to);
    if (bMin !== null) add(to, bMin);
    return;
  }
  const low = clip ? (bMin ?? -Infinity) : -Infinity;
  const high = clip ? (bMax ?? Infinity) : Infinity;
  const [factor, offset] = bMin !== null && bMax !== null ? [bMax - bMin, bMin] : [1, 0];
  linear(from, -aMin, aMax - aMin, factor, offset, to, low, high);
}

/** Rescales to [minv, maxv]; either null: to [0, 1]. */
export function rescale(op: string, from: Floats, minv: number | null, maxv: number | null, to = from): void {
  const { min, max } = range(op, from);
  if (min === max) {
    multiply(from, minv ?? 1, to);
    return;
  }
  const [factor, offset] = minv === null || maxv === null ? [1, 0] : [maxv - minv, minv];
  linear(from, -min, max - min, factor, offset, to);
}

/** ((x + shift) / divisor) · factor + offset, rounded after each step, see `add`, then clipped; NaN stays. */
export function linear(
  from: Floats,
  shift: number,
  divisor: number,
  factor: number,
  offset: number,
  to = from,
  low = -Infinity,
  high = Infinity,
): void {
  if (!(from instanceof Float32Array && to instanceof Float32Array)) {
    for (let i = 0; i < from.length; i++) to[i] = ((from[i] + shift) / divisor) * factor + offset;
    if (low !== -Infinity || high !== Infinity) clamp(to, low, high);
    return;
  }
  const f = Math.fround;
  // What is not there leaves zeros their signs.
  const plain = f(factor) === 1 && f(offset) === 0;
  if (inLanes(from, to, f(shift), f(divisor), plain ? 1 : factor, plain ? -0 : offset, low, high)) return;
  // The product with the reciprocal in float64 rounds to the float32 of the quotient: quotients of two of 24 bits keep 2^-49 away from a tie.
  const reciprocal = 1 / f(divisor);
  inBlocks(from.length, (start, end) => {
    if (plain) shiftAndScale(from, to, start, end, f(shift), reciprocal);
    else linearBlock(from, to, start, end, f(shift), reciprocal, f(factor), f(offset));
  });
  if (low !== -Infinity || high !== Infinity) clamp(to, low, high);
}

const lanesFor = /* @__PURE__ */ lanesOf({ linear: maps.linear, quotient: maps.quotient, shift: maps.shift });

/** `linear` of long float32 arrays by the vectors of WebAssembly; false where they are not to be had. */
function inLanes(
  from: Floats,
  to: Floats,
  shift: number,
  divisor: number,
  factor: number,
  offset: number,
  low: number,
  high: number,
): boolean {
  const lanes = from instanceof Float32Array && to instanceof Float32Array ? lanesFor(from.length) : undefined;
  if (!lanes) return false;
  const { linear: line, quotient, shift: shiftOnly } = lanes.kernels;
  const { first } = places;
  const shifts = divisor === 1 && factor === 1 && Object.is(offset, -0) && low === -Infinity && high === Infinity;
  changed(lanes, from as Float32Array, to as Float32Array, (end) =>
    shifts
      ? shiftOnly(first, end, shift)
      : divisor === 1
        ? line(first, end, shift, factor, offset, low, high)
        : quotient(first, end, shift, divisor, factor, offset, low, high),
  );
  return true;
}

function shiftAndScale(from: Float32Array, to: Float32Array, start: number, end: number, s: number, r: number): void {
  for (let i = start; i < end; i++) to[i] = Math.fround(from[i] + s) * r;
}

function linearBlock(
  from: Float32Array,
  to: Float32Array,
  start: number,
  end: number,
  s: number,
  r: number,
  m: number,
  o: number,
): void {
  const f = Math.fround;
  for (let i = start; i < end; i++) to[i] = f(f(f(from[i] + s) * r) * m) + o;
}

/** Clips in place; NaN stays. */
export function clamp(data: Floats, low: number, high: number): void {
  if (inLanes(data, data, -0, 1, 1, -0, low, high)) return;
  if (data instanceof Float32Array) {
    const bounds = Float32Array.of(low, high);
    const [words, [lowest, highest]] = [asWords(data), asWords(bounds)];
    inBlocks(data.length, (start, end) => clampWords(data, words, start, end, bounds[0], bounds[1], lowest, highest));
  } else for (let i = 0; i < data.length; i++) data[i] = Math.min(high, Math.max(low, data[i]));
}

/** Chosen by bits: where much is clipped, a branch is guessed wrong often, which takes four times as long. */
function clampWords(
  data: Float32Array,
  words: TypedArray,
  start: number,
  end: number,
  low: number,
  high: number,
  lowest: number,
  highest: number,
): void {
  for (let i = start; i < end; i++) {
    const below = -Number(data[i] < low);
    const above = -Number(data[i] > high);
    words[i] = (words[i] & ~(below | above)) | (lowest & below) | (highest & above);
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

/** Adds; the constant is first rounded to the element type, as torch does with scalars. */
export function add(from: Floats, c: number, to = from): void {
  if (inLanes(from, to, c, 1, 1, -0, -Infinity, Infinity)) return;
  const rounded = from instanceof Float32Array ? Math.fround(c) : c;
  inBlocks(from.length, (start, end) => addBlock(from, to, start, end, rounded));
}

function addBlock(from: Floats, to: Floats, start: number, end: number, c: number): void {
  for (let i = start; i < end; i++) to[i] = from[i] + c;
}

/** Multiplies; see `add`. */
export function multiply(from: Floats, c: number, to = from): void {
  if (inLanes(from, to, -0, 1, c, -0, -Infinity, Infinity)) return;
  const rounded = from instanceof Float32Array ? Math.fround(c) : c;
  inBlocks(from.length, (start, end) => multiplyBlock(from, to, start, end, rounded));
}

function multiplyBlock(from: Floats, to: Floats, start: number, end: number, c: number): void {
  for (let i = start; i < end; i++) to[i] = from[i] * c;
}

/** Least and greatest value. @throws DataError for NaN, ShapeError for an empty image */
export function range(op: string, data: TypedArray): { min: number; max: number } {
  if (data.length === 0) throw new ShapeError(`${op}: the image is empty`);
  const { min, max, firstNaN } = extent(data);
  if (firstNaN >= 0) throw new DataError(`${op}: the image holds NaN at element ${firstNaN}; replace such voxels before scaling`);
  return { min, max };
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
