/** @file Boxes around the foreground: `CropForeground`, `BoundingRect`, `generateSpatialBoundingBox`. */
import { expectArguments, expectKinds } from "../../../host/kinds.ts";
import { expectOptions } from "../../../host/options.ts";
import { ConfigError, ShapeError } from "../../../host/errors.ts";
import { sizeOf, type HostArray } from "../../../host/array.ts";
import { cropWindow, type RoiSlice } from "./crop.ts";
import { movedWindow } from "../moved.ts";
import { perAxis, checkedOptions } from "../options.ts";
import { checkFill, padAxes, padFillNames, type PadFill } from "../pad/pad_axes.ts";
import { spatialShape } from "../../../host/strided.ts";
import type { ItemWide, Transform } from "../transform.ts";

/** What counts as foreground, and what is added around it. */
export interface BoundingBoxOptions {
  /** Which values are foreground. Default: above 0. `v` is one voxel of a channel. */
  readonly selectFn?: (v: number) => unknown;
  /** Channels that are looked at; default all. */
  readonly channelIndices?: number | readonly number[] | null;
  /** Voxels added on each side, one for all axes or one per axis. Default 0. */
  readonly margin?: number | readonly number[];
  /** Cut the box at the image's border, in place of letting the margin reach outside. Default false. */
  readonly allowSmaller?: boolean;
}

/** Start and end (exclusive) of the foreground of `[C, …]` per spatial axis, with margin; all zeros when there is none. */
export function generateSpatialBoundingBox(x: HostArray, options: BoundingBoxOptions = {}): { start: number[]; end: number[] } {
  expectOptions(
    "generateSpatialBoundingBox",
    options,
    "selectFn:function? channelIndices:spread? margin:spread allowSmaller:boolean",
  );
  const { selectFn, channelIndices, margin = 0, allowSmaller = false } = options;
  const op = "generateSpatialBoundingBox";
  const image = spatialShape(op, x);
  const margins = perAxis(op, "margin", margin, image.length);
  if (margins.some((m) => !Number.isInteger(m) || m < 0))
    throw new ConfigError(`${op}: margin must be integers from 0 up, got ${String(margin)}`);
  const { first, last } = extent(x, image, channelList(op, channelIndices, x.shape[0]), selectFn);
  if (last[0] < 0) return { start: image.map(() => 0), end: image.map(() => 0) };
  const start = first.map((v, a) => v - margins[a]);
  const end = last.map((v, a) => v + margins[a] + 1);
  return allowSmaller
    ? { start: start.map((v) => Math.max(v, 0)), end: end.map((v, a) => Math.min(v, image[a])) }
    : { start, end };
}

/** First and last selected place along each axis; above 0 is tested in place, another choice is a call per voxel. */
function extent(
  x: HostArray,
  image: readonly number[],
  channels: readonly number[],
  select: ((v: number) => unknown) | undefined,
) {
  const first = image.map(() => Infinity);
  const last = image.map(() => -1);
  const length = image.at(-1)!;
  const axis = image.length - 1;
  const rows = sizeOf(image) / Math.max(1, length);
  for (const c of channels) {
    for (let row = 0, from = c * rows * length; row < rows; row++, from += length) {
      let low = 0;
      let high = length - 1;
      if (select) while (low < length && !select(x.data[from + low])) low++;
      else while (low < length && !(x.data[from + low] > 0)) low++;
      if (low === length) continue;
      if (select) while (!select(x.data[from + high])) high--;
      else while (!(x.data[from + high] > 0)) high--;
      if (low < first[axis]) first[axis] = low;
      if (high > last[axis]) last[axis] = high;
      for (let a = axis - 1, rest = row; a >= 0; a--) {
        const at = rest % image[a];
        if (at < first[a]) first[a] = at;
        if (at > last[a]) last[a] = at;
        rest = (rest - at) / image[a];
      }
    }
  }
  return { first, last };
}

/** The size raised to a multiple of `k`; a `k` of 0 or below keeps an axis. MONAI's `compute_divisible_spatial_size`. */
export function computeDivisibleSpatialSize(size: readonly number[], k: number | readonly number[]): number[] {
  expectKinds("computeDivisibleSpatialSize", { numbers: { size }, spread: { k } });
  const steps = perAxis("computeDivisibleSpatialSize", "k", k, size.length);
  return size.map((s, i) => (steps[i] > 0 ? Math.ceil(s / steps[i]) * steps[i] : s));
}

/** Options of `CropForeground`. */
export type CropForegroundOptions = BoundingBoxOptions & {
  /** Default 1. */
  readonly kDivisible?: number | readonly number[];
  /** Under `onKeys`: the entry whose foreground chooses the box for all. Default the first of the keys. */
  readonly sourceKey?: string;
} & PadFill;

const boxNames = "selectFn:function channelIndices:sizes margin:sizes allowSmaller:boolean";

