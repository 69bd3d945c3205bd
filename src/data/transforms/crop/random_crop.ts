/** @file Crops of random place and size: `RandSpatialCrop`, `RandSpatialCropSamples`. */
import { ShapeError } from "../../../host/errors.ts";
import { expectIntegers } from "../../../host/integers.ts";
import type { HostArray } from "../../../host/array.ts";
import type { RandomSource } from "../../../host/random/numpy.ts";
import { centerOf, crop, type RoiSlice } from "./crop.ts";
import { resolveSize, spatialShape, type SpatialSize } from "../../../host/strided.ts";
import { expectSameSpace } from "../drawn_for.ts";
import { perAxis, checkedOptions } from "../options.ts";
import { RandomTransform } from "../transform.ts";

/** Size and place of a random crop. */
export interface RandSpatialCropOptions {
  /** Crop size; null, 0 and negative sizes mean the image's. The smallest size when `randomSize` is set. */
  readonly roiSize: SpatialSize;
  /** Largest size when `randomSize` is set; default the image. */
  readonly maxRoiSize?: SpatialSize | null;
  /** Random place (default true) or the center. */
  readonly randomCenter?: boolean;
  /** Draw the size between roiSize and maxRoiSize, both included. Default false. */
  readonly randomSize?: boolean;
}

const names = "roiSize:sizes! maxRoiSize:sizes randomCenter:boolean randomSize:boolean";

/**
 * One random crop; a size larger than the image is cut to the image. MONAI's `RandSpatialCrop`.
 *
 * Shapes: `[C, …]` → `[C, …roiSize]`, with `randomSize` from roiSize to maxRoiSize.
 * Geometry: kept.
 * Draws: with `randomSize`, `randint(size, largest + 1)` for every axis; then, with `randomCenter`, `randint(0, image − size + 1)` for every axis that is
 * longer than its crop.
 * @throws ConfigError for a wrong number of sizes, ShapeError for a roiSize above maxRoiSize
 */
export class RandSpatialCrop extends RandomTransform {
  /** Names and kinds of the options it takes. */
  static readonly options: string = names;
  private readonly options: RandSpatialCropOptions;
  private slices: RoiSlice[] = [];
  private image: readonly number[] = [];

  constructor(options: RandSpatialCropOptions) {
    super();
    checkedOptions("RandSpatialCrop", options, names);
    this.options = options;
  }

  randomize(x: HostArray): void {
    this.image = spatialShape("RandSpatialCrop", x);
    this.slices = drawSlices("RandSpatialCrop", this.random, this.image, this.options);
  }
  applyDrawn(x: HostArray): HostArray {
    expectSameSpace("RandSpatialCrop", x, this.image);
    return crop("RandSpatialCrop", x, this.slices);
  }
}

/**
 * `numSamples` independent random crops of one image. A multi-sample transform. MONAI's `RandSpatialCropSamples`.
 *
 * Shapes: `[C, …]` → numSamples × `[C, …roiSize]`, with `randomSize` from roiSize to maxRoiSize.
 * Geometry: kept.
 * Draws: per sample, with `randomSize`, `randint(size, largest + 1)` for every axis; then, with `randomCenter`, `randint(0, image − size + 1)` for
 * every axis that is longer than its crop.
 * @throws ConfigError for a `numSamples` below 1 and a wrong number of sizes, ShapeError for a roiSize above maxRoiSize
 */
export class RandSpatialCropSamples extends RandomTransform<HostArray[]> {
  /** Names and kinds of the options it takes. */
  static readonly options: string = `${names} numSamples:number`;
  private readonly options: RandSpatialCropOptions & { readonly numSamples: number };
  private slices: RoiSlice[][] = [];
  private image: readonly number[] = [];

  constructor(options: RandSpatialCropOptions & { readonly numSamples: number }) {
    super();
    checkedOptions("RandSpatialCropSamples", options, RandSpatialCropSamples.options);
    const { numSamples } = options;
    expectIntegers("RandSpatialCropSamples", { numSamples }, 1);
    this.options = options;
  }

