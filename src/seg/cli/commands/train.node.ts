/** @file `voxgrad train`: trains a recipe on a folder of data, or goes on with a run, then reports on it. */

import { join, resolve } from "node:path";
import { counted } from "../../../host/text.ts";
import { ConfigError } from "../../../host/errors.ts";
import { expectFolder } from "../../../host/files.node.ts";
import { type Device, openDevice } from "../../../tensor/device.ts";
import type { Option } from "../../recipes/options.ts";
import type { Recipe } from "../../recipes/recipe.ts";
import { movable, runOptionTable } from "../../recipes/run_options.ts";
import { encodePng } from "../../pictures/pictures.ts";
import { caseLines } from "../../metrics/comparison.ts";
import { ProgressLine } from "../../training/progress.ts";
import { checkedCases, configure, type NewRun, type RunData } from "../../run/data.ts";
import { checkConfig, checkpointOf, type EpochMetrics, files, readConfig, readRunInfo } from "../../run/files.ts";
import type { RunEvent } from "../../run/event.ts";
import { fit } from "../../run/fit.ts";
import { FolderData } from "../../run/folder_data.node.ts";
import { folderStore } from "../../run/folder_store.node.ts";
import { expectNamesApart } from "../../../data/folders/case_names.ts";
import { expectNameLength } from "../../run/inputs.node.ts";
import type { InitialWeights } from "../../run/initial_weights.ts";
import { speedLine, speedOf } from "../../run/pace.ts";
import { preview } from "../../run/preview.ts";
import { evaluationLines, report } from "../../run/report.ts";
import { foldNotes } from "../../run/fold_notes.ts";
import { unlearnedHint } from "../../run/unlearned.ts";
import { openRun } from "../../run/segment.ts";
import { expectSameData } from "../../run/same_data.ts";
import type { RunStore } from "../../run/store.ts";
import { readWeightsFile } from "../../run/weight_files.node.ts";
import {
  calledBy,
  type Command,
  flag,
  flagsOf,
  helpLines,
  optionsIn,
  parse,
  peek,
  recipeOf,
  recipeOfRun,
  say,
  shellWord,
  text,
} from "../command_line.node.ts";
import { endsAtOnce, interruptible, withDevice } from "../device.node.ts";
import { expectFree, writeOutput } from "../outputs.node.ts";

type Table = Readonly<Record<string, Option<unknown>>>;

/** All options of a run of a recipe. */
export const tableOf = (recipe: Recipe): Table => ({ ...runOptionTable, ...(recipe.options as Table) });

const defaultRecipe = "slices2d";

/** A run that is to be trained. */
interface Job extends NewRun<object> {
  readonly recipe: Recipe;
  readonly data: RunData;
  readonly store: RunStore;
  readonly folder: string;
  readonly resume: boolean;
  readonly init?: InitialWeights | undefined;
}

/** A run of which no case has been read. */
type Intended = Omit<Job, "config" | "info"> & { readonly given: Readonly<Record<string, unknown>> };

function epochLine({ epoch, loss, lr, seconds, dice, skipped }: EpochMetrics, total: number): string {
  const parts = [`epoch ${epoch}/${total}`, `loss ${loss.toFixed(4)}`, `lr ${lr.toExponential(1)}`, `${seconds.toFixed(1)} s`];
  if (skipped) parts.push(`${counted(skipped, "step")} skipped`);
  if (dice) parts.push(`validation Dice ${dice.map((d) => d.toFixed(4)).join(" / ")}`);
  return parts.join("  ");
}

function show(line: ProgressLine): (event: RunEvent) => void {
  return (event) => {
    if (event.kind === "progress") return line.update(event.state);
    if (event.kind === "epoch") return line.log(epochLine(event.metrics, event.epochs));
    if (event.kind === "resumed") return line.log(event.text);
    if (event.kind === "validated" || event.kind === "step") return;
    line.finish();
    say(event.text);
  };
}

/** Trains, then segments the validation cases and writes the report; 130 if it was interrupted. */
async function trainAndReport(device: Device, job: Job): Promise<number> {
  const { recipe, folder, ...run } = job;
  const { data, store } = run;
  const line = new ProgressLine(process.stderr);
  const { signal, done } = interruptible(`stopping after this step and saving a checkpoint in ${folder}`);
  try {
    const result = await fit(recipe, { device, ...run, signal, onEvent: show(line) });
    line.finish();
    if (!result.finished) {
      say(`stopped. Go on with: voxgrad train --resume ${shellWord(folder)}`);
      return 130;
    }
    const speed = speedOf(result.epochs);
    if (speed) say(speedLine(speed));
    await reportOn(device, store, recipe, result.epochs, data, folder, line);
    return 0;
  } finally {
    line.finish();
    done();
  }
}

