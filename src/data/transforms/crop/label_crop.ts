/** @file Crops whose centers are drawn from a label map: `RandCropByPosNegLabel`, `RandCropByLabelClasses`. */
import { expectArguments } from "../../../host/kinds.ts";
import { ConfigError, DataError, ShapeError } from "../../../host/errors.ts";
import { expectIntegers } from "../../../host/integers.ts";
import { type HostArray } from "../../../host/array.ts";
import { centeredSlices, crop } from "./crop.ts";
import { binaryVoxels, mapClassesToIndices, type Voxels } from "./label_indices.ts";
import { stridesOf } from "../../../host/shape.ts";
import { resolveSize, spatialShape, type SpatialSize } from "../../../host/strided.ts";
import { RandomTransform, type Item } from "../transform.ts";
import { expectSameSpace } from "../drawn_for.ts";
import { checkedOptions } from "../options.ts";

/** Options of `LabelCrop`. */
export interface LabelCropOptions {
  /** Crop size; null, 0 and negative sizes mean the image's. */
  readonly spatialSize: SpatialSize;
  /** Crops per image. Default 1. */
  readonly numSamples?: number;
  /** Centers count only where `image` is above this. Default 0. */
  readonly imageThreshold?: number;
  /** Cut the crop to an image smaller than it, in place of an error. Default false. */
  readonly allowSmaller?: boolean;
  /** Entry of an item that holds the label map. Default "label". */
  readonly labelKey?: string;
  /** Entry of an item that is compared with `imageThreshold`; none by default. */
  readonly imageKey?: string;
  /** The label map, where it is the same for all calls, so that none need be drawn from. Shape `[C, …]`. */
  readonly label?: HostArray | null;
  /** What is compared with `imageThreshold`, likewise. Shape `[C, …]`. */
  readonly image?: HostArray | null;
}

const shared =
  "spatialSize:sizes numSamples:number imageThreshold:number allowSmaller:boolean labelKey:text imageKey:text label:array image:array";

/** What both label crops share: the centers drawn last, and cutting around them. */
export abstract class LabelCrop extends RandomTransform<HostArray[]> {
  /** Centers of the last draw, in voxels. */
  centers: number[][] = [];
  /** Spatial shape of the label that they were drawn in. */
  protected space: readonly number[] = [];
  /** Name for error messages. */
  protected readonly op: string;
  /** Its options, with defaults where there are any. */
  protected readonly options: LabelCropOptions;

  /** @param op name for error messages */
  constructor(op: string, options: LabelCropOptions) {
    super();
    expectArguments(op, "object", { options });
    const { numSamples = 1 } = options;
    expectIntegers(op, { numSamples }, 1);
    this.op = op;
    this.options = options;
  }

  /** Draws the centers from a label map [C, spatial...] and, if given, an image of the same spatial shape. */
  abstract override randomize(label: HostArray, image?: HostArray): void;

  override randomizeItem(item: Item): void {
    const { labelKey = "label", imageKey } = this.options;
    const label = this.options.label ?? (item[labelKey] as HostArray | undefined);
    const image = imageKey === undefined ? undefined : (item[imageKey] as HostArray | undefined);
    if (!label || (imageKey !== undefined && !image)) {
      throw new DataError(
        `${this.op}: the item has no "${label ? imageKey : labelKey}" (its keys: ${Object.keys(item).join(", ")}); set labelKey and imageKey`,
      );
    }
    this.randomize(label, image);
  }

  /** Flat indices that an item has under a key, as an array or a list. `value` is what the item has there. */
  protected indicesIn(value: unknown, key: string): ArrayLike<number> {
    const found = value as (Partial<HostArray> & Partial<ArrayLike<number>>) | undefined;
    const list = found?.data ?? found;
    if (typeof list?.length === "number") return list as ArrayLike<number>;
    throw new DataError(`${this.op}: the item has no indices under "${key}"; make them first, or leave out the key`);
  }

  applyDrawn(x: HostArray): HostArray[] {
    expectSameSpace(this.op, x, this.space);
    const size = resolveSize(this.op, this.options.spatialSize, spatialShape(this.op, x));
    return this.centers.map((c) => crop(this.op, x, centeredSlices(c, size)));
  }

  /** The voxel with flat index `flat`, moved so that the crop stays inside the image. */
  protected centerAt(flat: number, image: readonly number[]): number[] {
    const strides = stridesOf(image);
    const center = image.map((s, i) => Math.floor(flat / strides[i]) % s);
    return correctCropCenters(center, this.options.spatialSize, image, this.options.allowSmaller, this.op);
  }
}

