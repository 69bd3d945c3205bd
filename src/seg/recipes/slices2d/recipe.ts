/**
 * @file The recipe "2-D slices from 3-D volumes": whole volumes are read once, then each epoch draws slices of them for a residual UNet. After MONAI's
 * tutorial 2d_slices_from_3d, sharded once where that shards twice.
 */

import type { Dataset, ItemTransform } from "../../../data/datasets/dataset.ts";
import { MapDataset } from "../../../data/datasets/map_dataset.ts";
import { PatchDataset } from "../../../data/datasets/patch_dataset.ts";
import { ShuffleBuffer } from "../../../data/datasets/shuffle_buffer.ts";
import {
  type Item,
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
  SqueezeDim,
  type Transform,
} from "../../../data/transforms/index.ts";
import { eq } from "../../../autograd/pointwise.ts";
import { diceLoss } from "../../../nn/losses/dice.ts";
import { polynomialDecay } from "../../../nn/optim/rates.ts";
import { Adam } from "../../../nn/optim/adam.ts";
import { SliceSegmenter } from "../../inference/segmenter.ts";
import { UNet } from "../../networks/unet.ts";
import { normalized } from "../intensities.ts";
import { preparedIgnored, preparedImage, preparedLabel } from "../prepared.ts";
import { type Context, defineRecipe, onlyNetwork, type PreparedCase } from "../recipe.ts";
import { checkSliceOptions, type SliceOptions, sliceOptions, suggestSliceOptions } from "./options.ts";

const both = ["image", "label"];

/** The arrays of a case that change their place together. */
const placedKeys = ({ outputs }: Context): string[] => (outputs.ignore === undefined ? both : [...both, "ignored"]);

function volumeAugmentation({ augment, sliceAxis }: SliceOptions, keys: readonly string[]): ItemTransform[] {
  if (augment !== "rotate") return [];
  const inPlane = [0, 1, 2].filter((a) => a !== sliceAxis);
  return [onKeys(keys, new RandRotate90({ prob: 0.5, spatialAxes: [inPlane[0], sliceAxis] }))];
}

function sliceAugmentation({ augment }: SliceOptions, keys: readonly string[]): ItemTransform[] {
  if (augment !== "mild") return [];
  return [
    onKeys(keys, new RandFlip({ prob: 0.5, spatialAxis: 0 })),
    onKeys("image", new RandScaleIntensity({ factors: 0.2, prob: 0.5 })),
    onKeys("image", new RandAdjustContrast({ prob: 0.3, gamma: [0.7, 1.5] })),
    onKeys("image", new RandGaussianNoise({ prob: 0.3, std: 0.1 })),
  ];
}

/** Whole slices of a volume as 3-D arrays of depth 1 along the slice axis. */
function takeSlices({ foreground, sliceAxis, samplesPerVolume }: SliceOptions, keys: readonly string[]): Transform<Item> {
  const roiSize = [-1, -1, -1].with(sliceAxis, 1);
  if (foreground === 0)
    return onKeys(keys, new RandSpatialCropSamples({ roiSize, numSamples: samplesPerVolume, randomSize: false }));
  return onKeys(
    keys,
    new RandCropByPosNegLabel({
      spatialSize: roiSize,
      pos: foreground,
      neg: 1 - foreground,
      numSamples: samplesPerVolume,
    }),
  );
}

function samples(cases: Dataset<PreparedCase>, context: Context<SliceOptions>): Dataset {
  const { config, outputs } = context;
  const keys = placedKeys(context);
  const { patchSize, samplesPerVolume, sliceAxis } = config;
  const fit =
    config.fit === "resize" ? new Resize({ spatialSize: patchSize }) : new ResizeWithPadOrCrop({ spatialSize: patchSize });
  const volumes = new MapDataset<Item>(cases, volumeAugmentation(config, keys));
  const patches = new PatchDataset<Item>(volumes, {
    patchFunc: takeSlices(config, keys),
    samplesPerImage: samplesPerVolume,
    transform: [
      onKeys(keys, new SqueezeDim({ dim: sliceAxis + 1 })),
      // The area mean of a mask is a soft target, as in the tutorial; class numbers must not be averaged.
      onKeys(keys, fit, outputs.kind === "softmax" ? { labels: ["label"] } : { compat: "monai" }),
      ...sliceAugmentation(config, keys),
    ],
  });
  return new ShuffleBuffer<Item>(patches, { bufferSize: 512, seed: config.seed });
}

/** A 2-D residual UNet on slices of volumes: MONAI's tutorial 2d_slices_from_3d as a recipe. */
export default defineRecipe<SliceOptions>({
  name: "slices2d",
  version: 1,
  summary: "2-D residual UNet on slices of volumes (MONAI's tutorial 2d_slices_from_3d)",
  module: import.meta.url,
  options: sliceOptions,
  ignores: true,
  suggest: suggestSliceOptions,
  check: checkSliceOptions,
  prepare(source, context) {
    const image = normalized(preparedImage(source, context), context.config);
    return { image, label: preparedLabel(source, context), ...preparedIgnored(source, context) };
  },
  samples,
  networks: (device, { config, channels, outputs }) => ({
    [onlyNetwork]: new UNet(device, {
      spatialDims: 2,
      inChannels: channels.length,
      outChannels: outputs.channels,
      channels: config.channels,
      strides: config.channels.slice(1).map(() => 2),
      numResUnits: config.numResUnits,
    }),
  }),
  loss(output, { label, ignored }, { outputs }) {
    // A voxel that resizing has mixed with ignored ones is ignored too.
    const voxelWeight = outputs.ignore === undefined ? {} : { voxelWeight: eq(ignored, 0) };
    if (outputs.kind !== "softmax") return diceLoss(output, label, { sigmoid: true, ...voxelWeight });
    return diceLoss(output, label, { softmax: true, toOnehotY: true, batch: true, ...voxelWeight });
  },
  optimizer: (model, { config }) => new Adam(model.parameters(), { lr: config.lr }),
  schedule: ({ config }) =>
    config.schedule === "poly" ? polynomialDecay({ totalIters: config.epochs, power: 0.9 }) : (_, base) => base,
  mirrored: ({ augment }) => augment === "mild",
  segmenter: (device, networks, { config, outputs }) =>
    new SliceSegmenter(device, networks[onlyNetwork], {
      patchSize: config.patchSize as [number, number],
      sliceAxis: config.sliceAxis,
      outputs,
    }),
  pictureAxis: ({ config }) => config.sliceAxis,
});
