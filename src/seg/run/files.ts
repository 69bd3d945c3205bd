/**
 * @file The files of a run and what is in them; the one place that knows their names. A run describes itself: config.json has its options, run.json the
 * recipe, the classes and channels, the voxel size and what the outputs mean, so that whoever predicts needs nothing of training.
 */

import { expectWord } from "../../host/words.ts";
import { expectRecipe } from "../recipes/expect_recipe.ts";
import { expectArguments, expectFields } from "../../host/kinds.ts";
import type { LabelClass } from "../../data/labels.ts";
import { CheckpointError, ConfigError } from "../../host/errors.ts";
import type { StateDict } from "../../nn/state_dict.ts";
import type { WeightTensor } from "../../weights/elements.ts";
import { readSafetensors, writeSafetensors } from "../../weights/safetensors.ts";
import { outputCodingOf, type OutputKind } from "../post/output_coding.ts";
import { checkOptions, type OptionTable } from "../recipes/options.ts";
import { type Context, type Networks, onlyNetwork, type Recipe, type RunConfig } from "../recipes/recipe.ts";
import { runOptionTable } from "../recipes/run_options.ts";
import { naming, readCheckpoint } from "../training/checkpoint.ts";
import { readLines } from "./lines.ts";
import { type RunStore, expectStore } from "./store.ts";

export const files = {
  config: "config.json",
  run: "run.json",
  metrics: "metrics.jsonl",
  /** Device, versions and memory of each time that it was begun or resumed. */
  sessions: "sessions.jsonl",
  checkpoint: "checkpoint.safetensors",
  weights: "weights.safetensors",
  best: "best.safetensors",
  evaluation: "evaluation.json",
  /** The same scores as a table, a line per case and class. */
  scores: "evaluation.csv",
  /** All of it to read, in one page. */
  report: "report.html",
  preview: "preview.png",
  postprocessing: "postprocessing.json",
  lossCurve: "loss.svg",
  diceCurve: "dice.svg",
  rateCurve: "rate.svg",
  sampleLossCurve: "sample_loss.svg",
  sampleDiceCurve: "sample_dice.svg",
  /** Of recipes that look for things: what was found in the validation cases, and sensitivity by false positives. */
  candidates: "candidates.csv",
  frocCurve: "froc.svg",
  overlay: (id: string) => `overlays/${id}.png`,
  /** Folder of what `voxgrad predict` writes, apart from the validation cases that training segments. */
  predicted: "predicted",
  /** Table of the volumes of what was predicted, beside it. */
  volumes: "volumes.csv",
  /** Table of how far draws with dropout agree. */
  uncertainty: "uncertainty.csv",
  prediction: (id: string) => `predictions/${id}.nii.gz`,
} as const;

/** What a run is, beside its options. */
export interface RunInfo {
  /** `module` is where a recipe of the user's own is. Its `name` and `version` are the recipe's. */
  readonly recipe: { readonly name: string; readonly version: number; readonly module?: string };
  /** Classes that are learned, background included. */
  readonly labels: readonly LabelClass[];
  /** Names of the image channels in order. */
  readonly channels: readonly string[];
  /** Median voxel size of the training cases in mm, per array axis. */
  readonly spacing: readonly number[];
  /** What the networks' outputs are. */
  readonly outputs: OutputKind;
  /** Where the axes of all images point once they are read, such as "RAS"; runs of before have none. */
  readonly orientation?: string;
  /** Names of the cases that it trains and validates on, `train` and `val`; runs of before have none. */
  readonly cases?: { readonly train: readonly string[]; readonly val: readonly string[] };
}

/** Of a network on the samples of some cases, in evaluation mode. */
export interface SampleScore {
  /** Mean over the batches. */
  readonly loss: number;
  /** Of each foreground class over all samples, 2·both / (prediction + truth); NaN where neither has it. */
  readonly dice: readonly number[];
}

/** By network: on training cases, as many as there are for validation, and on validation cases. These are `train` and `val`. */
export type SampleScores = Readonly<Record<string, { readonly train: SampleScore; readonly val: SampleScore }>>;

/** Where the time of an epoch went, in seconds. */
export interface EpochTiming {
  /** Samples trained on. */
  readonly samples: number;
  /** From the epoch's beginning to its last step. */
  readonly training: number;
  /** The part of it in which the loop waited for data, while the device was at work on earlier steps or idle. */
  readonly waiting: number;
  /** Validation and its checkpoint; 0 if the epoch has none. */
  readonly validation: number;
}

