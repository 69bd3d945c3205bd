/**
 * @file The recipe "nnunet": configures itself from the data, trains and predicts as nnU-Net v2 does (Isensee et al. 2021), and can be taken to it as a results
 * folder.
 */

import type { FolderOptions } from "../../../data/folders/folder_layout.ts";
import { WindowSegmenter } from "../../inference/segmenter.ts";
import { inputChannels, masksOf, previousChannel } from "../../nnunet/cascade.ts";
import { nnunetLabels } from "../../nnunet/experiment.ts";
import { nnunetNetwork } from "../../nnunet/network.ts";
import { nnunetTiles } from "../../nnunet/tiles.ts";
import type { Outputs } from "../../training/trainer.ts";
import { defineRecipe, onlyNetwork } from "../recipe.ts";
import { nnunetOutputs, preparationOf, prepareNnunetCase, restoredChannel } from "./case.ts";
import { checkNnunetOptions, type NnunetRecipeOptions, nnunetOptions } from "./options.ts";
import { augmentSamples, mirrorAxesOf, NnunetSamples } from "./samples.ts";
import { suggestNnunetOptions } from "./suggest.ts";
import { clipNorm, countsOfLevels, forwardLevels, lossOfLevels, optimizerOf, scheduleOf } from "./training.ts";

/** nnU-Net: configures itself. */
export default defineRecipe<NnunetRecipeOptions, Outputs>({
  name: "nnunet",
  version: 1,
  summary:
    "nnU-Net: configures itself from the data and the device; 2d, 3d_fullres, 3d_lowres and the cascade; plans and results folders are nnU-Net v2's",
  module: import.meta.url,
  options: nnunetOptions,
  ignores: true,
  folder: ({ previous = [] }): FolderOptions =>
    previous.length > 0 ? { datasetJson: { extraChannel: { name: previousChannel("3d_lowres"), folders: previous } } } : {},
  suggest: suggestNnunetOptions,
  check: checkNnunetOptions,
  labels: (_, labels) => nnunetLabels(labels),
  outputs: (_, labels) => nnunetOutputs(labels),
  prepare: prepareNnunetCase,
  preparation: preparationOf,
  samples: (cases, context) => new NnunetSamples(cases, context),
  augment: (batch, { config, labels }) => augmentSamples(batch, { ...config, masks: masksOf(config.trained, labels).length }),
  networks(device, { config: { trained }, channels, labels, outputs }) {
    const inputs = inputChannels(trained, channels, labels);
    return { [onlyNetwork]: nnunetNetwork(device, trained, inputs, outputs.channels).initialize() };
  },
  forward: forwardLevels,
  loss: (levels, batch, { config, outputs }) =>
    lossOfLevels(levels, batch, { outputs, batchDice: config.trained.batch_dice ?? false }),
  counts: (levels, batch, { outputs }) => countsOfLevels(levels, batch, outputs),
  online: (context) => ({
    ...context,
    config: { ...context.config, augment: "none", stepsPerEpoch: context.config.validationSteps },
  }),
  optimizer: (model, { config }) => optimizerOf(model, config),
  clipNorm,
  schedule: ({ config }) => scheduleOf(config),
  mirrored: ({ augment }) => augment === "mirror" || augment === "nnunet",
  segmenter(device, networks, { config, outputs }) {
    const c = config.trained;
    const mirrorAxes = config.noMirroring ? [] : mirrorAxesOf(config);
    return new WindowSegmenter(device, networks[onlyNetwork], { ...nnunetTiles(c.patch_size, { mirrorAxes }), outputs });
  },
  restore: (channel, _source, prepared, context) => restoredChannel(channel, prepared, context),
});
