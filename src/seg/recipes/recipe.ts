/**
 * @file The contract of a recipe: everything that one way of training and predicting has to know. The runner (`src/seg/run`) has the rest: the loop,
 * files, resuming, folds, validation, pictures, reports, in Node and in a browser. A recipe is an object, so that one in a user's own module is like
 * one of ours. Chosen over a base class with steps to override: what a recipe decides is then a list that can be read, and nothing of the runner is
 * in reach.
 */

import { expectWord } from "../../host/words.ts";
import type { AbortSignal } from "../../host/platform.ts";
import { expectRecipe } from "./expect_recipe.ts";
import type { Dataset } from "../../data/datasets/dataset.ts";
import type { Case, DatasetIndex } from "../../data/folders/dataset_index.ts";
import type { FolderOptions } from "../../data/folders/folder_layout.ts";
import type { LabelClass } from "../../data/labels.ts";
import type { Nodule } from "../../data/nodules/annotations.ts";
import type { Item } from "../../data/transforms/transform.ts";
import type { Volume } from "../../data/volume.ts";
import type { HostArray } from "../../host/array.ts";
import type { Module } from "../../nn/module.ts";
import type { Optimizer } from "../../nn/optim/optimizer.ts";
import type { Schedule } from "../../nn/optim/rates.ts";
import type { Device } from "../../tensor/device.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import type { Segmentation, Segmenter } from "../inference/segmenter.ts";
import type { CaseMetric } from "../metrics/case_metrics.ts";
import type { OutputCoding, OutputKind } from "../post/output_coding.ts";
import type { BatchTensors, Outputs } from "../training/trainer.ts";
import type { OptionTable } from "./options.ts";
import type { RunOptions } from "./run_options.ts";

/** The options of a run: those of all runs and the recipe's own, one flat record. */
export type RunConfig<Config extends object = object> = RunOptions & Config;

/** What a recipe is told of a run: its config and the facts that follow from config and data, each computed once. */
export interface Context<Config extends object = object> {
  /** Options of the run and of the recipe. */
  readonly config: RunConfig<Config>;
  /** Classes as the dataset lists them, background included. */
  readonly labels: readonly LabelClass[];
  /** Names of the image channels in order. */
  readonly channels: readonly string[];
  /** Median voxel size of the training cases in mm, per array axis. */
  readonly spacing: readonly number[];
  /** Where the axes of every image that is prepared point, such as "RAS"; absent for runs of before, whose images stay as they are stored. */
  readonly orientation?: string | undefined;
  /** What the networks' outputs mean. */
  readonly outputs: OutputCoding;
}

/** A case as it was read: image `[C, x, y, z]`, label `[1, x, y, z]` if it has one, in their stored element types. */
export interface LoadedCase {
  /** Its name in the dataset. */
  readonly id: string;
  /** `[C, x, y, z]`, the channels in order. */
  readonly image: Volume;
  /** Stored label values `[1, x, y, z]`. */
  readonly label?: Volume | undefined;
  /** What is to be found in it, if the dataset lists that. */
  readonly nodules?: readonly Nodule[] | undefined;
}

/** A case made ready. More keys may follow; datasets of samples see all of them. */
export interface PreparedCase extends Item {
  /** `[C, spatial…]` */
  readonly image: HostArray;
  /** What the loss compares with. `[1, spatial…]` class indices or `[regions, spatial…]` masks. */
  readonly label?: HostArray | undefined;
  /** `[1, spatial…]`, 1 at voxels that must not train; only for datasets with nnU-Net's label "ignore". */
  readonly ignored?: HostArray | undefined;
}

/** Cases on their way into samples: read, prepared and kept when they are wanted. */
export interface PreparedDataset extends Dataset<PreparedCase> {
  /** What is known of each before it is read. */
  readonly sources: readonly Case[];
}