/** How often crops of `RandCropByPosNegLabel` are centered on foreground. */
export interface RandCropByPosNegLabelOptions extends LabelCropOptions {
  /** Weight of foreground centers; default 1. */
  readonly pos?: number;
  /** Weight of background centers; default 1. */
  readonly neg?: number;
  /** Flat indices of foreground and background, in place of looking for them; both or none. */
  readonly fgIndices?: ArrayLike<number> | null;
  /** Flat indices of background. */
  readonly bgIndices?: ArrayLike<number> | null;
  /** Entries of an item that hold them; both or none. */
  readonly fgIndicesKey?: string;
  /** Entry of an item that holds those of background. */
  readonly bgIndicesKey?: string;
}

/**
 * `numSamples` crops centered on a foreground voxel with probability pos / (pos + neg), else on a background voxel. A label map of several channels is
 * one-hot: channel 0 is background. If one kind is missing, all centers are of the other. A multi-sample transform. MONAI's `RandCropByPosNegLabel`.
 *
 * As an array transform: `randomize(label, image)`, then `applyDrawn(x)` for each array.
 *
 * Shapes: `[C, …]` → numSamples × `[C, …spatialSize]`.
 * Geometry: kept.
 * Draws: per sample `rand()` against pos / (pos + neg), then `randint(voxels of that kind)`.
 * @throws ConfigError for options out of range, DataError when neither kind of voxel exists, ShapeError when the crop is larger than the image
 */
export class RandCropByPosNegLabel extends LabelCrop {
  /** Names and kinds of the options it takes. */
  static readonly options: string = `${shared} pos:number neg:number fgIndices:weights bgIndices:weights fgIndicesKey:text bgIndicesKey:text`;
  declare protected readonly options: RandCropByPosNegLabelOptions;
  private readonly posRatio: number;
  private ofItem: { readonly fg: ArrayLike<number>; readonly bg: ArrayLike<number> } | undefined;

  constructor(options: RandCropByPosNegLabelOptions) {
    super("RandCropByPosNegLabel", options);
    checkedOptions("RandCropByPosNegLabel", options, RandCropByPosNegLabel.options);
    const { pos = 1, neg = 1 } = options;
    if (!(pos >= 0 && neg >= 0 && pos + neg > 0)) {
      throw new ConfigError(`RandCropByPosNegLabel: pos and neg must be 0 or more and not both 0, got pos ${pos}, neg ${neg}`);
    }
    this.posRatio = pos / (pos + neg);
  }

  override randomizeItem(item: Item): void {
    const { fgIndicesKey, bgIndicesKey } = this.options;
    this.ofItem =
      fgIndicesKey && bgIndicesKey
        ? { fg: this.indicesIn(item[fgIndicesKey], fgIndicesKey), bg: this.indicesIn(item[bgIndicesKey], bgIndicesKey) }
        : undefined;
    super.randomizeItem(item);
  }

  randomize(label: HostArray, image?: HostArray): void {
    const shape = spatialShape(this.op, label);
    this.space = shape;
    const { fgIndices, bgIndices, imageThreshold } = this.options;
    const given = this.ofItem ?? (fgIndices && bgIndices ? { fg: fgIndices, bg: bgIndices } : undefined);
    const { fg, bg } = given
      ? { fg: listed(given.fg), bg: listed(given.bg) }
      : binaryVoxels(this.options.label ?? label, image ?? this.options.image ?? undefined, imageThreshold);
    if (fg.length === 0 && bg.length === 0) {
      throw new DataError(
        `${this.op}: no voxel to center a crop on: the label has no foreground and no background above the image threshold; lower imageThreshold`,
      );
    }
    const ratio = fg.length === 0 ? 0 : bg.length === 0 ? 1 : this.posRatio;
    this.centers = Array.from({ length: this.options.numSamples ?? 1 }, () => {
      const voxels = this.random.rand() < ratio ? fg : bg;
      return this.centerAt(voxels.at(this.random.randint(voxels.length)), shape);
    });
  }
}

const listed = (indices: ArrayLike<number>): Voxels => ({ length: indices.length, at: (k) => indices[k] });

/** How often crops of `RandCropByLabelClasses` are centered on each class. */
export interface RandCropByLabelClassesOptions extends LabelCropOptions {
  /** Weight per class, background included; default all 1. Classes without a voxel get 0. */
  readonly ratios?: readonly number[];
  /** Needed unless the label map is one-hot. */
  readonly numClasses?: number;
  /** Flat indices per class, in place of looking for them. */
  readonly indices?: readonly ArrayLike<number>[] | null;
  /** Entry of an item that holds a list of them. */
  readonly indicesKey?: string;
  /** Look for at most as many centers of a class, evenly spread over its voxels. */
  readonly maxSamplesPerClass?: number | null;
  /** MONAI warns of classes without a voxel; here they are left out silently either way. */
  readonly warn?: boolean;
}