  randomize(x: HostArray): void {
    this.image = spatialShape("RandSpatialCropSamples", x);
    this.slices = Array.from({ length: this.options.numSamples }, () =>
      drawSlices("RandSpatialCropSamples", this.random, this.image, this.options),
    );
  }
  applyDrawn(x: HostArray): HostArray[] {
    expectSameSpace("RandSpatialCropSamples", x, this.image);
    return this.slices.map((s) => crop("RandSpatialCropSamples", x, s));
  }
}

/** Size and place of a random crop, relative to the image. */
export interface RandScaleCropOptions extends Omit<RandSpatialCropOptions, "roiSize" | "maxRoiSize"> {
  /** Crop size as a share of the image's, rounded up; the smallest one when `randomSize` is set. 0 and below mean the whole axis. */
  readonly roiScale: number | readonly number[];
  /** Largest share when `randomSize` is set; default the image. */
  readonly maxRoiScale?: number | readonly number[] | null;
}

/**
 * One random crop of a share of the image. MONAI's `RandScaleCrop`.
 *
 * Shapes: `[C, s…]` → `[C, ⌈roiScale · s⌉…]`, with `randomSize` up to `⌈maxRoiScale · s⌉`.
 * Geometry: kept.
 * Draws: with `randomSize`, `randint(size, largest + 1)` for every axis; then, with `randomCenter`, `randint(0, image − size + 1)` for every axis that is
 * longer than its crop.
 * @throws ConfigError for a wrong number of scales, ShapeError for a roiScale above maxRoiScale
 */
export class RandScaleCrop extends RandomTransform {
  /** Names and kinds of the options it takes. */
  static readonly options: string = "roiScale:sizes! maxRoiScale:sizes randomCenter:boolean randomSize:boolean";
  private readonly options: RandScaleCropOptions;
  private slices: RoiSlice[] = [];
  private image: readonly number[] = [];

  constructor(options: RandScaleCropOptions) {
    super();
    checkedOptions("RandScaleCrop", options, RandScaleCrop.options);
    this.options = options;
  }

  randomize(x: HostArray): void {
    const { roiScale, maxRoiScale, ...rest } = this.options;
    const image = spatialShape("RandScaleCrop", x);
    this.image = image;
    const share = (name: string, scale: number | readonly number[]) =>
      perAxis("RandScaleCrop", name, scale, image.length).map((r, i) => Math.ceil(r * image[i]));
    const roiSize = share("roiScale", roiScale);
    const maxRoiSize = maxRoiScale === undefined || maxRoiScale === null ? null : share("maxRoiScale", maxRoiScale);
    this.slices = drawSlices("RandScaleCrop", this.random, image, { ...rest, roiSize, maxRoiSize });
  }
  applyDrawn(x: HostArray): HostArray {
    expectSameSpace("RandScaleCrop", x, this.image);
    return crop("RandScaleCrop", x, this.slices);
  }
}

/** Draws in MONAI's order: the sizes of all axes, then the start of each axis that is longer than its crop. */
function drawSlices(op: string, random: RandomSource, image: readonly number[], options: RandSpatialCropOptions): RoiSlice[] {
  const { roiSize, maxRoiSize, randomCenter = true, randomSize = false } = options;
  let size = resolveSize(op, roiSize, image);
  if (randomSize) {
    const max = maxRoiSize === undefined || maxRoiSize === null ? image : resolveSize(op, maxRoiSize, image);
    if (size.some((s, i) => s > max[i])) {
      throw new ShapeError(
        `${op}: roiSize [${size.join(", ")}] is larger than the largest size [${max.join(", ")}]; lower roiSize or raise maxRoiSize`,
      );
    }
    size = size.map((s, i) => random.randint(s, max[i] + 1));
  }
  if (!randomCenter) return centerOf(image, size);
  const valid = size.map((s, i) => Math.min(s, image[i]));
  return valid.map((s, i) => {
    const start = image[i] > s ? random.randint(0, image[i] - s + 1) : 0;
    return [start, start + s];
  });
}
