/**
 * @file nnU-Net's resampling to a shape: images by splines of order 3, label maps label by label, along the axis of thick slices on its own
 * (nearest). As its `default_resampling`, which stands on skimage's `resize` and scipy's `map_coordinates`. Arrays are `[C, x, y, z]`.
 */

import { expectArguments, expectKinds } from "../../host/kinds.ts";
import { expectOptions } from "../../host/options.ts";
import { type HostArray, sizeOf, type TypedArray } from "../../host/array.ts";
import { ShapeError } from "../../host/errors.ts";
import { expectIntegers } from "../../host/integers.ts";
import { roundHalfEven } from "../../host/rounding.ts";
import { resampleAxes, zoomPositions } from "../../host/spline.ts";
import { extent } from "../../host/stats.ts";
import { emptyLike } from "../../host/strided.ts";
import { resizeLabels } from "./resample_labels.ts";

/** Slices count as thick when they are more than so many times the voxel's other edges. */
export const anisotropyThreshold = 3;

/**
 * The size an image of `oldShape` has at another spacing (mm per axis): round(old / new · size), halves to even. Spacings are `oldSpacing` and
 * `newSpacing`. @throws ShapeError for unequal lengths
 */
export function computeNewShape(
  oldShape: readonly number[],
  oldSpacing: readonly number[],
  newSpacing: readonly number[],
): number[] {
  expectArguments("computeNewShape", "numbers", { oldShape, oldSpacing, newSpacing });
  if (oldShape.length !== oldSpacing.length || oldShape.length !== newSpacing.length)
    throw new ShapeError(`computeNewShape: shape [${oldShape}] and spacings [${oldSpacing}], [${newSpacing}] differ in length`);
  return oldShape.map((n, a) => roundHalfEven((oldSpacing[a] / newSpacing[a]) * n));
}

/** Whether a spacing (mm per axis) is anisotropic: max / min > threshold. */
export function getDoSeparateZ(spacing: readonly number[], threshold = anisotropyThreshold): boolean {
  expectKinds("getDoSeparateZ", { numbers: { spacing }, number: { threshold } });
  return Math.max(...spacing) / Math.min(...spacing) > threshold;
}

/** The axes of the largest spacing (mm per axis). */
export function getLowresAxis(spacing: readonly number[]): number[] {
  expectArguments("getLowresAxis", "numbers", { spacing });
  const most = Math.max(...spacing);
  return spacing.flatMap((s, a) => (most / s === 1 ? [a] : []));
}

/** Whether an axis is resampled on its own, and which. */
export interface SeparateZ {
  /** Whether an axis is resampled on its own. */
  readonly doSeparateZ: boolean;
  /** That axis, from 0 for the first spatial one; null without it. */
  readonly axis: number | null;
}

/**
 * nnU-Net's rule: by the current spacing (mm per axis), else by the new one; not where two axes tie. `force` decides without a look at the ratio.
 * `currentSpacing` or `newSpacing` tells where its greatest size is more than `threshold` (default 3) times the least.
 */
export function determineDoSepZAndAxis(
  force: boolean | null,
  currentSpacing: readonly number[],
  newSpacing: readonly number[],
  threshold = anisotropyThreshold,
): SeparateZ {
  expectArguments("determineDoSepZAndAxis", "numbers", { currentSpacing, newSpacing });
  const from = force
    ? currentSpacing
    : force === false
      ? undefined
      : [currentSpacing, newSpacing].find((spacing) => getDoSeparateZ(spacing, threshold));
  const axes = from ? getLowresAxis(from) : [];
  return axes.length === 1 ? { doSeparateZ: true, axis: axes[0] } : { doSeparateZ: false, axis: null };
}

/** How `resampleDataOrSegToShape` resamples; names and defaults are nnU-Net's. */
export interface ResampleToShapeOptions {
  /** Whether the values are labels; default false. */
  readonly isSeg?: boolean;
  /** Spline order, of all axes or of those in the plane; default 3. */
  readonly order?: number;
  /** Spline order along thick slices; default 0. */
  readonly orderZ?: number;
  /** null: by the spacings; default false. */
  readonly forceSeparateZ?: boolean | null;
  /** Default 3. */
  readonly separateZAnisotropyThreshold?: number;
}

/**
 * An image or label map at another size. `currentSpacing` and `newSpacing` only decide which axis is resampled on its own.
 * @param x `[C, x, y, z]`; spacings are in mm per axis
 * @returns of the same element type; `x` itself where nothing changes
 * @throws ShapeError for other ranks
 * @param newShape voxels per spatial axis of the result
 */
export function resampleDataOrSegToShape<A extends TypedArray>(
  x: HostArray<A>,
  newShape: readonly number[],
  currentSpacing: readonly number[],
  newSpacing: readonly number[],
  options: ResampleToShapeOptions = {},
): HostArray<A> {
  expectOptions(
    "resampleDataOrSegToShape",
    options,
    "isSeg:boolean order:number orderZ:number forceSeparateZ:boolean? separateZAnisotropyThreshold:number",
  );
  expectKinds("resampleDataOrSegToShape", { array: { x }, numbers: { newShape, currentSpacing, newSpacing } });
  const { isSeg = false, order = 3, orderZ = 0, forceSeparateZ = false, separateZAnisotropyThreshold } = options;
  const { axis } = determineDoSepZAndAxis(forceSeparateZ, currentSpacing, newSpacing, separateZAnisotropyThreshold);
  return resampleDataOrSeg(x, newShape, { isSeg, order, orderZ, axis });
}

