/**
 * @file The recipe "organs of the abdomen": slices of MR or CT volumes, focal loss, a learning rate that falls in steps, steps with a bad loss left out. After
 * a tutorial on the liver in CHAOS (Kavur et al. 2021), with its flips, turns and brightness, and patients on one side of a split.
 */

import {
  NormalizeIntensity,
  Resize,
  ScaleIntensity,
  ScaleIntensityRange,
  type Transform,
} from "../../../data/transforms/index.ts";
import type { HostArray } from "../../../host/array.ts";
import { focalLoss } from "../../../nn/losses/elementwise.ts";
import type { Module } from "../../../nn/module.ts";
import { Adam } from "../../../nn/optim/adam.ts";
import { stepDecay } from "../../../nn/optim/rates.ts";
import type { Device } from "../../../tensor/device.ts";
import { SliceSegmenter } from "../../inference/segmenter.ts";
import { chaosScores } from "../../metrics/chaos.ts";
import { MilesialUNet } from "../../networks/milesial_unet.ts";
import { UNet } from "../../networks/unet.ts";
import { preparedImage, preparedLabel } from "../prepared.ts";
import { defineRecipe, onlyNetwork } from "../recipe.ts";
import { checkChaosOptions, type ChaosOptions, chaosOptions, suggestChaosOptions } from "./options.ts";
import { chaosSamples } from "./samples.ts";

const normalizers: Readonly<Record<ChaosOptions["normalize"], () => Transform>> = {
  scale: () => new ScaleIntensity(),
  zscore: () => new NormalizeIntensity(),
  ct: () => new ScaleIntensityRange({ aMin: -160, aMax: 240, bMin: 0, bMax: 1, clip: true }),
};

type Make = (device: Device, options: ChaosOptions, inChannels: number, outChannels: number) => Module;

const networks: Readonly<Record<ChaosOptions["network"], Make>> = {
  unet: (device, { channels, numResUnits }, inChannels, outChannels) =>
    new UNet(device, {
      spatialDims: 2,
      inChannels,
      outChannels,
      channels,
      strides: channels.slice(1).map(() => 2),
      numResUnits,
    }),
  milesial: (device, { channels }, inChannels, outChannels) =>
    new MilesialUNet(device, { inChannels, outChannels, features: channels }),
};

/** Slices resized in their plane, for `fit` "resize". */
function resized(x: HostArray, { fit, patchSize, sliceAxis }: ChaosOptions, mode: "trilinear" | "nearest-exact"): HostArray {
  if (fit === "crop") return x;
  return new Resize({ spatialSize: patchSize.toSpliced(sliceAxis, 0, -1), mode }).apply(x);
}

/** Organs of the abdomen in slices of MR and CT: CHAOS. */
export default defineRecipe<ChaosOptions>({
  name: "chaos",
  version: 1,
  summary: "2-D UNet with focal loss on slices of MR or CT, folders of CHAOS (DICOM and PNG), split by patient",
  module: import.meta.url,
  options: chaosOptions,
  folder: ({ sequence, phases, organs }) => ({ chaos: { sequence, phases, organs } }),
  suggest: suggestChaosOptions,
  check: checkChaosOptions,
  prepare(source, context) {
    const { config } = context;
    const image = normalizers[config.normalize]().apply(preparedImage(source, context)) as HostArray;
    const label = preparedLabel(source, context);
    return { image: resized(image, config, "trilinear"), label: label && resized(label, config, "nearest-exact") };
  },
  samples: chaosSamples,
  networks: (device, { config, channels, outputs }) => ({
    [onlyNetwork]: networks[config.network](device, config, channels.length, outputs.channels),
  }),
  loss(output, { label }, { config: { gamma, alpha }, outputs }) {
    const coded = outputs.kind === "softmax" ? { useSoftmax: true, toOnehotY: true } : {};
    return focalLoss(output, label, { ...coded, gamma, ...(alpha === "none" ? {} : { alpha }) });
  },
  optimizer: (model, { config }) => new Adam(model.parameters(), { lr: config.lr }),
  schedule: ({ config: { lrEvery, lrFactor } }) => stepDecay({ stepSize: lrEvery, gamma: lrFactor }),
  mirrored: ({ augment }) => augment === "flips",
  segmenter: (device, { [onlyNetwork]: model }, { config, outputs }) =>
    new SliceSegmenter(device, model, {
      patchSize: config.patchSize as [number, number],
      sliceAxis: config.sliceAxis,
      outputs,
    }),
  // The source's grid again.
  postprocess: (labels, { image }, { config: { fit } }) =>
    fit === "crop"
      ? labels
      : (new Resize({ spatialSize: image.shape.slice(1), mode: "nearest-exact" }).apply(labels) as HostArray),
  metrics: chaosScores,
  pictures: "columns",
  pictureAxis: ({ config }) => config.sliceAxis,
});
