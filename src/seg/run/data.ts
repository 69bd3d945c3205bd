/** @file The data of a run, wherever they are: cases, their folds, and how one is read; and the options that suit them. */

import type { AbortSignal } from "../../host/platform.ts";
import { expectRecipe } from "../recipes/expect_recipe.ts";
import { expectArguments, expectFields } from "../../host/kinds.ts";
import { counted } from "../../host/text.ts";
import { axisCodes, turnTo } from "../../data/axis_codes.ts";
import type { ItemStore } from "../../data/datasets/item_store.ts";
import type { Case, DatasetIndex, Split } from "../../data/folders/dataset_index.ts";
import type { FolderOptions } from "../../data/folders/folder_layout.ts";
import { kFold, patientOf } from "../../data/folders/k_fold.ts";
import { selectFold } from "../../data/folders/splits.ts";
import type { Device } from "../../tensor/device.ts";
import type { DatasetModule } from "../../data/loading/unit_source.ts";
import { foregroundOf, ignoredValue } from "../../data/labels.ts";
import { type Affine, millimetersOf, spacingOf, type Volume } from "../../data/volume.ts";
import { ConfigError, DataError, ShapeError, VoxgradError } from "../../host/errors.ts";
import { expectFinite } from "../../host/finite.ts";
import { expectOptions } from "../../host/options.ts";
import { median } from "../../host/stats.ts";
import { outputKindOf } from "../post/output_coding.ts";
import { checkOptions, type OptionTable, standardOptions } from "../recipes/options.ts";
import { oriented, type ReadCase } from "../recipes/prepared.ts";
import type { DataFacts, LoadedCase, Recipe, RunConfig } from "../recipes/recipe.ts";
import { runOptionTable } from "../recipes/run_options.ts";
import { checkConfig, type RunInfo } from "./files.ts";
import { OddCases } from "./odd_cases.ts";
import { storedAxes } from "./odd_source.ts";
import { OddLabels } from "./odd_labels.ts";

/** What a worker needs to build the training samples of a network. Plain data. */
export interface WorkerArgs {
  /** URL of the module that has the recipe as its default export. */
  readonly recipe: string;
  /** Cases that samples are of. */
  readonly cases: readonly Case[];
  /** Options of the run. */
  readonly config: RunConfig;
  /** Description of the run. */
  readonly info: RunInfo;
  /** The network that the samples train. */
  readonly network: string;
  /** Bytes of prepared cases that this worker may keep. */
  readonly cacheBytes: number;
}

/** The cases of a run, and how to read one. */
export interface RunData {
  /** The dataset that they are of. */
  readonly index: DatasetIndex;
  /** Cases to train on. */
  readonly train: readonly Case[];
  /** Cases to validate on. */
  readonly val: readonly Case[];
  /** Reads image and label of a case. */
  readonly read: ReadCase;
  /** A folder's store of prepared cases, where there is such a thing. */
  readonly prepared?: ((folder: string) => ItemStore) | undefined;
  /** Threads of this machine; 1 where data workers cannot read these data. */
  readonly threads: number;
  /** Has workers build samples. */
  readonly inWorkers?: ((args: WorkerArgs) => DatasetModule) | undefined;
}

/**
 * The cases of a fold; "all" is every training case, for training and validation; a dataset for tests has the others to predict. Throws `ConfigError`,
 * `DataError`. Gives those to `train` on and those to validate on, `val`.
 */
export function casesOfFold(index: DatasetIndex, splits: readonly Split[], fold: number | "all") {
  expectFields("casesOfFold", "index", index, { training: "list", test: "list" });
  expectArguments("casesOfFold", "list", { splits });
  if (fold !== "all") return selectFold(index, splits, fold);
  return { train: index.training, val: index.training.length > 0 ? index.training : index.test };
}

// As nnU-Net has them.
const mostFolds = 5;

/**
 * Folds for a dataset that comes without: five by patient, of fewer patients one for each.
 * @throws ConfigError for a single patient, whose cases can only be trained on as "all"
 */
export function foldsByPatient(index: DatasetIndex): Split[] {
  expectFields("foldsByPatient", "index", index, { training: "objects" });
  const patients = new Map(index.training.map(({ id, patient }) => [id, patient ?? patientOf(id)] as const));
  const count = new Set(patients.values()).size;
  if (count < 2)
    throw new ConfigError(
      `foldsByPatient: ${index.name || "the dataset"} has ${counted(count, "patient")}, of which there are no folds; take the fold "all", which trains and validates on all cases`,
    );
  return kFold([...patients.keys()], { folds: Math.min(mostFolds, count), groupOf: (id) => patients.get(id)! });
}