/**
 * Crops to the bounding box of the foreground, its size raised to a multiple of `kDivisible` (default 1); where the box reaches outside the image it
 * is padded. Without foreground the result is empty. Under `onKeys` all arrays are cropped to one box, that of the entry `sourceKey`. `box` gives the
 * coordinates, as `return_coords` does in MONAI. MONAI's `CropForeground`.
 *
 * Shapes: `[C, …]` → `[C, …box]`.
 * Geometry: kept.
 * @throws ConfigError for a margin below 0, an unknown mode or option, ShapeError for a channel outside the image
 */
export class CropForeground implements Transform, ItemWide {
  /** Names and kinds of the options it takes. */
  static readonly options: string = `${boxNames} kDivisible:sizes sourceKey:text ${padFillNames}`;
  /** Entry of the item whose foreground counts; default the first of the keys. */
  readonly sourceKey: string | undefined;
  private readonly boxOptions: BoundingBoxOptions;
  private readonly kDivisible: number | readonly number[];
  private readonly fill: PadFill;

  constructor(options: CropForegroundOptions = {}) {
    checkedOptions("CropForeground", options, CropForeground.options);
    const { selectFn, channelIndices, margin, allowSmaller, kDivisible = 1, sourceKey, ...fill } = options;
    checkFill("CropForeground", fill);
    this.boxOptions = {
      ...(selectFn && { selectFn }),
      ...(channelIndices !== undefined && channelIndices !== null && { channelIndices }),
      ...(margin !== undefined && { margin }),
      ...(allowSmaller !== undefined && { allowSmaller }),
    };
    this.kDivisible = kDivisible;
    this.sourceKey = sourceKey;
    this.fill = fill;
  }

  /** Start and end (exclusive) of the box that an array is cropped to, in voxels; it may reach outside. */
  box(x: HostArray): { start: number[]; end: number[] } {
    const { start, end } = generateSpatialBoundingBox(x, this.boxOptions);
    const size = end.map((e, i) => e - start[i]);
    const divisible = computeDivisibleSpatialSize(size, this.kDivisible);
    const from = start.map((s, i) => s - Math.floor((divisible[i] - size[i]) / 2));
    return { start: from, end: from.map((s, i) => s + divisible[i]) };
  }

  apply(x: HostArray): HostArray {
    expectArguments("CropForeground", "array", { x });
    return this.forItem(x).apply(x);
  }

  /** Crops to the foreground of `source`: what `apply` of the result does to each array `[C, …]` of the item. */
  forItem(source: HostArray): { apply(x: HostArray): HostArray } {
    const op = "CropForeground";
    const image = spatialShape(op, source);
    const { start, end } = this.box(source);
    const slices: RoiSlice[] = start.map((s, i) => [Math.max(s, 0), Math.max(end[i], 0)]);
    const widths = start.map((s, i) => [Math.max(-s, 0), Math.max(end[i] - image[i], 0)] as const);
    const apply = (x: HostArray): HostArray => {
      if (spatialShape(op, x).join() !== image.join())
        throw new ShapeError(
          `${op}: the box was chosen on an array of size [${image}] and cannot crop one of shape [${x.shape}]`,
        );
      const cropped = cropWindow(op, x, slices);
      return movedWindow(
        op,
        x,
        padAxes(op, cropped.out, widths, this.fill),
        cropped.start.map((s, i) => s - widths[i][0]),
      );
    };
    return { apply };
  }
}

/**
 * The bounding box of each channel's foreground: start and end (exclusive) of each axis in turn; zeros where there is none. MONAI's `BoundingRect`.
 *
 * Shapes: `[C, …]` → `[C, 2 · axes]`, int32.
 * Geometry: dropped.
 * @throws ShapeError without a spatial axis
 */
export class BoundingRect implements Transform {
  /** Names and kinds of the options it takes. */
  static readonly options: string = "selectFn:function";
  private readonly box: BoundingBoxOptions;

  constructor(options: Pick<BoundingBoxOptions, "selectFn"> = {}) {
    const { selectFn } = checkedOptions("BoundingRect", options, BoundingRect.options);
    this.box = selectFn ? { selectFn } : {};
  }

  apply(x: HostArray): HostArray {
    const dims = spatialShape("BoundingRect", x).length;
    const data = new Int32Array(x.shape[0] * 2 * dims);
    for (let c = 0; c < x.shape[0]; c++) {
      const { start, end } = generateSpatialBoundingBox(x, { ...this.box, channelIndices: c });
      for (let a = 0; a < dims; a++) data.set([start[a], end[a]], (c * dims + a) * 2);
    }
    return { data, shape: [x.shape[0], 2 * dims] };
  }
}

function channelList(op: string, indices: number | readonly number[] | null | undefined, count: number): number[] {
  if (indices === undefined || indices === null) return Array.from({ length: count }, (_, c) => c);
  return [indices].flat().map((c) => {
    const channel = c < 0 ? c + count : c;
    if (!(channel >= 0 && channel < count))
      throw new ShapeError(`${op}: channel ${c} is outside the ${count} channels of the image`);
    return channel;
  });
}
