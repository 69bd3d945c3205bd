/** @file Deterministic crops: `SpatialCrop`, `CenterSpatialCrop`, `CenterScaleCrop`. A crop never reaches outside the image: it is cut at the border. */
import { expectArguments } from "../../../host/kinds.ts";
import { ConfigError } from "../../../host/errors.ts";
import type { HostArray, TypedArray } from "../../../host/array.ts";
import { stridesOf } from "../../../host/shape.ts";
import { copyView, resolveSize, spatialShape, type SpatialSize } from "../../../host/strided.ts";
import { movedWindow } from "../moved.ts";
import { perAxis, checkedOptions } from "../options.ts";
import type { Transform } from "../transform.ts";

/** Start and end (exclusive) per axis; null or undefined = the border; negative from the end. */
export type RoiSlice = readonly [start?: number | null, stop?: number | null, step?: 1 | null];

/**
 * Exactly one of the three forms. All are in voxels, one per spatial axis or one for all: `roiCenter` with `roiSize`, `roiStart` with `roiEnd` (exclusive),
 * or `roiSlices`.
 */
export type SpatialCropOptions =
  | { readonly roiCenter: number | readonly number[]; readonly roiSize: number | readonly number[] }
  | { readonly roiStart: number | readonly number[]; readonly roiEnd: number | readonly number[] }
  | { readonly roiSlices: readonly RoiSlice[] };

/**
 * Crops a region given by center and size (start = center − ⌊size / 2⌋, at least 0), by start and end, or by slices; axes without an entry are kept
 * whole. A region is cut at the border of the image. MONAI's `SpatialCrop`.
 *
 * Shapes: `[C, …]` → `[C, …region]`.
 * Geometry: kept.
 * @throws ConfigError when the options name none of the forms
 */
export class SpatialCrop implements Transform {
  /** Names and kinds of the options it takes. */
  static readonly options: string = "roiCenter:sizes roiSize:sizes roiStart:sizes roiEnd:sizes roiSlices:lists";
  private readonly slices: readonly RoiSlice[];

  constructor(options: SpatialCropOptions) {
    checkedOptions("SpatialCrop", options, SpatialCrop.options);
    if ("roiSlices" in options && options.roiSlices) this.slices = checkedSlices(options.roiSlices);
    else if ("roiCenter" in options && options.roiCenter !== undefined && options.roiSize !== undefined) {
      this.slices = centeredSlices(listOf(options.roiCenter), listOf(options.roiSize));
    } else if ("roiStart" in options && options.roiStart !== undefined && options.roiEnd !== undefined) {
      const [starts, ends] = alike(listOf(options.roiStart), listOf(options.roiEnd));
      this.slices = starts.map((s, i) => {
        const start = Math.max(s, 0);
        return [start, Math.max(ends[i], start)];
      });
    } else {
      throw new ConfigError("SpatialCrop: give roiCenter and roiSize, or roiStart and roiEnd, or roiSlices");
    }
  }

  apply(x: HostArray): HostArray {
    expectArguments("SpatialCrop", "array", { x });
    return crop("SpatialCrop", x, this.slices);
  }
}

/**
 * Crops `roiSize` around the center voxel ⌊size / 2⌋; null, 0 and negative sizes keep the axis, larger ones than the image are cut to it. MONAI's
 * `CenterSpatialCrop`.
 *
 * Shapes: `[C, s…]` → `[C, min(s, roiSize)…]`.
 * Geometry: kept.
 * @throws ConfigError for a wrong number of sizes
 */
export class CenterSpatialCrop implements Transform {
  /** Names and kinds of the options it takes. */
  static readonly options: string = "roiSize:sizes!";
  private readonly roiSize: SpatialSize;

  constructor(options: { readonly roiSize: SpatialSize }) {
    const { roiSize } = checkedOptions("CenterSpatialCrop", options, CenterSpatialCrop.options);
    this.roiSize = roiSize;
  }

  apply(x: HostArray): HostArray {
    const image = spatialShape("CenterSpatialCrop", x);
    const size = resolveSize("CenterSpatialCrop", this.roiSize, image);
    return crop("CenterSpatialCrop", x, centerOf(image, size));
  }
}

