/** @file The options of the recipe "QuickNAT", and what suits data that nobody has tuned yet. */

import type { SliceOrientation } from "../../../data/orientation.ts";
import { ConfigError } from "../../../host/errors.ts";
import { medianLow } from "../../../host/stats.ts";
import { between, integer, integers, oneOf, type Option, type OptionTable, positive, toggle } from "../options.ts";
import type { DataFacts, RunConfig, SuggestedOptions } from "../recipe.ts";
import { views as allViews } from "./views.ts";

/** Options of `quicknatRecipe`. */
export interface QuickNatRecipeOptions {
  /** The views that have a network: coronal, axial, sagittal. */
  readonly views: readonly SliceOrientation[];
  /** Factor of each of `views` in the sum; empty for the paper's 0.4 COR, 0.4 AXI, 0.2 SAG (logits: 1 each). */
  readonly viewWeights: readonly number[];
  /** What is added up. */
  readonly combine: "probabilities" | "logits";
  /** The classes: those of the dataset, or QuickNAT's 32 structures by FreeSurfer's or the neonatal numbers. */
  readonly structures: "dataset" | "FS" | "Neo";
  /** Slices of each view taken from each volume per epoch. */
  readonly samplesPerVolume: number;
  /** Volumes are padded or cropped to this before they are sliced for training, and padded to it for prediction. */
  readonly volumeSize: readonly number[];
  /** Train on every second slice only. */
  readonly thin: boolean;
  /** Slices at either end of a volume that are not trained on. */
  readonly skipSlices: number;
  /** Slices with at least this share of background are not trained on; 1 keeps all but the empty ones, above 1 those too. */
  readonly maxBackground: number;
  /** "mild" varies brightness, contrast and noise. */
  readonly augment: "none" | "mild";
  /** Channels of every block. */
  readonly filters: number;
  /** Odd. */
  readonly kernel: number;
  /** Squeeze and excitation: none, of channels, of positions, of both. */
  readonly seBlock: "NONE" | "CSE" | "SSE" | "CSSE";
  /** Rate of channel dropout. */
  readonly dropout: number;
  /** Cross-entropy by median frequency and borders, or the same everywhere. */
  readonly weights: "medianFrequency" | "none";
  /** Added to the weight where the label changes. */
  readonly edgeWeight: number;
  /** The original's Dice loss, which applies softmax twice; only to reproduce it. */
  readonly doubleSoftmax: boolean;
  /** SGD with momentum, or Adam. */
  readonly optimizer: "sgd" | "adam";
  /** At the start; 0 for 0.1 (SGD) or 1e-4 (Adam). */
  readonly lr: number;
  /** Of SGD. */
  readonly momentum: number;
  /** L2 penalty. */
  readonly weightDecay: number;
  /** How the rate falls: by steps, as (1 − e/E)^0.9, or not. */
  readonly schedule: "step" | "poly" | "constant";
  /** Epochs until "step" multiplies the rate by `gamma`. */
  readonly stepEpochs: number;
  /** Factor of a step. */
  readonly gamma: number;
  /** Slices per pass of a network in prediction. */
  readonly sliceBatch: number;
  /** Device memory for prediction in GiB. */
  readonly deviceMemory: number;
}

const viewList: Option<readonly SliceOrientation[]> = {
  expects: `some of ${allViews.join(", ")}, each once`,
  fits: (v) =>
    Array.isArray(v) &&
    v.length > 0 &&
    new Set(v).size === v.length &&
    v.every((name) => allViews.includes(name as SliceOrientation)),
  help: "views that have a network, e.g. COR,AXI,SAG",
  read: (text) => text.split(","),
};

const weightList: Option<readonly number[]> = {
  expects: "positive numbers, one per view, or none",
  fits: (v) => Array.isArray(v) && v.every((n) => typeof n === "number" && n > 0 && Number.isFinite(n)),
  help: "of the views in the sum; default 0.4,0.4,0.2 for COR,AXI,SAG",
  read: (text) => text.split(",").map(Number),
  standard: [],
};