/** What can be known of a dataset before a run is configured. */
export interface DataFacts {
  /** Classes as the dataset lists them, background included. */
  readonly labels: readonly LabelClass[];
  /** Names of the image channels in order. */
  readonly channels: readonly string[];
  /** Training cases. */
  readonly cases: readonly Case[];
  /** Cases that the run is validated on. */
  readonly validation: readonly Case[];
  /** All that the dataset lists. */
  readonly index: DatasetIndex;
  /** Spatial sizes of a few of them, evenly chosen, in the orientation of the run. */
  readonly shapes: readonly (readonly number[])[];
  /** Voxel sizes of the same cases per axis, in mm. */
  readonly spacings: readonly (readonly number[])[];
  /** Reads a case, in the orientation of the run. */
  readonly read: (source: Case) => Promise<LoadedCase>;
  /** The device that will train, for recipes that measure on it; absent where nobody knows it yet. */
  readonly device?: (() => Promise<Device>) | undefined;
  /** What ends the choice: recipes that measure look at it between their steps. `read` does so by itself. */
  readonly signal?: AbortSignal | undefined;
  /** Facts that the user should see. `text` is a sentence. */
  readonly say: (text: string) => void;
}

/** The networks of a recipe by name: `{ model }`, or one per view. */
export type Networks = Readonly<Record<string, Module>>;

/** The name of an only network. Its weights have no prefix in files. */
export const onlyNetwork = "model";

/** One way of training, with everything that the runner has to know of it. A recipe of your own is such an object; `defineRecipe` types it. */
export interface Recipe<Config extends object = object, O extends Outputs = Outputs> {
  /** One word for `--recipe` and the run's folder. */
  readonly name: string;
  /** Goes up when the same config means something else; a run of another version is not resumed. */
  readonly version: number;
  /** One line for the list of recipes. */
  readonly summary: string;
  /** URL of the module whose default export this recipe is (`import.meta.url`), so that data workers can build its datasets; without it they cannot. */
  readonly module?: string | undefined;
  /** Those of its own. If there is an `augment` that may be "none", previews show samples without it too. */
  readonly options: OptionTable<Config>;

  /** What is wanted of a data folder, by its layout; of options not given yet the config has the standard values. */
  folder?(config: Partial<RunConfig<Config>>): FolderOptions;
  /** Whether training leaves out the voxels that `outputs.ignored` marks. Datasets that have such voxels are refused without it. */
  readonly ignores?: boolean;

