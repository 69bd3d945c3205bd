/**
 * @file The recipe "3-D patches": parts of volumes for a 3-D network, drawn around the classes, augmented on the device, and whole volumes by sliding
 * windows. After MONAI's 3-D tutorials (spleen, BraTS) with nnU-Net's augmentation.
 */

import type { Dataset } from "../../../data/datasets/dataset.ts";
import { MapDataset } from "../../../data/datasets/map_dataset.ts";
import { PatchDataset } from "../../../data/datasets/patch_dataset.ts";
import { ShuffleBuffer } from "../../../data/datasets/shuffle_buffer.ts";
import {
  DrawAugmentation,
  type Item,
  onKeys,
  RandCropByLabelClasses,
  RandCropByPosNegLabel,
  RandSpatialCropSamples,
  SpatialPad,
  type Transform,
} from "../../../data/transforms/index.ts";
import { split, squeeze } from "../../../autograd/view.ts";
import { deepSupervisionLoss, diceCELoss, diceFocalLoss } from "../../../nn/losses/compound.ts";
import { focalLoss } from "../../../nn/losses/elementwise.ts";
import { Adam } from "../../../nn/optim/adam.ts";
import { polynomialDecay, type Schedule } from "../../../nn/optim/rates.ts";
import { SGD } from "../../../nn/optim/sgd.ts";
import type { Tensor } from "../../../tensor/tensor.ts";
import { WindowSegmenter } from "../../inference/segmenter.ts";
import { augmentBatch } from "../../training/augmentation.ts";
import { shortSchedule } from "../../training/short_runs.ts";
import type { Outputs } from "../../training/trainer.ts";
import { normalized } from "../intensities.ts";
import { preparedImage, preparedLabel } from "../prepared.ts";
import { type Context, defineRecipe, onlyNetwork, type PreparedCase } from "../recipe.ts";
import { patchNetworks } from "./networks.ts";
import { checkPatchOptions, type PatchOptions, patchOptions, suggestPatchOptions } from "./options.ts";

const keys = ["image", "label"];

/** Samples are larger than patches where these are turned and shrunk, so that there is something at their corners. */
const sampleSize = ({ augment, patchSize }: PatchOptions): number[] =>
  patchSize.map((n) => (augment === "strong" || augment === "unmirrored" ? Math.ceil(n * 1.25) : n));

function takePatches(config: PatchOptions, classes: number): Transform<Item> {
  const size = { spatialSize: sampleSize(config), numSamples: config.samplesPerVolume };
  switch (config.centers) {
    case "uniform":
      return onKeys(
        keys,
        new RandSpatialCropSamples({ roiSize: size.spatialSize, numSamples: config.samplesPerVolume, randomSize: false }),
      );
    case "classes":
      return onKeys(keys, new RandCropByLabelClasses({ ...size, numClasses: classes }));
    case "posneg":
      return onKeys(keys, new RandCropByPosNegLabel({ ...size, pos: config.foreground, neg: 1 - config.foreground }));
  }
}

const never = { prob: 0, range: [0, 0] } as const;
const mirrorOnly = {
  rotation: never,
  scale: { prob: 0, range: [1, 1] },
  noise: never,
  blur: never,
  brightness: never,
  contrast: never,
  lowResolution: { prob: 0, range: [1, 1] },
  gamma: never,
  gammaInverted: never,
} as const;

/** What `DrawAugmentation` is told; by itself it has all kinds. */
const changes = { none: {}, mirror: mirrorOnly, strong: {}, unmirrored: { mirrorAxes: [] } } as const;

function samples(cases: Dataset<PreparedCase>, { config, outputs }: Context<PatchOptions>): Dataset {
  const { samplesPerVolume, patchSize, augment, seed } = config;
  const padded = new MapDataset<Item>(cases, [onKeys(keys, new SpatialPad({ spatialSize: sampleSize(config) }))]);
  const draws = new DrawAugmentation({ size: patchSize, ...changes[augment] });
  const patches = new PatchDataset<Item>(padded, {
    patchFunc: takePatches(config, outputs.kind === "softmax" ? outputs.channels : 2),
    samplesPerImage: samplesPerVolume,
    transform: augment === "none" ? [] : [draws],
  });
  return new ShuffleBuffer<Item>(patches, { bufferSize: 64, seed });
}

const schedules: Readonly<Record<PatchOptions["schedule"], (epochs: number) => Schedule>> = {
  constant: () => (_, base) => base,
  poly: (epochs) => polynomialDecay({ totalIters: epochs, power: 0.9 }),
  cosine: shortSchedule,
};

/** Loss of one output. */
function lossOf(output: Tensor, label: Tensor, { config, outputs }: Context<PatchOptions>): Tensor {
  const coded = outputs.kind === "softmax" ? { softmax: true, toOnehotY: true } : { sigmoid: true };
  if (config.loss === "diceCe") return diceCELoss(output, label, { ...coded, batch: true });
  if (config.loss === "diceFocal") return diceFocalLoss(output, label, { ...coded, batch: true });
  return focalLoss(output, label, outputs.kind === "softmax" ? { useSoftmax: true, toOnehotY: true } : {});
}

/** 3-D patches of volumes: UNet, VNet, SegResNet or DynUNet. */
export default defineRecipe<PatchOptions, Outputs>({
  name: "patches3d",
  version: 1,
  summary: "3-D UNet, VNet, SegResNet or DynUNet on patches of volumes, sliding windows",
  module: import.meta.url,
  options: patchOptions,
  suggest: suggestPatchOptions,
  check: checkPatchOptions,
  prepare(source, context) {
    return { image: normalized(preparedImage(source, context), context.config), label: preparedLabel(source, context) };
  },
  samples,
  augment: (batch, { config }) => (config.augment === "none" ? batch : augmentBatch(batch, { size: config.patchSize })),
  networks: (device, { config, channels, outputs }) => ({
    [onlyNetwork]: patchNetworks[config.network](device, config, channels.length, outputs.channels),
  }),
  // A DynUNet stacks what its levels say: [N, levels, C, …].
  forward(model, image) {
    const y = model.forward(image);
    return y.rank === image.rank ? y : split(y, 1, 1).map((level) => squeeze(level, 1));
  },
  loss: (output, { label }, context) => deepSupervisionLoss(output, label, (y, target) => lossOf(y, target, context)),
  optimizer(model, { config: { optimizer, lr } }) {
    if (optimizer === "adam") return new Adam(model.parameters(), { lr });
    return new SGD(model.parameters(), { lr, momentum: 0.99, nesterov: true, weightDecay: 3e-5 });
  },
  schedule: ({ config: { schedule, epochs } }) => schedules[schedule](epochs),
  mirrored: ({ augment }) => augment === "mirror" || augment === "strong",
  segmenter: (device, networks, { config, outputs }) =>
    new WindowSegmenter(device, networks[onlyNetwork], {
      roiSize: config.patchSize,
      overlap: config.overlap,
      mode: "gaussian",
      swBatchSize: config.windowBatch,
      ...(config.tta && { mirrorAxes: [0, 1, 2] }),
      outputs,
    }),
});