export const quickNatOptions: OptionTable<QuickNatRecipeOptions> = {
  views: viewList,
  viewWeights: weightList,
  combine: oneOf(["probabilities", "logits"], "what views add up: probabilities or logits", { standard: "probabilities" }),
  structures: oneOf(["dataset", "FS", "Neo"], "classes: dataset, or QuickNAT's 32 structures by FS or Neo numbers", {
    standard: "dataset",
  }),
  samplesPerVolume: integer(1, "slices of each view taken from each volume per epoch"),
  volumeSize: integers(3, "x,y,z that volumes are padded or cropped to before they are sliced"),
  thin: toggle("train on every second slice only"),
  skipSlices: integer(0, "slices at either end that are not trained on", { standard: 0 }),
  maxBackground: between(0, 2, "share of background from which a slice is not trained on", { standard: 0.99 }),
  augment: oneOf(["none", "mild"], "none, or mild: brightness, contrast and noise", { standard: "none" }),
  filters: integer(1, "channels of every block"),
  kernel: integer(1, "size of the convolutions, odd", { standard: 5 }),
  seBlock: oneOf(["NONE", "CSE", "SSE", "CSSE"], "squeeze and excitation: NONE, CSE, SSE or CSSE", { standard: "CSSE" }),
  dropout: between(0, 0.9, "rate of channel dropout", { standard: 0.2 }),
  weights: oneOf(["medianFrequency", "none"], "of the cross-entropy: medianFrequency or none", { standard: "medianFrequency" }),
  edgeWeight: between(0, 100, "added to the weight where the label changes", { standard: 2 }),
  doubleSoftmax: toggle("the original's Dice loss, to reproduce it"),
  optimizer: oneOf(["sgd", "adam"], "sgd or adam", { standard: "sgd" }),
  lr: between(0, 10, "learning rate at the start; 0 for 0.1 (sgd) or 1e-4 (adam)", { standard: 0 }),
  momentum: between(0, 0.999, "of sgd", { standard: 0.95 }),
  weightDecay: between(0, 1, "L2 penalty", { standard: 1e-4 }),
  schedule: oneOf(["step", "poly", "constant"], "step, poly or constant", { standard: "step" }),
  stepEpochs: integer(1, "epochs until step multiplies the rate by gamma", { standard: 10 }),
  gamma: between(0, 1, "factor of step", { standard: 0.1 }),
  sliceBatch: integer(1, "slices per pass of a network in prediction", { standard: 8 }),
  deviceMemory: positive("GiB of device memory for prediction", { standard: 2 }),
};

/** Throws `ConfigError`. */
export function checkQuickNatOptions(config: RunConfig<QuickNatRecipeOptions>, source: string): void {
  const { views, viewWeights, volumeSize, kernel } = config;
  if (viewWeights.length > 0 && viewWeights.length !== views.length)
    throw new ConfigError(`${source}: viewWeights [${viewWeights}] must be one for each of the views ${views.join(", ")}`);
  // Four poolings leave at least one pixel.
  if (volumeSize.some((n) => n < 16)) throw new ConfigError(`${source}: volumeSize [${volumeSize}] must be at least 16 each`);
  if (kernel % 2 === 0) throw new ConfigError(`${source}: kernel must be odd, got ${kernel}`);
}

/** Volumes of the median size, and as many slices of each as it has along its shortest axis. */
export function suggestQuickNatOptions({ shapes }: DataFacts): SuggestedOptions<QuickNatRecipeOptions> {
  const size = [0, 1, 2].map((a) => medianLow(shapes.map((s) => s[a])));
  return {
    epochs: 20,
    batchSize: 4,
    validateEvery: 5,
    views: [...allViews],
    samplesPerVolume: Math.max(1, Math.min(...size)),
    volumeSize: size.map((n) => Math.max(16, Math.ceil(n / 16) * 16)),
    filters: 64,
  };
}