/**
 * `numSamples` crops centered on voxels of classes drawn by `ratios`; used as `RandCropByPosNegLabel`. A multi-sample transform. MONAI's
 * `RandCropByLabelClasses`.
 *
 * Shapes: `[C, …]` → numSamples × `[C, …spatialSize]`.
 * Geometry: kept.
 * Draws: `choice(classes, numSamples, { p })`, then `randint(voxels of the class)` per sample.
 * @throws ConfigError for options out of range, DataError without a voxel of a class with a ratio above 0, ShapeError when the crop is larger than the
 *   image
 */
export class RandCropByLabelClasses extends LabelCrop {
  /** Names and kinds of the options it takes. */
  static readonly options: string = `${shared} ratios:numbers numClasses:number indices:list indicesKey:text maxSamplesPerClass:number warn:boolean`;
  declare protected readonly options: RandCropByLabelClassesOptions;
  private ofItem: readonly ArrayLike<number>[] | undefined;

  constructor(options: RandCropByLabelClassesOptions) {
    super("RandCropByLabelClasses", options);
    checkedOptions("RandCropByLabelClasses", options, RandCropByLabelClasses.options);
    if (options.ratios?.some((r) => !(r >= 0)))
      throw new ConfigError(`RandCropByLabelClasses: ratios must be 0 or more, got [${options.ratios.join(", ")}]`);
  }

  override randomizeItem(item: Item): void {
    const { indicesKey } = this.options;
    const lists = indicesKey === undefined ? undefined : item[indicesKey];
    if (indicesKey !== undefined && !Array.isArray(lists))
      throw new DataError(
        `${this.op}: the item has no list of indices under "${indicesKey}"; make it first, or leave out the key`,
      );
    this.ofItem = (lists as unknown[] | undefined)?.map((list) => this.indicesIn(list, indicesKey!));
    super.randomizeItem(item);
  }

  randomize(label: HostArray, image?: HostArray): void {
    const { ratios, numClasses, numSamples = 1, imageThreshold, maxSamplesPerClass } = this.options;
    const shape = spatialShape(this.op, label);
    this.space = shape;
    const indices =
      this.ofItem ??
      this.options.indices ??
      mapClassesToIndices(
        this.options.label ?? label,
        numClasses,
        image ?? this.options.image ?? undefined,
        imageThreshold,
        maxSamplesPerClass ?? undefined,
      );
    if (ratios && ratios.length !== indices.length) {
      throw new ConfigError(
        `${this.op}: expected one ratio per class (${indices.length}, background included), got ${ratios.length}`,
      );
    }
    const weights = indices.map((list, c) => (list.length === 0 ? 0 : (ratios?.[c] ?? 1)));
    const sum = weights.reduce((a, b) => a + b, 0);
    if (sum === 0) throw new DataError(`${this.op}: no voxel of any class with a ratio above 0; check ratios and imageThreshold`);
    const classes = this.random.choice(weights.length, numSamples, { p: weights.map((w) => w / sum) });
    this.centers = classes.map((c) => this.centerAt(indices[c][this.random.randint(indices[c].length)], shape));
  }
}

/**
 * Moves a crop center so that the crop lies inside the image: into [floor(size / 2), floor(shape + 1 − size / 2) − 1].
 *
 * @throws ShapeError when the crop is larger than the image, unless `allowSmaller`
 * @param centers the voxel of each spatial axis
 * @param spatialSize of the crop, in voxels
 * @param labelSpatialShape of the image
 * @param op name for error messages
 */
export function correctCropCenters(
  centers: readonly number[],
  spatialSize: SpatialSize,
  labelSpatialShape: readonly number[],
  allowSmaller = false,
  op = "correctCropCenters",
): number[] {
  expectArguments(op, "numbers", { centers, labelSpatialShape });
  let size = resolveSize(op, spatialSize, labelSpatialShape);
  if (size.some((s, i) => s > labelSpatialShape[i])) {
    if (!allowSmaller) {
      throw new ShapeError(
        `${op}: the crop [${size.join(", ")}] is larger than the image [${labelSpatialShape.join(", ")}]; pad the image, lower spatialSize or set allowSmaller`,
      );
    }
    size = size.map((s, i) => Math.min(s, labelSpatialShape[i]));
  }
  return centers.map((c, i) => {
    const first = Math.floor(size[i] / 2);
    const end = Math.floor(labelSpatialShape[i] + 1 - size[i] / 2);
    return Math.min(Math.max(c, first), Math.max(end, first + 1) - 1);
  });
}