  /**
   * Options for data that nobody has tuned yet; those of all runs included where this recipe knows better.
   * @param given what the user has chosen already, as it was given and not checked yet
   */
  suggest(
    facts: DataFacts,
    given: Readonly<Record<string, unknown>>,
  ): Promise<SuggestedOptions<Config>> | SuggestedOptions<Config>;
  /** Checks what options must be together. Throws `ConfigError`. `source` is what the options came from, for the message. */
  check?(config: RunConfig<Config>, source: string): void;
  /** The classes that are learned, from those that the dataset lists; default these. Label maps have their values. Throws `ConfigError`. */
  labels?(config: RunConfig<Config>, labels: readonly LabelClass[]): readonly LabelClass[];
  /** How labels are coded; default: regions where a label has several values, else sigmoid for two classes and softmax for more. */
  outputs?(config: RunConfig<Config>, labels: readonly LabelClass[]): OutputKind;
  /** Makes a case ready, the same way for training, validation and prediction. Throws `DataError`, `ShapeError` for what cannot be used. */
  prepare(source: LoadedCase, context: Context<Config>): Promise<PreparedCase> | PreparedCase;
  /** What the outcome of `prepare` depends on beside the case: plain data. With it prepared cases can be kept on disk between runs. */
  preparation?(context: Context<Config>): unknown;
  /**
   * Training samples, items with at least `image` and `label`, of cases that are read, prepared and cached; built in each data worker. `network` is the one
   * they train.
   */
  samples(cases: PreparedDataset, context: Context<Config>, network: string): Dataset;
  /** Changes a batch on the device, inside the captured step; randomness comes from the device's generator. `network` is the one that is trained. */
  augment?(batch: BatchTensors, context: Context<Config>, network: string): BatchTensors;
  /** Makes the networks, by name, with initial weights. They train in this order. */
  networks(device: Device, context: Context<Config>): Networks;
  /** What the loss is given; default the network's `forward`. For networks with several outputs. `image` is `[N, C, spatial…]`. */
  forward?(model: Module, image: Tensor): O;
  /** A scalar. Called while the step is traced. `outputs` are those of `forward`, `network` is the one that is trained. */
  loss(outputs: O, batch: BatchTensors, context: Context<Config>, network: string): Tensor;
  /**
   * Voxels of a batch by class, `[3, classes]`: in both, in the prediction, in the truth; background first. With it, each validation also gives loss and
   * Dice of every network on samples of training and validation cases. `outputs` and `network` as in `loss`.
   */
  counts?(outputs: O, batch: BatchTensors, context: Context<Config>, network: string): Tensor;
  /**
   * Samples of validation cases in place of whole ones, as nnU-Net validates while it trains: the context that they are drawn with. Needs `counts`. The
   * moving average of their mean Dice (nine tenths of it and one of the new) decides which weights are best.
   */
  online?(context: Context<Config>): Context<Config>;
  /** The optimizer of `network`, over the parameters of `model`. */
  optimizer(model: Module, context: Context<Config>, network: string): Optimizer;
  /** Bound of the norm of all gradients of a step together; default none. */
  readonly clipNorm?: number | undefined;
  /** Learning rate of an epoch (from 0) from the optimizer's own; default constant. Of the optimizer of `network`. */
  schedule?(context: Context<Config>, network: string): Schedule;
  /** Whether training shows mirror images. Of a run whose training did not, averages over mirror images are refused; default: that is not known. */
  mirrored?(config: RunConfig<Config>): boolean;
  /** What segments prepared images with these networks. */
  segmenter(device: Device, networks: Networks, context: Context<Config>): Segmenter;
  /**
   * One channel of the segmenter's scores, `[1, prepared grid…]`, on the source's grid; -Infinity where nothing was predicted. With it labels are decided
   * there, as nnU-Net does, a class at a time. For recipes that prepare on another grid.
   */
  restore?(channel: HostArray<Float32Array>, source: LoadedCase, prepared: PreparedCase, context: Context<Config>): HostArray;
  /**
   * From the segmenter's label map to one on the source's grid, cleaned up if the recipe does that; candidates from voxels to millimeters. Label maps are
   * `[1, x, y, z]`.
   */
  postprocess?(found: Segmentation, source: LoadedCase, context: Context<Config>): Promise<Segmentation> | Segmentation;
  /** What reports score every case and class by; default Dice, IoU, sensitivity, precision, HD95 and ASSD. */
  readonly metrics?: readonly CaseMetric[] | undefined;
  /** What the pictures of cases show: slices with truth and prediction over them, or truth, prediction and image beside one another. Default "overlay". */
  readonly pictures?: "overlay" | "columns" | undefined;
  /** Array axis that pictures are sliced along; default the coarsest, the last of equals. */
  pictureAxis?(context: Context<Config>): number;
}

/** What `suggest` gives: all of the recipe's options without a standard value, and any of those of all runs. */
export type SuggestedOptions<Config extends object> = Partial<RunOptions> & Partial<Config>;

/** Checks nothing at run time; lets TypeScript infer the config from the table of options. */
export function defineRecipe<Config extends object, O extends Outputs = Tensor>(recipe: Recipe<Config, O>): Recipe<Config, O> {
  expectRecipe("defineRecipe", recipe);
  expectWord("defineRecipe", "pictures", recipe.pictures ?? "overlay", ["overlay", "columns"]);
  return recipe;
}
