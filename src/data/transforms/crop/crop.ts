/** @file Deterministic crops: `SpatialCrop`, `CenterSpatialCrop`, `CenterScaleCrop`. A crop never reaches outside the image: it is cut at the border. */
import { ConfigError } from "../../../host/errors.ts";
import type { HostArray } from "../../../host/array.ts";
import { stridesOf } from "../../../host/shape.ts";
import { copyView, resolveSize, spatialShape, type SpatialSize } from "../../../host/strided.ts";
import type { Transform } from "../transform.ts";

/** Start and end (exclusive) per axis; null or undefined = the border; negative from the end. */
export type RoiSlice = readonly [start: number | null | undefined, stop: number | null | undefined];

/** Exactly one of the three forms. */
export type SpatialCropOptions =
  | { readonly roiCenter: number | readonly number[]; readonly roiSize: number | readonly number[] }
  | { readonly roiStart: number | readonly number[]; readonly roiEnd: number | readonly number[] }
  | { readonly roiSlices: readonly RoiSlice[] };

/**
 * Crops a region given by center and size (start = center − ⌊size / 2⌋, at least 0), by start and end, or by slices; axes without an entry are kept
 * whole. A region is cut at the border of the image. MONAI's `SpatialCrop`.
 *
 * Shapes: `[C, …]` → `[C, …region]`.
 * Geometry: dropped.
 * @throws ConfigError when the options name none of the forms
 */
export class SpatialCrop implements Transform {
  private readonly slices: readonly RoiSlice[];

  constructor(options: SpatialCropOptions) {
    if ("roiSlices" in options && options.roiSlices) this.slices = options.roiSlices;
    else if ("roiCenter" in options && options.roiCenter !== undefined && options.roiSize !== undefined) {
      this.slices = centeredSlices(listOf(options.roiCenter), listOf(options.roiSize));
    } else if ("roiStart" in options && options.roiStart !== undefined && options.roiEnd !== undefined) {
      const end = listOf(options.roiEnd);
      this.slices = listOf(options.roiStart).map((s, i) => {
        const start = Math.max(s, 0);
        return [start, Math.max(end[i], start)];
      });
    } else {
      throw new ConfigError("SpatialCrop: give roiCenter and roiSize, or roiStart and roiEnd, or roiSlices");
    }
  }

  apply(x: HostArray): HostArray {
    return crop("SpatialCrop", x, this.slices);
  }
}

/**
 * Crops `roiSize` around the center voxel ⌊size / 2⌋; null, 0 and negative sizes keep the axis, larger ones than the image are cut to it. MONAI's
 * `CenterSpatialCrop`.
 *
 * Shapes: `[C, s…]` → `[C, min(s, roiSize)…]`.
 * Geometry: dropped.
 * @throws ConfigError for a wrong number of sizes
 */
export class CenterSpatialCrop implements Transform {
  private readonly roiSize: SpatialSize;

  constructor({ roiSize }: { readonly roiSize: SpatialSize }) {
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
 * Geometry: dropped.
 * @throws ShapeError without a spatial axis
 */
export class CenterScaleCrop implements Transform {
  private readonly roiScale: number | readonly number[];

  constructor({ roiScale }: { readonly roiScale: number | readonly number[] }) {
    this.roiScale = roiScale;
  }

  apply(x: HostArray): HostArray {
    const image = spatialShape("CenterScaleCrop", x);
    const scale = this.roiScale;
    const size = image.map((s, i) => Math.ceil((typeof scale === "number" ? scale : scale[i % scale.length]) * s));
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
  return center.map((c, i) => {
    const start = Math.max(c - Math.floor(size[i] / 2), 0);
    return [start, start + size[i]];
  });
}

/** Crops the spatial axes of a channel-first array, slices as in Python: cut at the border, empty when stop <= start. */
export function crop(op: string, x: HostArray, slices: readonly RoiSlice[]): HostArray {
  const image = spatialShape(op, x);
  const strides = stridesOf(x.shape);
  const shape = [...x.shape];
  let first = 0;
  image.forEach((size, i) => {
    const [start, stop] = slices[i] ?? [];
    const from = bound(start ?? 0, size);
    shape[i + 1] = Math.max(bound(stop ?? size, size) - from, 0);
    first += strides[i + 1] * from;
  });
  return copyView(x.data, shape, strides, first);
}

function bound(at: number, size: number): number {
  return Math.min(Math.max(at < 0 ? at + size : at, 0), size);
}

function listOf(v: number | readonly number[]): readonly number[] {
  return typeof v === "number" ? [v] : v;
}
