/** @file Crops whose centers are drawn from a label map: `RandCropByPosNegLabel`, `RandCropByLabelClasses`. */
import { ConfigError, DataError, ShapeError } from "../../../host/errors.ts";
import { sizeOf, type HostArray } from "../../../host/array.ts";
import { centeredSlices, crop } from "./crop.ts";
import { stridesOf } from "../../../host/shape.ts";
import { resolveSize, spatialShape, type SpatialSize } from "../../../host/strided.ts";
import { RandomTransform, type Item } from "../transform.ts";

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
}

/** What both label crops share: the centers drawn last, and cutting around them. */
export abstract class LabelCrop extends RandomTransform<HostArray[]> {
  /** Centers of the last draw, in voxels. */
  centers: number[][] = [];
  protected readonly op: string;
  protected readonly options: LabelCropOptions;

  constructor(op: string, options: LabelCropOptions) {
    super();
    const { numSamples = 1 } = options;
    if (!Number.isInteger(numSamples) || numSamples < 1)
      throw new ConfigError(`${op}: numSamples must be an integer from 1 up, got ${numSamples}`);
    this.op = op;
    this.options = options;
  }

  /** Draws the centers from a label map [C, spatial...] and, if given, an image of the same spatial shape. */
  abstract override randomize(label: HostArray, image?: HostArray): void;

  override randomizeItem(item: Item): void {
    const { labelKey = "label", imageKey } = this.options;
    const label = item[labelKey] as HostArray | undefined;
    const image = imageKey === undefined ? undefined : (item[imageKey] as HostArray | undefined);
    if (!label || (imageKey !== undefined && !image)) {
      throw new DataError(
        `${this.op}: the item has no "${label ? imageKey : labelKey}" (its keys: ${Object.keys(item).join(", ")}); set labelKey and imageKey`,
      );
    }
    this.randomize(label, image);
  }

  applyDrawn(x: HostArray): HostArray[] {
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
}

/**
 * `numSamples` crops centered on a foreground voxel with probability pos / (pos + neg), else on a background voxel. A label map of several channels is
 * one-hot: channel 0 is background. If one kind is missing, all centers are of the other. A multi-sample transform. MONAI's `RandCropByPosNegLabel`.
 *
 * As an array transform: `randomize(label, image)`, then `applyDrawn(x)` for each array.
 *
 * Shapes: `[C, …]` → numSamples × `[C, …spatialSize]`.
 * Geometry: dropped.
 * Draws: per sample `rand()` against pos / (pos + neg), then `randint(voxels of that kind)`.
 * @throws ConfigError for options out of range, DataError when neither kind of voxel exists, ShapeError when the crop is larger than the image
 */
export class RandCropByPosNegLabel extends LabelCrop {
  private readonly posRatio: number;

  constructor(options: RandCropByPosNegLabelOptions) {
    super("RandCropByPosNegLabel", options);
    const { pos = 1, neg = 1 } = options;
    if (!(pos >= 0 && neg >= 0 && pos + neg > 0)) {
      throw new ConfigError(`RandCropByPosNegLabel: pos and neg must be 0 or more and not both 0, got pos ${pos}, neg ${neg}`);
    }
    this.posRatio = pos / (pos + neg);
  }

  randomize(label: HostArray, image?: HostArray): void {
    const shape = spatialShape(this.op, label);
    const { fg, bg } = mapBinaryToIndices(label, image, this.options.imageThreshold);
    if (fg.length === 0 && bg.length === 0) {
      throw new DataError(
        `${this.op}: no voxel to center a crop on: the label has no foreground and no background above the image threshold; lower imageThreshold`,
      );
    }
    const ratio = fg.length === 0 ? 0 : bg.length === 0 ? 1 : this.posRatio;
    this.centers = Array.from({ length: this.options.numSamples ?? 1 }, () => {
      const indices = this.random.rand() < ratio ? fg : bg;
      return this.centerAt(indices[this.random.randint(indices.length)], shape);
    });
  }
}

/** How often crops of `RandCropByLabelClasses` are centered on each class. */
export interface RandCropByLabelClassesOptions extends LabelCropOptions {
  /** Weight per class, background included; default all 1. Classes without a voxel get 0. */
  readonly ratios?: readonly number[];
  /** Needed unless the label map is one-hot. */
  readonly numClasses?: number;
}

/**
 * `numSamples` crops centered on voxels of classes drawn by `ratios`; used as `RandCropByPosNegLabel`. A multi-sample transform. MONAI's
 * `RandCropByLabelClasses`.
 *
 * Shapes: `[C, …]` → numSamples × `[C, …spatialSize]`.
 * Geometry: dropped.
 * Draws: `choice(classes, numSamples, { p })`, then `randint(voxels of the class)` per sample.
 * @throws ConfigError for options out of range, DataError without a voxel of a class with a ratio above 0, ShapeError when the crop is larger than the
 *   image
 */
export class RandCropByLabelClasses extends LabelCrop {
  declare protected readonly options: RandCropByLabelClassesOptions;