async function reportOn(
  device: Device,
  store: RunStore,
  recipe: Recipe,
  epochs: readonly EpochMetrics[],
  { val, read }: RunData,
  folder: string,
  line: ProgressLine,
): Promise<void> {
  const run = await openRun(device, store, recipe, "weights");
  const started = performance.now();
  const onProgress = (done: number, total: number) =>
    line.update({ label: "segmenting", done, total, seconds: (performance.now() - started) / 1000 });
  try {
    const { evaluation, comparison, pictures } = await report(store, run, epochs, val, read, { onProgress });
    line.finish();
    for (const text of evaluationLines(evaluation)) say(text);
    const hint = unlearnedHint(evaluation, epochs.at(-1)?.epoch ?? 0, `voxgrad train --resume ${shellWord(folder)}`);
    if (hint) say(hint);
    if (recipe.metrics) for (const text of ["", ...caseLines(comparison)]) say(text);
    say(`\npredictions ${join(folder, "predictions")}`);
    say(`report      ${join(folder, files.report)}`);
    say(`pictures    ${pictures.map((file) => join(folder, file)).join("\n            ")}`);
  } finally {
    run.dispose();
  }
}

/** Where a preview goes, unless a file is there. Throws `ConfigError`. */
function previewFile({ folder, data }: Pick<Job, "folder" | "data">, named: string, overwrite: boolean): string {
  const path = named === "" ? join(folder, files.preview) : resolve(named);
  if (!/\.png$/i.test(path)) throw new ConfigError(`--preview writes a PNG, got ${named}`);
  if (data.train.some((c) => [...c.image, c.label].some((file) => file !== undefined && resolve(file) === path)))
    throw new ConfigError(`${path} is an image of the dataset; choose another name`);
  expectFree({ outputs: [path], overwrite });
  return path;
}

/** Draws what the networks of a job would see, and trains nothing. */
async function drawPreview({ recipe, ...job }: Job, path: string, tuned: boolean): Promise<number> {
  const { data, config, info } = job;
  const picture = await withDevice((device) => preview(recipe, { device, data, config, info }), { tuned });
  await writeOutput(path, await encodePng(picture));
  say(`preview ${path}; nothing was trained`);
  return 0;
}

type Values = { readonly [name: string]: unknown };

/** The file of the preview that is asked for. Throws `ConfigError` where it cannot be written, and for `--overwrite` without one. */
function previewAsked(job: Pick<Job, "folder" | "data">, { preview: file, overwrite }: Values): string | undefined {
  if (file !== undefined) return previewFile(job, file as string, overwrite === true);
  if (overwrite === true) throw new ConfigError("--overwrite is for --preview; a run is never replaced, choose another --out");
  return undefined;
}

/** Trains a job, or draws its preview if that is asked for. */
function start(job: Job, values: Values): Promise<number> {
  const tuned = values["no-tune"] !== true;
  const picture = previewAsked(job, values);
  return picture === undefined ? train(job, tuned) : drawPreview(job, picture, tuned);
}

/** `--preview` takes a file or none. */
function withPreview(args: readonly string[]): string[] {
  const at = args.indexOf("--preview");
  if (at < 0) return [...args];
  const named = args[at + 1] !== undefined && !args[at + 1].startsWith("-");
  return args.toSpliced(at, named ? 2 : 1, `--preview=${named ? args[at + 1] : ""}`);
}

/** Runs a job on a device of its own. */
export const train = (job: Job, tuned: boolean): Promise<number> =>
  withDevice((device) => trainAndReport(device, job), { tuned, half: job.config.precision === "f16" });

/** Shows how far the reading of cases is. */
async function checked<T>(read: (onProgress: (done: number, total: number) => void, log: (text: string) => void) => Promise<T>) {
  const line = new ProgressLine(process.stderr);
  const started = performance.now();
  const onProgress = (done: number, total: number) =>
    line.update({ label: "checking cases", done, total, seconds: (performance.now() - started) / 1000 });
  const done = endsAtOnce("stopped before training began");
  return read(onProgress, (text) => line.log(text)).finally(() => {
    line.finish();
    done();
  });
}

/** A run that is there. Of its options those may be given anew that do not make it another run. */
async function resumed(folder: string, args: readonly string[]): Promise<{ job: Job; values: Record<string, unknown> }> {
  const store = folderStore(folder);
  const info = await readRunInfo(store);
  const recipe = await recipeOfRun(info, peek(args, "recipe"));
  const table = tableOf(recipe);
  const { values } = parse(args, { ...flagsOf(table), ...trainFlags }, false, ["preview"]);
  const { recipe: _, ...changes } = optionsIn(table, values);
  const fixed = Object.keys(changes).filter((name) => !movable.has(name));
  const other = [
    ...fixed.map(calledBy(table)),
    ...(["init", "out"] as const).filter((name) => values[name]).map((name) => `--${name}`),
  ];
  if (other.length > 0) throw new ConfigError(`--resume takes its options from the run; remove ${other.join(", ")}`);
  if (changes.data !== undefined) changes.data = resolve(changes.data as string);
  const before = await readConfig(store, recipe);
  const config = checkConfig(recipe, { ...before, ...changes }, "options", calledBy(table));
  const data = await (await FolderData.openFor(config.data, recipe, config)).fold(config.fold);
  expectSameData(recipe, { config, info }, data);
  if (config.data !== before.data) await checked((onProgress) => checkedCases(data, onProgress));
  return { job: { recipe, data, store, folder, config, info, resume: true }, values };
}