/** `resampleDataOrSegToShape` of `[C, …]` to a spacing, in millimeters per axis. The size follows from `currentSpacing` and `newSpacing`. */
export function resampleDataOrSegToSpacing<A extends TypedArray>(
  x: HostArray<A>,
  currentSpacing: readonly number[],
  newSpacing: readonly number[],
  options: ResampleToShapeOptions = {},
): HostArray<A> {
  expectOptions(
    "resampleDataOrSegToSpacing",
    options,
    "isSeg:boolean order:number orderZ:number forceSeparateZ:boolean? separateZAnisotropyThreshold:number",
  );
  expectKinds("resampleDataOrSegToSpacing", { array: { x }, numbers: { currentSpacing, newSpacing } });
  const newShape = computeNewShape(x.shape.slice(1), currentSpacing, newSpacing);
  return resampleDataOrSegToShape(x, newShape, currentSpacing, newSpacing, options);
}

interface Plan {
  readonly isSeg: boolean;
  readonly order: number;
  readonly orderZ: number;
  /** The axis on its own, or null. */
  readonly axis: number | null;
}

function resampleDataOrSeg<A extends TypedArray>(x: HostArray<A>, newShape: readonly number[], plan: Plan): HostArray<A> {
  const { data, shape } = x;
  if (shape.length !== 4 || newShape.length !== 3)
    throw new ShapeError(`resampleDataOrSegToShape: got [${shape}] to [${newShape}]; expected [C, x, y, z] and three sizes`);
  for (const order of [plan.order, plan.orderZ]) {
    expectIntegers("resampleDataOrSegToShape", { order }, 0, 5);
  }
  const [channels, ...size] = shape;
  if (size.every((n, a) => n === newShape[a])) return x;
  const out = emptyLike(data, channels * sizeOf(newShape));
  const one = sizeOf(size);
  for (let c = 0; c < channels; c++) {
    const channel = { data: data.subarray(c * one, (c + 1) * one), shape: size };
    const resized = plan.axis === null ? resize(channel, newShape, plan) : resizeApart(channel, newShape, plan.axis, plan);
    out.set(resized.data, c * sizeOf(newShape));
  }
  return { data: out, shape: [channels, ...newShape] };
}

function resize(x: HostArray, shape: readonly number[], { isSeg, order }: Plan): HostArray {
  return isSeg && order > 0 ? resizeLabels(x, shape, order) : resizeSpline(x, shape, order);
}

/** skimage's `resize` with mode "edge" and no anti-aliasing: a spline at the voxels' centers, held within the input's range. */
function resizeSpline(x: HostArray, shape: readonly number[], order: number): HostArray<Float64Array> {
  const axes = x.shape.map((n, a) => (n === shape[a] ? undefined : zoomPositions(n, shape[a])));
  const out = resampleAxes(x, axes, { order, mode: "nearest" });
  if (order > 0) clampTo(x, out.data);
  return out;
}

function clampTo(x: HostArray, values: Float64Array): void {
  const { min, max } = extent(x.data);
  for (let i = 0; i < values.length; i++) values[i] = Math.min(max, Math.max(min, values[i]));
}

/** Slice by slice in the plane, then along `axis`. */
function resizeApart(x: HostArray, shape: readonly number[], axis: number, plan: Plan): HostArray {
  const count = x.shape[axis];
  const plane = (size: readonly number[]) => size.filter((_, a) => a !== axis);
  const inPlane = x.shape.map((n, a) => (a === axis ? n : shape[a]));
  const flat = { data: emptyLike(x.data, sizeOf(plane(x.shape))), shape: plane(x.shape) };
  const between = { data: plan.isSeg ? emptyLike(x.data, sizeOf(inPlane)) : new Float64Array(sizeOf(inPlane)), shape: inPlane };
  for (let s = 0; s < count; s++) {
    moveSlice(x, axis, s, flat.data, "out");
    const resized = resize(flat, plane(shape), plan);
    moveSlice(between, axis, s, resized.data, "in");
  }
  if (count === shape[axis]) return between;
  const positions = shape.map((n, a) => (a === axis ? zoomPositions(count, n) : undefined));
  if (plan.isSeg && plan.orderZ > 0) return resizeLabels(between, shape, plan.orderZ, "above");
  return resampleAxes(between, positions, { order: plan.orderZ, mode: "nearest" });
}

/** Copies slice `s` of a volume to `slice`, or `slice` into it. */
function moveSlice({ data, shape }: HostArray, axis: number, s: number, slice: TypedArray, way: "in" | "out"): void {
  const inner = sizeOf(shape.slice(axis + 1));
  const outer = sizeOf(shape.slice(0, axis));
  for (let o = 0; o < outer; o++) {
    const at = (o * shape[axis] + s) * inner;
    if (way === "out") for (let i = 0; i < inner; i++) slice[o * inner + i] = data[at + i];
    else for (let i = 0; i < inner; i++) data[at + i] = slice[o * inner + i];
  }
}
