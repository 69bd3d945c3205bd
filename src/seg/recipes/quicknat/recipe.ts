/**
 * @file The recipe "QuickNAT" (Roy et al. 2019, arXiv 1801.04161): volumes as coronal, axial and sagittal slices, a network for each view, cross-entropy by
 * median frequency with Dice, and the three predictions added up.
 */

import { structureLabels } from "../../../data/brain_structures.ts";
import type { Dataset } from "../../../data/datasets/dataset.ts";
import { MapDataset } from "../../../data/datasets/map_dataset.ts";
import { ShuffleBuffer } from "../../../data/datasets/shuffle_buffer.ts";
import { foregroundOf, type LabelClass } from "../../../data/labels.ts";
import type { SliceOrientation } from "../../../data/orientation.ts";
import {
  type Item,
  onKeys,
  RandAdjustContrast,
  RandGaussianNoise,
  RandScaleIntensity,
  ScaleIntensity,
} from "../../../data/transforms/index.ts";
import { reshape } from "../../../autograd/view.ts";
import { ConfigError } from "../../../host/errors.ts";
import { quickNatCombinedLoss } from "../../../nn/losses/quicknat.ts";
import { Adam } from "../../../nn/optim/adam.ts";
import { polynomialDecay, stepDecay } from "../../../nn/optim/rates.ts";
import { SGD } from "../../../nn/optim/sgd.ts";
import type { Tensor } from "../../../tensor/tensor.ts";
import { ViewsSegmenter } from "../../inference/views_segmenter.ts";
import { QuickNat } from "../../networks/quicknat.ts";
import { classCounts } from "../class_counts.ts";
import { preparedImage, preparedLabel } from "../prepared.ts";
import { type Context, defineRecipe, type PreparedCase } from "../recipe.ts";
import { checkQuickNatOptions, type QuickNatRecipeOptions, quickNatOptions, suggestQuickNatOptions } from "./options.ts";
import { ViewSlices } from "./view_slices.ts";
import { viewAxes } from "./views.ts";

const mild = [
  onKeys("image", new RandScaleIntensity({ factors: 0.2, prob: 0.5 })),
  onKeys("image", new RandAdjustContrast({ prob: 0.3, gamma: [0.7, 1.5] })),
  onKeys("image", new RandGaussianNoise({ prob: 0.3, std: 0.05 })),
];

function samples(cases: Dataset<PreparedCase>, context: Context<QuickNatRecipeOptions>, network: string): Dataset {
  const { config, outputs, orientation } = context;
  const axes = viewAxes(network as SliceOrientation, orientation);
  const slices: Dataset = new ViewSlices(cases, { ...config, axes, classes: outputs.channels });
  const changed = new MapDataset<Item>(slices, config.augment === "mild" ? mild : []);
  return new ShuffleBuffer<Item>(changed, { bufferSize: 512, seed: config.seed });
}

/** Throws `ConfigError` for classes that share a value: each voxel has one. */
function expectDisjoint(labels: readonly LabelClass[]): readonly LabelClass[] {
  const names = new Map<number, string>();
  for (const { name, values } of foregroundOf(labels)) {
    for (const v of values) {
      const other = names.get(v);
      if (other !== undefined)
        throw new ConfigError(`recipe quicknat gives each voxel one class, but the value ${v} is in "${other}" and "${name}"`);
      names.set(v, name);
    }
  }
  return labels;
}

/** Class indices `[N, 1, H, W]` as `[N, H, W]`. */
const flat = (t: Tensor): Tensor => reshape(t, t.shape.toSpliced(1, 1));

const rates = { sgd: 0.1, adam: 1e-4 } as const;

/** QuickNAT in three views. */
export default defineRecipe<QuickNatRecipeOptions>({
  name: "quicknat",
  version: 1,
  summary: "QuickNAT: a 2-D network for each of three views of volumes, added up",
  module: import.meta.url,
  options: quickNatOptions,
  suggest: suggestQuickNatOptions,
  check: checkQuickNatOptions,
  labels: ({ structures }, labels) =>
    expectDisjoint(
      structures === "dataset"
        ? labels
        : structureLabels(
            labels.flatMap((l) => l.values),
            structures,
          ),
    ),
  outputs: () => "softmax",
  prepare: (source, context) => ({
    image: new ScaleIntensity({ channelWise: true }).apply(preparedImage(source, context)),
    label: preparedLabel(source, context),
  }),
  samples,
  networks: (device, { config, channels, outputs }) =>
    Object.fromEntries(
      config.views.map((view) => [
        view,
        new QuickNat(device, {
          inChannels: channels.length,
          outChannels: outputs.channels,
          numFilters: config.filters,
          kernelH: config.kernel,
          kernelW: config.kernel,
          seBlock: config.seBlock,
          dropOut: config.dropout,
        }),
      ]),
    ),
  loss: (output, { label, weight }, { config }) =>
    quickNatCombinedLoss(output, flat(label), {
      ...(config.weights !== "none" && { weight: flat(weight) }),
      ...(config.doubleSoftmax && { compat: "quicknat" }),
    }),
  counts: (output, { label }) => classCounts(output, label),
  optimizer(model, { config }) {
    const { optimizer, momentum, weightDecay } = config;
    const lr = config.lr === 0 ? rates[optimizer] : config.lr;
    if (optimizer === "adam") return new Adam(model.parameters(), { lr, weightDecay });
    return new SGD(model.parameters(), { lr, momentum, weightDecay });
  },
  schedule({ config: { schedule, stepEpochs, gamma, epochs } }) {
    if (schedule === "step") return stepDecay({ stepSize: stepEpochs, gamma });
    return schedule === "poly" ? polynomialDecay({ totalIters: epochs, power: 0.9 }) : (_, base) => base;
  },
  mirrored: () => false,
  // A part of the networks is a part of the views.
  segmenter(device, networks, { config, outputs, orientation }) {
    const { viewWeights, volumeSize, combine, sliceBatch, deviceMemory } = config;
    const of = <T>(make: (view: SliceOrientation, i: number) => T) =>
      Object.fromEntries(config.views.map((v, i) => [v, make(v, i)]));
    return new ViewsSegmenter(device, networks, {
      combine,
      weights: viewWeights.length > 0 ? of((_, i) => viewWeights[i]) : undefined,
      axes: of((view) => viewAxes(view, orientation)),
      minSize: volumeSize as unknown as readonly [number, number, number],
      multiple: 16,
      batchSize: sliceBatch,
      maxBytes: Math.floor(deviceMemory * 2 ** 30),
      outputs,
    });
  },
});