/** A line of metrics.jsonl for each epoch; each step has one with its number, loss and rate. */
export interface EpochMetrics {
  /** From 1. */
  readonly epoch: number;
  /** Mean over the epoch's steps that were not skipped. */
  readonly loss: number;
  /** Learning rate of the epoch. */
  readonly lr: number;
  /** Seconds of the epoch, its validation included; of one that was resumed, since then. */
  readonly seconds: number;
  /** Where the time went; of an epoch that was resumed, since then. Runs of before have none. */
  readonly timing?: EpochTiming;
  /** Mean validation Dice of each foreground class, if this epoch was validated; NaN (null in the file) where no case has the class. */
  readonly dice?: readonly number[];
  /** Of recipes that count: loss and Dice of each network on samples, if this epoch was validated. */
  readonly samples?: SampleScores;
  /** Steps left out for their loss, in runs that skip such steps. */
  readonly skipped?: number;
}

const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;

async function readJson(store: RunStore, file: string): Promise<unknown> {
  const bytes = await store.read(file);
  if (!bytes) throw new CheckpointError(`${store.name}: is no run: it has no ${file}`);
  try {
    return JSON.parse(text(bytes));
  } catch (error) {
    throw new ConfigError(`${store.name}/${file}: is not JSON: ${(error as Error).message}`, { cause: error });
  }
}

/** What a run says of itself. Throws `CheckpointError` if there is no run, `ConfigError` if its description is damaged. */
export async function readRunInfo(store: RunStore): Promise<RunInfo> {
  expectStore("readRunInfo", store);
  const info = (await readJson(store, files.run)) as Partial<RunInfo> | null;
  const isLabel = (l: Partial<LabelClass> | null) => typeof l?.name === "string" && Array.isArray(l.values);
  const whole =
    typeof info?.recipe?.name === "string" &&
    Number.isSafeInteger(info.recipe.version) &&
    [info.labels, info.channels, info.spacing].every(Array.isArray) &&
    info.labels!.every(isLabel) &&
    ["sigmoid", "softmax", "regions"].includes(info.outputs as string) &&
    (info.orientation === undefined || /^[LRPAIS]{3}$/.test(info.orientation)) &&
    (info.cases === undefined || [info.cases?.train, info.cases?.val].every(Array.isArray));
  if (whole) return info as RunInfo;
  throw new ConfigError(
    `${store.name}/${files.run}: expected recipe, labels, channels, spacing and outputs; restore the file or train again`,
  );
}

/** The options of a run. Throws `CheckpointError`, `ConfigError`. */
export async function readConfig<C extends object>(store: RunStore, recipe: Recipe<C>): Promise<RunConfig<C>> {
  expectStore("readConfig", store);
  expectRecipe("readConfig", recipe);
  return checkConfig(recipe, await readJson(store, files.config), `${store.name}/${files.config}`);
}

/** Checks the options of a run against the table of all runs and the recipe's. Throws `ConfigError`. */
export function checkConfig<C extends object>(
  recipe: Recipe<C>,
  value: unknown,
  source: string,
  say?: (name: string) => string,
): RunConfig<C> {
  const table = { ...runOptionTable, ...recipe.options } as OptionTable<RunConfig<C>>;
  const config = checkOptions(table, value, source, say);
  recipe.check?.(config, source);
  return config;
}

export const writeConfig = (store: RunStore, config: object): Promise<void> => store.write(files.config, json(config));
export const writeRunInfo = (store: RunStore, info: RunInfo): Promise<void> => store.write(files.run, json(info));

/** What the parts of a recipe are told of a run. Throws `CheckpointError` if the run is of another recipe. */
export function contextOf<C extends object>(recipe: Recipe<C>, config: RunConfig<C>, info: RunInfo): Context<C> {
  expectRecipe("contextOf", recipe);
  expectArguments("contextOf", "object", { config });
  expectFields("contextOf", "info", info, { recipe: "object", labels: "list", channels: "list", spacing: "list" });
  const { name, version } = info.recipe;
  if (name !== recipe.name || version !== recipe.version)
    throw new CheckpointError(
      `the run is of recipe ${name}, version ${version}; this is ${recipe.name}, version ${recipe.version}`,
    );
  return {
    config,
    labels: info.labels,
    channels: info.channels,
    spacing: info.spacing,
    orientation: info.orientation,
    outputs: outputCodingOf(info.outputs, info.labels),
  };
}

/** Weights of networks under one name each: an only network's as they are, else with the network's name before them. */
async function networkWeights(networks: Networks): Promise<StateDict> {
  const parts = Object.entries(networks).map(async ([name, model]) => {
    const state = await model.stateDict();
    return [...state].map(([k, v]) => [name === onlyNetwork ? k : `${name}.${k}`, v] as const);
  });
  return new Map((await Promise.all(parts)).flat());
}

export async function writeWeights(store: RunStore, file: string, networks: Networks): Promise<void> {
  await store.write(file, writeSafetensors(await networkWeights(networks)));
}

/** Which weights of a run: the final ones, those of the best validation, or the first of both and the last checkpoint that is there. */
export type WhichWeights = "weights" | "best";