/** What a recipe wants of a data folder, as the options of a run say or those that are given for one; of others it has the standard values. */
export function folderOptions(recipe: Recipe, given: object): FolderOptions {
  expectRecipe("folderOptions", recipe);
  expectArguments("folderOptions", "object", { given });
  return recipe.folder?.({ ...standardOptions<object>(recipe.options), ...given }) ?? {};
}

// Cases that tell sizes.
const looked = 20;
// Problems that a message lists.
const listed = 20;

/** Reads every case once whose grid no index has: what is damaged or does not belong together shows before a network has learned from the others. */
async function factsOf(
  { index, train, val, read }: RunData,
  onProgress?: (done: number, total: number) => void,
  signal?: AbortSignal,
  allowEmpty = true,
): Promise<{
  facts: Omit<DataFacts, "device" | "say">;
  orientation: string;
  voxel: readonly number[];
  odd: OddCases;
  oddLabels: OddLabels;
}> {
  const step = Math.max(1, Math.floor(train.length / looked));
  const grids: Grid[] = [];
  const problems: Error[] = [];
  const [odd, oddLabels] = [new OddCases(), new OddLabels(index.labels)];
  const training = new Map(train.map((c, i) => [c.id, i] as const));
  const validation = new Set(val.map((c) => c.id));
  const all = [...train, ...val.filter((c) => !training.has(c.id))];
  for (const [i, item] of all.entries()) {
    signal?.throwIfAborted();
    try {
      // An index that has the grids has looked at every file.
      const found = item.grid ? undefined : await read(item);
      const image = found && usable(found, training.has(item.id) && !allowEmpty, index);
      if (image) odd.add(item.id, image, training.has(item.id));
      if (found?.label) oddLabels.add(found.label.data, training.has(item.id), validation.has(item.id));
      // Other labels are files, of which `info` tells what is odd.
      if (item.drawn) oddLabels.addNotes(item.id, found?.label?.meta.notes ?? []);
      const { shape, affine } = item.grid ?? image!;
      if (i >= train.length || i % step !== 0) continue;
      grids.push({ shape: shape.slice(1), spacing: spacingOf(affine), affine, unit: millimetersOf(item.grid ?? image!) });
    } catch (error) {
      if (!(error instanceof VoxgradError)) throw error;
      problems.push(error);
    } finally {
      onProgress?.(i + 1, all.length);
    }
  }
  if (problems.length === 1) throw problems[0];
  if (problems.length > 1) throw new DataError(listOf(problems, all.length));
  const orientation = reorients(index) ? "RAS" : commonest(grids.map((g) => axisCodes(g.affine)));
  const turned = grids.map(({ shape, spacing, affine, unit }) => {
    const { axes } = turnTo(affine, orientation);
    return { shape: axes.map((a) => shape[a]), spacing: axes.map((a) => spacing[a] * unit) };
  });
  const voxel = [0, 1, 2].map((axis) => median(turned.map((g) => g.spacing[axis])));
  const facts = {
    labels: index.labels,
    channels: index.modality,
    cases: train,
    validation: val,
    index,
    shapes: turned.map((g) => g.shape),
    spacings: turned.map((g) => g.spacing),
    read: async (source: Case) => {
      signal?.throwIfAborted();
      return oriented(await read(source), orientation);
    },
    signal,
  };
  return { facts, orientation, voxel, odd, oddLabels };
}

/**
 * The image of a case, as every recipe will ask for it.
 * @param labeled its label, if it has one, must have some foreground
 * @throws ShapeError, DataError
 */
function usable({ id, image, label }: LoadedCase, labeled: boolean, { modality, labels }: DatasetIndex): Volume {
  if (image.shape[0] !== modality.length)
    throw new ShapeError(`case "${id}": the image has ${image.shape[0]} channels, the dataset names ${modality.length}`);
  expectFinite(image, `case "${id}": `, "repair or leave out the case");
  if (!labeled || !label) return image;
  const foreground = foregroundOf(labels);
  const values = new Set(foreground.flatMap((l) => l.values));
  if (label.data.some((v: number) => v !== 0 && values.has(v))) return image;
  throw new DataError(
    `case "${id}": the label is empty (no voxel of ${foreground.map((l) => l.name)}); leave out the case or pass --allow-empty`,
  );
}

// nnU-Net's readers that bring every image to RAS.
const reorients = ({ reader = "" }: DatasetIndex): boolean => reader.endsWith("IOWithReorient");

/**
 * Reads all cases of the data once; what is wrong is an error that lists it.
 * @returns what reads a case as nnU-Net's reader of the dataset does: as stored, or in RAS
 */