  constructor(options: RandCropByLabelClassesOptions) {
    super("RandCropByLabelClasses", options);
    if (options.ratios?.some((r) => !(r >= 0)))
      throw new ConfigError(`RandCropByLabelClasses: ratios must be 0 or more, got [${options.ratios.join(", ")}]`);
  }

  randomize(label: HostArray, image?: HostArray): void {
    const { ratios, numClasses, numSamples = 1, imageThreshold } = this.options;
    const shape = spatialShape(this.op, label);
    const indices = mapClassesToIndices(label, numClasses, image, imageThreshold);
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
 */
export function correctCropCenters(
  centers: readonly number[],
  spatialSize: SpatialSize,
  labelSpatialShape: readonly number[],
  allowSmaller = false,
  op = "correctCropCenters",
): number[] {
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

/** Flat indices of foreground and background voxels. Background counts only where `image` (any channel) exceeds the threshold. */
export function mapBinaryToIndices(
  label: HostArray,
  image?: HostArray,
  imageThreshold = 0,
): { fg: Uint32Array; bg: Uint32Array } {
  const voxels = sizeOf(spatialShape("mapBinaryToIndices", label));
  const valid = maskOf("mapBinaryToIndices", voxels, image, imageThreshold);
  const firstChannel = label.shape[0] > 1 ? 1 : 0; // one-hot: channel 0 is background
  const [fg, bg] = collect(voxels, 2, (i, put) => {
    for (let at = firstChannel * voxels + i; at < label.data.length; at += voxels) if (label.data[at] !== 0) return put(0);
    if (valid(i)) put(1);
  });
  return { fg, bg };
}

/** Flat indices of the voxels of each class, only where `image` (any channel) exceeds the threshold. @throws ConfigError without numClasses for a map of one channel */
export function mapClassesToIndices(label: HostArray, numClasses?: number, image?: HostArray, imageThreshold = 0): Uint32Array[] {
  const voxels = sizeOf(spatialShape("mapClassesToIndices", label));
  const channels = label.shape[0];
  const classes = channels > 1 ? channels : numClasses;
  if (classes === undefined) {
    throw new ConfigError("mapClassesToIndices: the label map has one channel, so it is not one-hot; give numClasses");
  }
  const valid = maskOf("mapClassesToIndices", voxels, image, imageThreshold);
  return collect(voxels, classes, (i, put) => {
    if (!valid(i)) return;
    if (channels > 1) for (let c = 0; c < channels; c++) if (label.data[c * voxels + i] !== 0) put(c);
    if (channels === 1) put(label.data[i]);
  });
}

/** Lists of voxels: `assign` puts voxel i on some of `lists` lists. Counts first, so that large volumes take 4 bytes per entry. */
function collect(voxels: number, lists: number, assign: (i: number, put: (list: number) => void) => void): Uint32Array[] {
  const counts = new Uint32Array(lists);
  const count = (list: number): void => void counts[list]++; // a class outside the range is no index, and is ignored
  for (let i = 0; i < voxels; i++) assign(i, count);
  const out = Array.from(counts, (n) => new Uint32Array(n));
  counts.fill(0);
  for (let i = 0; i < voxels; i++) {
    assign(i, (list) => {
      if (list in counts) out[list][counts[list]++] = i;
    });
  }
  return out;
}

function maskOf(op: string, voxels: number, image: HostArray | undefined, threshold: number): (i: number) => boolean {
  if (!image) return () => true;
  if (image.data.length !== voxels * image.shape[0]) {
    throw new ShapeError(
      `${op}: image [${image.shape.join(", ")}] and label differ in spatial size (${voxels} voxels); crop both alike before this`,
    );
  }
  return (i) => {
    for (let at = i; at < image.data.length; at += voxels) if (image.data[at] > threshold) return true;
    return false;
  };
}