const trainFlags = { data: text, out: text, resume: text, init: text, preview: text, overwrite: flag, "no-tune": flag };

/** The options of train and demo, a line each. */
export async function trainHelp(args: readonly string[]): Promise<string> {
  const recipe = await recipeOf(peek(args, "recipe") ?? defaultRecipe);
  const shown = Object.entries(tableOf(recipe)).filter(([, option]) => option.help !== "");
  const rows: (readonly [string, string])[] = [
    ["data DIR", "folder of a dataset: Decathlon, nnU-Net, LUNA16 or CHAOS"],
    ["out DIR", "folder of the run; default runs/<dataset>-<recipe>-fold<N>-seed<N>"],
    ["recipe NAME", "what is trained: a name of `voxgrad recipes`, or the path of a module; default slices2d"],
    [
      "resume DIR",
      `go on with the run in this folder; of the other options only ${[...movable].map(calledBy(tableOf(recipe))).join(", ")} may be given`,
    ],
    ["init FILE", "start from the weights in a .safetensors, .pt or .pth file, as far as names and shapes agree (train only)"],
    ...shown.map(([name, option]) => [calledBy(tableOf(recipe))(name).slice(2), option.help] as const),
    ["preview [FILE.png]", "draw what the network will see and train nothing; default preview.png in the run's folder"],
    ["overwrite", "replace that picture if it is there"],
    ["no-tune", "use the fixed table of kernel variants, whatever voxgrad tune measured"],
  ];
  return `Options of recipe ${recipe.name}. Those not given are chosen from the data and saved in config.json:\n\n${helpLines(rows)}`;
}

/** A new run in `folder`, or in one named after the data, as far as it is known before cases are read. */
async function intended(
  recipe: Recipe,
  dataFolder: string,
  given: Record<string, unknown>,
  folder?: string,
  weights?: string,
): Promise<Intended> {
  const root = resolve(dataFolder);
  const opened = await FolderData.openFor(root, recipe, given);
  for (const note of opened.index.notes ?? []) say(`${root}: ${note}`);
  const { fold = 0, seed = 0 } = given as { fold?: number | "all"; seed?: number };
  const data = await opened.fold(fold);
  if (fold !== "all" && opened.madeFolds) for (const text of foldNotes(root, opened.index.training)) say(text);
  const out = resolve(folder ?? join("runs", `${opened.index.name || "run"}-${recipe.name}-fold${fold}-seed${seed}`));
  const init = weights === undefined ? undefined : { source: weights, tensors: (await readWeightsFile(weights)).tensors };
  return { recipe, data, store: folderStore(out), folder: out, resume: false, init, given: { ...given, fold, data: root } };
}

/** Reads the cases, which may take an hour: behind all that can be refused without them, a machine without an adapter too. */
async function configured({ given, ...run }: Intended): Promise<Job> {
  const say = calledBy(tableOf(run.recipe));
  const device = await openDevice();
  try {
    const hooks = { say, device: async () => device };
    const made = await checked((onProgress, log) => configure(run.recipe, run.data, given, { ...hooks, onProgress, log }));
    return { ...run, ...made };
  } finally {
    device.close();
  }
}

/** A new run that is to be trained. Throws `ConfigError`, `CheckpointError` for a folder that cannot take it. */
export async function newJob(recipe: Recipe, dataFolder: string, given: Record<string, unknown>, folder: string): Promise<Job> {
  const run = await intended(recipe, dataFolder, given, folder);
  await expectFreeFolder(run);
  return configured(run);
}

async function expectFreeFolder({ folder, store, data }: Intended): Promise<void> {
  expectFolder(folder);
  expectNamesApart(
    "train",
    data.val.map(({ id }) => id),
  );
  for (const { id } of data.val) expectNameLength(join(folder, files.prediction(id)));
  await checkpointOf({ store });
}

export const trainCommand: Command = {
  name: "train",
  usage: [
    ["--data DIR [--recipe NAME] [--out DIR] [--fold N] [--epochs N] …", "train a network"],
    ["--data DIR … --preview [FILE.png]", "draw what the network will see, augmentation included"],
    ["--resume DIR", "go on with an interrupted run"],
  ],
  help: trainHelp,
  async run(given) {
    const args = withPreview(given);
    const folder = peek(args, "resume");
    if (folder !== undefined) {
      const { job, values } = await resumed(resolve(folder), args);
      return start(job, values);
    }
    const recipe = await recipeOf(peek(args, "recipe") ?? defaultRecipe);
    const table = tableOf(recipe);
    const { values } = parse(args, { ...flagsOf(table), ...trainFlags }, false, ["preview"]);
    if (values.data === undefined) throw new ConfigError("train needs --data DIR (or --resume DIR); see voxgrad train --help");
    const { recipe: _, data: _data, ...options } = optionsIn(table, values);
    const named = { out: values.out as string | undefined, init: values.init as string | undefined };
    const run = await intended(recipe, values.data as string, options, named.out, named.init);
    if (previewAsked(run, values) === undefined) await expectFreeFolder(run);
    return start(await configured(run), values);
  },
};