/**
 * Crops ⌈roiScale · size⌉ around the center; scales of 0 or less keep the axis. MONAI's `CenterScaleCrop`.
 *
 * Shapes: `[C, s…]` → `[C, ⌈roiScale · s⌉…]`.
 * Geometry: kept.
 * @throws ShapeError without a spatial axis
 */
export class CenterScaleCrop implements Transform {
  /** Names and kinds of the options it takes. */
  static readonly options: string = "roiScale:sizes!";
  private readonly roiScale: number | readonly number[];

  constructor(options: { readonly roiScale: number | readonly number[] }) {
    const { roiScale } = checkedOptions("CenterScaleCrop", options, CenterScaleCrop.options);
    this.roiScale = roiScale;
  }

  apply(x: HostArray): HostArray {
    const image = spatialShape("CenterScaleCrop", x);
    const scale = perAxis("CenterScaleCrop", "roiScale", this.roiScale, image.length);
    const size = image.map((s, i) => Math.ceil(scale[i] * s));
    return crop("CenterScaleCrop", x, centerOf(image, resolveSize("CenterScaleCrop", size, image)));
  }
}

/** Slices of a centered region. */
export function centerOf(image: readonly number[], size: readonly number[]): RoiSlice[] {
  return centeredSlices(
    image.map((s) => Math.floor(s / 2)),
    size,
  );
}

/** Slices of a region of `size` around the voxel `center`, moved to start at 0 or later. */
export function centeredSlices(center: readonly number[], size: readonly number[]): RoiSlice[] {
  const [centers, sizes] = alike(center, size);
  return centers.map((c, i) => {
    const start = Math.max(c - Math.floor(sizes[i] / 2), 0);
    return [start, Math.max(start, start + sizes[i])];
  });
}

/** Two lists of the same length: a single value stands for all axes. */
function alike(a: readonly number[], b: readonly number[]): [readonly number[], readonly number[]] {
  const length = Math.max(a.length, b.length);
  if ((a.length !== length && a.length !== 1) || (b.length !== length && b.length !== 1))
    throw new ConfigError(`SpatialCrop: give as many values for both ends, got [${a.join(", ")}] and [${b.join(", ")}]`);
  const spread = (list: readonly number[]) => (list.length === length ? list : new Array<number>(length).fill(list[0]));
  return [spread(a), spread(b)];
}

function checkedSlices(slices: readonly RoiSlice[]): readonly RoiSlice[] {
  const odd = slices.find(([, , step]) => step !== undefined && step !== null && step !== 1);
  if (odd)
    throw new ConfigError(
      `SpatialCrop: roiSlices must have step 1, got ${String(odd[2])}; crop first, then take every n-th voxel`,
    );
  return slices;
}

/** The region that slices name, as in Python: cut at the border, empty when stop <= start; and where it starts. */
export function cropWindow<A extends TypedArray>(
  op: string,
  x: HostArray<A>,
  slices: readonly RoiSlice[],
): { readonly out: HostArray<A>; readonly start: number[] } {
  const image = spatialShape(op, x);
  const strides = stridesOf(x.shape);
  const shape = [...x.shape];
  let first = 0;
  const begin = image.map((size, i) => {
    const [start, stop] = slices[i] ?? [];
    const from = bound(start ?? 0, size);
    shape[i + 1] = Math.max(bound(stop ?? size, size) - from, 0);
    first += strides[i + 1] * from;
    return from;
  });
  return { out: copyView(x.data, shape, strides, first), start: begin };
}

/** Crops the spatial axes of a channel-first array; a volume keeps its place in space. */
export function crop<A extends TypedArray>(op: string, x: HostArray<A>, slices: readonly RoiSlice[]): HostArray<A> {
  const { out, start } = cropWindow(op, x, slices);
  return movedWindow(op, x, out, start);
}

function bound(at: number, size: number): number {
  return Math.min(Math.max(at < 0 ? at + size : at, 0), size);
}

function listOf(v: number | readonly number[]): readonly number[] {
  return typeof v === "number" ? [v] : v;
}