/** Where the weights of a run may be: the first that is there counts. */
export function weightFiles(which?: WhichWeights): readonly string[] {
  if (which === undefined) return [files.weights, files.best, files.checkpoint];
  expectWord("run", "weights", which, ["weights", "best"]);
  return [files[which]];
}

/** Writes the weights of a run into its networks. Throws `CheckpointError`, `FormatError`. */
export async function loadWeights(store: RunStore, networks: Networks, which?: WhichWeights): Promise<void> {
  const candidates = weightFiles(which);
  for (const file of candidates) {
    const bytes = await store.read(file);
    if (!bytes) continue;
    const source = `${store.name}/${file}`;
    for (const [name, model] of Object.entries(networks)) {
      const weights = file === files.checkpoint ? checkpointWeights(bytes, source, name) : ownWeights(bytes, source, name);
      naming(source, () => model.loadStateDict(weights));
    }
    return;
  }
  throw new CheckpointError(`${store.name}: holds no weights (${candidates.join(", ")}); train it first`);
}

const under = (tensors: ReadonlyMap<string, WeightTensor>, prefix: string) =>
  new Map([...tensors].flatMap(([k, v]) => (k.startsWith(prefix) ? [[k.slice(prefix.length), v] as const] : [])));

const ownWeights = (bytes: Uint8Array, source: string, network: string) =>
  under(readSafetensors(bytes, source).tensors, network === onlyNetwork ? "" : `${network}.`);

const checkpointWeights = (bytes: Uint8Array, source: string, network: string) =>
  under(readCheckpoint(bytes, source).tensors, network === onlyNetwork ? "model." : `model/${network}.`);

/** Written only behind a checkpoint: without one they are another's. */
const outcomes = [
  files.weights,
  files.best,
  files.evaluation,
  files.scores,
  files.report,
  files.lossCurve,
  files.diceCurve,
  files.rateCurve,
  files.sampleLossCurve,
  files.sampleDiceCurve,
  files.candidates,
  files.frocCurve,
];

/** Written before the first checkpoint too, behind run.json: without that one they are another's. */
const beginnings = [files.config, files.metrics, files.sessions];

/** The first file that a run which was killed before its first checkpoint does not leave; undefined where a new run may begin. */
async function foreign(store: RunStore): Promise<string | undefined> {
  const begun = await store.has(files.run);
  if (begun) await readRunInfo(store); // its error names what is no description of a run
  for (const file of begun ? outcomes : [...outcomes, ...beginnings]) if (await store.has(file)) return file;
  return (await readEpochs(store)).some((e) => e.epoch > 1) ? files.metrics : undefined;
}

/**
 * The checkpoint of a run that is to go on; undefined for a new one.
 * @throws ConfigError, CheckpointError if the store cannot take a new run, or lacks what the resumed one needs
 */
export async function checkpointOf({
  store,
  resume,
}: {
  readonly store: RunStore;
  readonly resume?: boolean | undefined;
}): Promise<Uint8Array | undefined> {
  const saved = await store.read(files.checkpoint);
  if (saved && !resume)
    throw new ConfigError(
      `${store.name} holds a run already; continue it with resume (--resume) or choose another place (--out)`,
    );
  if (saved) return saved;
  const file = await foreign(store);
  if (file === undefined) return undefined;
  throw new CheckpointError(
    resume
      ? `${store.name}: has ${file}, but its ${files.checkpoint} is missing, so it cannot go on; restore it, or start another run`
      : `${store.name} holds the ${file} of another run; choose another --out`,
  );
}

/** The epochs that metrics.jsonl has up to a point of a run. Lines of later steps are dropped: they will be run, and written, again. */
export async function restoreMetrics(
  store: RunStore,
  at: { readonly epoch: number; readonly step: number },
): Promise<EpochMetrics[]> {
  const rows = await readLines<EpochMetrics & { step?: number }>(store, files.metrics);
  const kept = rows.filter((r) => (r.step === undefined ? r.epoch <= at.epoch : r.step <= at.step));
  // A line that was cut goes too.
  if (await store.has(files.metrics)) await store.write(files.metrics, kept.map((r) => `${JSON.stringify(r)}\n`).join(""));
  return epochsIn(kept);
}

// JSON has no NaN.
const epochsIn = (rows: readonly (EpochMetrics & { step?: number })[]): EpochMetrics[] =>
  rows.filter((r) => r.step === undefined).map((r) => (r.dice ? { ...r, dice: r.dice.map((d) => d ?? NaN) } : r));

/** All epochs that metrics.jsonl has. */
export async function readEpochs(store: RunStore): Promise<EpochMetrics[]> {
  expectStore("readEpochs", store);
  return epochsIn(await readLines(store, files.metrics));
}