export async function checkedCases(data: RunData, onProgress?: (done: number, total: number) => void): Promise<ReadCase> {
  const { facts } = await factsOf(data, onProgress);
  return reorients(data.index) ? facts.read : data.read;
}

interface Grid {
  readonly shape: readonly number[];
  readonly spacing: readonly number[];
  readonly affine: Affine;
  /** Millimeters of the unit of both. */
  readonly unit: number;
}

/** What occurs most often, the first of equals. */
function commonest(words: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
  return [...counts].reduce((best, next) => (next[1] > best[1] ? next : best))[0];
}

function listOf(problems: readonly Error[], cases: number): string {
  const lines = problems.slice(0, listed).map((p) => `\n  ${p.name}: ${p.message}`);
  const more = problems.length > listed ? `\n  and ${problems.length - listed} more` : "";
  return `${problems.length} of ${counted(cases, "case")} cannot be used:${lines.join("")}${more}`;
}

/** Options and description of a run that is to be. */
export interface NewRun<C extends object> {
  /** Options of the run and of its recipe. */
  readonly config: RunConfig<C>;
  /** What the run is. */
  readonly info: RunInfo;
}

/** What is told while a run is configured. */
export interface ConfigureHooks {
  /** How messages call an option; default by its name. */
  readonly say?: (name: string) => string;
  /** Called as cases have been read. `done` of `total`. */
  readonly onProgress?: (done: number, total: number) => void;
  /** The device that will train, for recipes that measure on it. */
  readonly device?: () => Promise<Device>;
  /** What is odd about the cases, and facts that a recipe found worth telling. `text` is a sentence. */
  readonly log?: (text: string) => void;
  /** Ends the choice between two cases or steps on trial; configure throws its reason then. */
  readonly signal?: AbortSignal | undefined;
}

/** Refuses what no data can make right, before they are read. Throws `ConfigError`. */
function checkGiven(recipe: Recipe, given: Readonly<Record<string, unknown>>, say?: (name: string) => string): void {
  const table: OptionTable<Record<string, unknown>> = { ...runOptionTable, ...(recipe.options as object) };
  const open = Object.entries(table).map(([name, o]) => [
    name,
    { ...o, fits: (v: unknown) => given[name] === undefined || o.fits(v) },
  ]);
  checkOptions(Object.fromEntries(open) as typeof table, given, "options", say);
}

/**
 * The options of a new run: those given, else the recipe's suggestions for these data, else the standard ones.
 * @throws ConfigError; the error of a case that cannot be read, or a DataError that lists all of them
 */
export async function configure<C extends object>(
  recipe: Recipe<C>,
  data: RunData,
  given: Readonly<Record<string, unknown>>,
  hooks: ConfigureHooks = {},
): Promise<NewRun<C>> {
  expectOptions("configure", hooks, "say onProgress device log signal");
  expectRecipe("configure", recipe);
  expectFields("configure", "data", data, { index: "object", train: "list", val: "list", read: "function" });
  expectArguments("configure", "object", { given });
  const { say, onProgress, device, signal, log = () => undefined } = hooks;
  checkGiven(recipe, given, say);
  if (data.train.length === 0) throw new ConfigError("there are no training cases");
  if (!recipe.ignores && ignoredValue(data.index.labels) !== undefined) {
    throw new ConfigError(
      `the dataset has the label "ignore", whose voxels must not train, and recipe ${recipe.name} does not say that it leaves them out (ignores: true)`,
    );
  }
  const { facts, orientation, voxel, odd, oddLabels } = await factsOf(data, onProgress, signal, given.allowEmpty === true);
  for (const note of [...odd.notes, ...oddLabels.notes]) log(note);
  const suggested = await recipe.suggest({ ...facts, device, say: log }, given);
  const numWorkers = data.inWorkers && recipe.module !== undefined ? Math.min(2, Math.max(0, data.threads - 1)) : 0;
  const config = checkConfig(recipe, { numWorkers, ...suggested, recipe: recipe.name, ...given }, "options", say);
  for (const note of odd.gridNotes(orientation, storedAxes(recipe as Recipe, config))) log(note);
  const { channels } = facts;
  const labels = recipe.labels?.(config, facts.labels) ?? facts.labels;
  const info: RunInfo = {
    recipe: { name: recipe.name, version: recipe.version, ...(recipe.module === undefined ? {} : { module: recipe.module }) },
    labels,
    channels,
    spacing: voxel,
    outputs: recipe.outputs?.(config, labels) ?? outputKindOf(labels),
    orientation,
    cases: { train: data.train.map((c) => c.id), val: data.val.map((c) => c.id) },
  };
  return { config, info };
}
