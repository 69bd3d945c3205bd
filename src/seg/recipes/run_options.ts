/** @file The options that every run has, whatever its recipe. */

import { integer, oneOf, type OptionTable, positive, toggle } from "./options.ts";

/** Options of `runOptionTable`, `syntheticOptions`. */
export interface RunOptions {
  /** Name of the recipe. */
  readonly recipe: string;
  /** Where the data are: a folder in Node, a name in a browser. */
  readonly data: string;
  /** Fold of the splits, or "all" to train and validate on all cases. */
  readonly fold: number | "all";
  /** Of weights, samples and augmentation: the same seed gives the same run. */
  readonly seed: number;
  /** Passes over the samples. */
  readonly epochs: number;
  /** Samples per step. */
  readonly batchSize: number;
  /** Element type of the activations in training; "f16" scales the loss dynamically and needs an adapter that has it. */
  readonly precision: "f32" | "f16";
  /** A loss that is not finite ends training, or its step, and one whose loss is zero, is left out and counted. */
  readonly onBadLoss: "stop" | "skip";
  /** Threads that prepare data. */
  readonly numWorkers: number;
  /** Memory for prepared cases in GiB, over all threads; cases beyond it are read again each epoch. */
  readonly cacheSize: number;
  /** Folder that keeps prepared cases between runs; "" for none. */
  readonly prepared: string;
  /** Validate every so many epochs, and after the last. */
  readonly validateEvery: number;
  /** Seconds between checkpoints inside an epoch. */
  readonly checkpointSeconds: number;
  /** Accept training cases without any foreground. */
  readonly allowEmpty: boolean;
}

const asIs = (text: string): string => text;

/** Options that every run has beside those of its recipe. */
export const runOptionTable: OptionTable<RunOptions> = {
  recipe: { expects: "a recipe's name", fits: (v) => typeof v === "string" && v !== "", help: "", read: asIs },
  data: { expects: "a folder", fits: (v) => typeof v === "string" && v !== "", help: "", read: asIs },
  fold: {
    expects: 'a fold number from 0 or "all"',
    fits: (v) => v === "all" || (Number.isSafeInteger(v) && (v as number) >= 0),
    help: 'fold of splits_final.json, or "all"',
    read: (text) => (text === "all" || text.trim() === "" ? text : Number.isNaN(Number(text)) ? text : Number(text)),
    standard: 0,
  },
  seed: integer(0, "of weights, data order and augmentation", { standard: 0 }),
  epochs: integer(1, "passes over the training cases"),
  batchSize: integer(1, "samples per step"),
  precision: oneOf(["f32", "f16"], "of activations in training: f32 or f16", { standard: "f32" }),
  onBadLoss: oneOf(["stop", "skip"], "stop at a loss that is not finite, or skip steps where it is that or zero", {
    standard: "stop",
  }),
  numWorkers: integer(0, "threads that prepare data", { flag: "workers", standard: 0 }),
  cacheSize: positive("GiB of memory for prepared cases; the others are read again each epoch", { standard: 4 }),
  prepared: {
    expects: "a folder",
    fits: (v) => typeof v === "string",
    help: "folder that keeps prepared cases, for other folds and runs too",
    read: asIs,
    path: true,
    standard: "",
  },
  validateEvery: integer(1, "epochs between validations", { standard: 1 }),
  checkpointSeconds: positive("between checkpoints inside an epoch", { standard: 60 }),
  allowEmpty: toggle("accept cases without foreground"),
};

/** Options that a run may change when it goes on: they decide when it ends and how it is computed, not what. */
export const movable: ReadonlySet<string> = new Set([
  "data",
  "epochs",
  "numWorkers",
  "cacheSize",
  "prepared",
  "validateEvery",
  "checkpointSeconds",
]);
