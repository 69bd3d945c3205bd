/**
 * @file The recipe "2-D slices from 3-D volumes" as a dataset that worker threads build for themselves: whole volumes are read once, then each
 * epoch draws slices of them. After MONAI's tutorial 2d_slices_from_3d, sharded once where that shards twice.
 */

import { type Case, type LabelClass } from "../../../data/folders/decathlon.ts";
import { loadCase } from "../../../data/folders/decathlon.node.ts";
import { type Dataset, type ItemTransform, MapDataset, PatchDataset, ShuffleBuffer } from "../../../data/datasets/dataset.ts";
import {
  type Item,
  NormalizeIntensity,
  onKeys,
  RandAdjustContrast,
  RandCropByPosNegLabel,
  RandFlip,
  RandGaussianNoise,
  RandRotate90,
  RandScaleIntensity,
  RandSpatialCropSamples,
  Resize,
  ResizeWithPadOrCrop,
  ScaleIntensity,
  SqueezeDim,
  type Transform,
} from "../../../data/transforms/index.ts";
import { DataError, ShapeError } from "../../../host/errors.ts";
import type { HostArray } from "../../../host/array.ts";
import type { RunConfig } from "../config.ts";

export interface SliceArgs {
  readonly cases: readonly Case[];
  /** Of the images. */
  readonly channels: number;
  readonly labels: readonly LabelClass[];
  readonly config: RunConfig;
}

/** A case made ready: image with its intensities normalised, label with class indices. */
export interface PreparedCase extends Item {
  readonly image: HostArray<Float32Array>;
  readonly label: HostArray<Float32Array>;
}

export function intensityTransform(config: RunConfig): Transform {
  return config.normalize === "scale" ? new ScaleIntensity() : new NormalizeIntensity();
}

/** The image of a case as floats. Throws `ShapeError` for another number of channels, `DataError` for voxels that are not finite. */
export function prepareImage(id: string, image: HostArray, channels: number, config: RunConfig): HostArray<Float32Array> {
  if (image.shape[0] !== channels)
    throw new ShapeError(`case "${id}": the image has ${image.shape[0]} channels, the dataset names ${channels}`);
  const data = Float32Array.from(image.data);
  const bad = data.findIndex((v) => !Number.isFinite(v));
  if (bad >= 0) {
    const at = [...image.shape]
      .reverse()
      .reduce<[number[], number]>(([p, rest], n) => [[rest % n, ...p], Math.floor(rest / n)], [[], bad])[0];
    throw new DataError(
      `case "${id}": the image has the value ${data[bad]} at [${at}] (channel, x, y, z); repair or leave out the case`,
    );
  }
  return intensityTransform(config).apply({ data, shape: image.shape }) as HostArray<Float32Array>;
}

/** Class indices (position in `labels`) of stored label values. Throws `DataError` if there is no foreground, unless that is allowed. */
export function prepareLabel(
  id: string,
  label: HostArray,
  labels: readonly LabelClass[],
  allowEmpty: boolean,
): HostArray<Float32Array> {
  const index = new Map(labels.flatMap((l, i) => l.values.map((v) => [v, i] as const)));
  const data = Float32Array.from(label.data, (v) => index.get(v) ?? 0);
  if (!allowEmpty && !data.some((v) => v > 0)) {
    throw new DataError(
      `case "${id}": the label is empty (no voxel of ${labels.slice(1).map((l) => l.name)}); leave out the case or pass --allow-empty`,
    );
  }
  return { data, shape: label.shape };
}

class CaseDataset implements Dataset<PreparedCase> {
  private readonly args: SliceArgs;
  private readonly loaded = new Map<number, Promise<PreparedCase>>();

  constructor(args: SliceArgs) {
    this.args = args;
  }

  get length(): number {
    return this.args.cases.length;
  }

  get(index: number): Promise<PreparedCase> {
    let item = this.loaded.get(index);
    if (!item) this.loaded.set(index, (item = this.load(this.args.cases[index])));
    return item;
  }

  private async load(source: Case): Promise<PreparedCase> {
    const { labels, channels, config } = this.args;
    const { image, label } = await loadCase(source, labels);
    if (!label) throw new DataError(`case "${source.id}" has no label, but training needs one`);
    return {
      image: prepareImage(source.id, image, channels, config),
      label: prepareLabel(source.id, label, labels, config.allowEmpty),
    };
  }
}

const both = ["image", "label"];

function volumeAugmentation(config: RunConfig): ItemTransform[] {
  if (config.augment !== "rotate") return [];
  const inPlane = [0, 1, 2].filter((a) => a !== config.sliceAxis);
  return [onKeys(both, new RandRotate90({ prob: 0.5, spatialAxes: [inPlane[0], config.sliceAxis] }))];
}

function sliceAugmentation(config: RunConfig): ItemTransform[] {
  if (config.augment !== "mild") return [];
  return [
    onKeys(both, new RandFlip({ prob: 0.5, spatialAxis: 0 })),
    onKeys("image", new RandScaleIntensity({ factors: 0.2, prob: 0.5 })),
    onKeys("image", new RandAdjustContrast({ prob: 0.3, gamma: [0.7, 1.5] })),
    onKeys("image", new RandGaussianNoise({ prob: 0.3, std: 0.1 })),
  ];
}

/** Whole slices of a volume as 3-D arrays of depth 1 along the slice axis. */
function takeSlices(config: RunConfig): Transform<Item> {
  const roiSize = [-1, -1, -1].with(config.sliceAxis, 1);
  if (config.foreground === 0) {
    return onKeys(both, new RandSpatialCropSamples({ roiSize, numSamples: config.samplesPerVolume, randomSize: false }));
  }
  return onKeys(
    both,
    new RandCropByPosNegLabel({
      spatialSize: roiSize,
      pos: config.foreground,
      neg: 1 - config.foreground,
      numSamples: config.samplesPerVolume,
    }),
  );
}

/** The factory that a DataLoader calls in each of its threads. */
export default function slices(args: SliceArgs): Dataset {
  const { config } = args;
  const fit =
    config.fit === "resize"
      ? new Resize({ spatialSize: config.patchSize })
      : new ResizeWithPadOrCrop({ spatialSize: config.patchSize });
  const volumes = new MapDataset<Item>(new CaseDataset(args), volumeAugmentation(config));
  const patches = new PatchDataset<Item>(volumes, {
    patchFunc: takeSlices(config),
    samplesPerImage: config.samplesPerVolume,
    transform: [
      onKeys(both, new SqueezeDim({ dim: config.sliceAxis + 1 })),
      // Two classes: the area mean of a mask is a soft target, as in the tutorial. More: class numbers must not be averaged.
      onKeys(both, fit, args.labels.length === 2 ? { compat: "monai" } : {}),
      ...sliceAugmentation(config),
    ],
  });
  return new ShuffleBuffer<Item>(patches, { bufferSize: 512, seed: config.seed });
}
