/** @file `voxgrad train`: trains a recipe on a folder of data, or goes on with a run, then reports on it. */

import { join, resolve } from "node:path";
import { ConfigError } from "../../../host/errors.ts";
import type { Device } from "../../../tensor/device.ts";
import type { Option } from "../../recipes/options.ts";
import type { Recipe } from "../../recipes/recipe.ts";
import { movable, runOptions } from "../../recipes/run_options.ts";
import { ProgressLine } from "../../training/progress.ts";
import { configure, type NewRun, type RunData } from "../../run/data.ts";
import { checkConfig, type EpochMetrics, readConfig, readRunInfo } from "../../run/files.ts";
import { fit, type RunEvent } from "../../run/fit.ts";
import { FolderData } from "../../run/folder_data.node.ts";
import { folderStore } from "../../run/folder_store.node.ts";
import { evaluationLines, report } from "../../run/report.ts";
import { openRun } from "../../run/segment.ts";
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
  text,
} from "../command_line.node.ts";
import { interruptible, withDevice } from "../device.node.ts";

type Table = Readonly<Record<string, Option<unknown>>>;

/** All options of a run of a recipe. */
export const tableOf = (recipe: Recipe): Table => ({ ...runOptions, ...(recipe.options as Table) });

const defaultRecipe = "slices2d";

/** A run that is to be trained. */
interface Job extends NewRun<object> {
  readonly recipe: Recipe;
  readonly data: RunData;
  readonly store: RunStore;
  readonly folder: string;
  readonly resume: boolean;
  readonly init?: string | undefined;
}

function epochLine({ epoch, loss, lr, seconds, dice, skipped }: EpochMetrics, total: number): string {
  const parts = [`epoch ${epoch}/${total}`, `loss ${loss.toFixed(4)}`, `lr ${lr.toExponential(1)}`, `${seconds.toFixed(1)} s`];
  if (skipped) parts.push(`${skipped} steps skipped`);
  if (dice) parts.push(`validation Dice ${dice.map((d) => d.toFixed(4)).join(" / ")}`);
  return parts.join("  ");
}

function show(line: ProgressLine): (event: RunEvent) => void {
  return (event) => {
    if (event.kind === "progress") return line.update(event.state);
    if (event.kind === "epoch") return line.log(epochLine(event.metrics, event.epochs));
    if (event.kind === "resumed") return line.log(event.text);
    line.finish();
    say(event.text);
  };
}

/** Trains, then segments the validation cases and writes the report; 130 if it was interrupted. */
async function trainAndReport(device: Device, job: Job): Promise<number> {
  const { recipe, folder, init: weights, ...run } = job;
  const { data, store } = run;
  const line = new ProgressLine(process.stderr);
  const { signal, done } = interruptible(`stopping after this step and saving a checkpoint in ${folder}`);
  try {
    const init = weights === undefined ? undefined : { source: weights, tensors: (await readWeightsFile(weights)).tensors };
    const result = await fit(recipe, { device, ...run, init, signal, onEvent: show(line) });
    line.finish();
    if (!result.finished) {
      say(`stopped. Go on with: voxgrad train --resume ${folder}`);
      return 130;
    }
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
    const { evaluation, pictures } = await report(store, run, epochs, val, read, { onProgress });
    line.finish();
    for (const text of evaluationLines(evaluation)) say(text);
    say(`\npredictions ${join(folder, "predictions")}`);
    say(`pictures    ${pictures.map((file) => join(folder, file)).join("\n            ")}`);
  } finally {
    run.dispose();
  }
}

/** Runs a job on a device of its own. */
export const train = (job: Job, tuned: boolean): Promise<number> =>
  withDevice((device) => trainAndReport(device, job), { tuned, half: job.config.precision === "f16" });

/** A run that is there. Of its options those may be given anew that do not make it another run. */
async function resumed(folder: string, args: readonly string[]): Promise<{ job: Job; tuned: boolean }> {
  const store = folderStore(folder);
  const info = await readRunInfo(store);
  const recipe = await recipeOfRun(info, peek(args, "recipe"));
  const table = tableOf(recipe);
  const { values } = parse(args, { ...flagsOf(table), ...trainFlags });
  const { recipe: _, ...changes } = optionsIn(table, values);
  const fixed = Object.keys(changes).filter((name) => !movable.has(name));
  const other = [
    ...fixed.map(calledBy(table)),
    ...(["init", "out"] as const).filter((name) => values[name]).map((name) => `--${name}`),
  ];
  if (other.length > 0) throw new ConfigError(`--resume takes its options from the run; remove ${other.join(", ")}`);
  if (changes.data !== undefined) changes.data = resolve(changes.data as string);
  const config = checkConfig(recipe, { ...(await readConfig(store, recipe)), ...changes }, "options", calledBy(table));
  const data = await (await FolderData.openFor(config.data, recipe, config)).fold(config.fold);
  return { job: { recipe, data, store, folder, config, info, resume: true }, tuned: values["no-tune"] !== true };
}

const trainFlags = { data: text, out: text, resume: text, init: text, "no-tune": flag };

/** The options of train and demo, a line each. */
export async function trainHelp(args: readonly string[]): Promise<string> {
  const recipe = await recipeOf(peek(args, "recipe") ?? defaultRecipe);
  const shown = Object.entries(tableOf(recipe)).filter(([, option]) => option.help !== "");
  const rows: (readonly [string, string])[] = [
    ["data DIR", "folder of a dataset: Decathlon, nnU-Net or CHAOS"],
    ["out DIR", "folder of the run; default runs/<dataset>-<recipe>-fold<N>-seed<N>"],
    ["recipe NAME", "what is trained: a name of `voxgrad recipes`, or the path of a module; default slices2d"],
    [
      "resume DIR",
      `go on with the run in this folder; of the other options only ${[...movable].map(calledBy(tableOf(recipe))).join(", ")} may be given`,
    ],
    ["init FILE", "start from the weights in a .safetensors, .pt or .pth file, as far as names and shapes agree (train only)"],
    ...shown.map(([name, option]) => [calledBy(tableOf(recipe))(name).slice(2), option.help] as const),
    ["no-tune", "use the fixed table of kernel variants, whatever voxgrad tune measured"],
  ];
  return `Options of recipe ${recipe.name}. Those not given are chosen from the data and saved in config.json:\n\n${helpLines(rows)}`;
}

/** A new run in `folder`, or in one named after the data. */
export async function newJob(
  recipe: Recipe,
  dataFolder: string,
  given: Record<string, unknown>,
  folder?: string,
  init?: string,
): Promise<Job> {
  const table = tableOf(recipe);
  const root = resolve(dataFolder);
  const opened = await FolderData.openFor(root, recipe, given);
  for (const note of opened.index.notes ?? []) say(`${root}: ${note}`);
  const fold = (given.fold ?? 0) as number | "all";
  const data = await opened.fold(fold);
  if (fold !== "all" && opened.madeFolds)
    say(`${root} has no splits_final.json: five folds by patient, as nnU-Net makes them; --fold all takes every case`);
  const line = new ProgressLine(process.stderr);
  const started = performance.now();
  const onProgress = (done: number, total: number) =>
    line.update({ label: "checking cases", done, total, seconds: (performance.now() - started) / 1000 });
  const hooks = { say: calledBy(table), onProgress };
  const { config, info } = await configure(recipe, data, { ...given, fold, data: root }, hooks).finally(() => line.finish());
  const name = `${opened.index.name || "run"}-${recipe.name}-fold${config.fold}-seed${config.seed}`;
  const out = resolve(folder ?? join("runs", name));
  return { recipe, data, store: folderStore(out), folder: out, config, info, resume: false, init };
}

export const trainCommand: Command = {
  name: "train",
  usage: [
    ["--data DIR [--recipe NAME] [--out DIR] [--fold N] [--epochs N] …", "train a network"],
    ["--resume DIR", "go on with an interrupted run"],
  ],
  help: trainHelp,
  async run(args) {
    const folder = peek(args, "resume");
    if (folder !== undefined) {
      const { job, tuned } = await resumed(resolve(folder), args);
      return train(job, tuned);
    }
    const recipe = await recipeOf(peek(args, "recipe") ?? defaultRecipe);
    const table = tableOf(recipe);
    const { values } = parse(args, { ...flagsOf(table), ...trainFlags });
    if (values.data === undefined) throw new ConfigError("train needs --data DIR (or --resume DIR); see voxgrad train --help");
    const { recipe: _, data: _data, ...given } = optionsIn(table, values);
    const job = await newJob(
      recipe,
      values.data as string,
      given,
      values.out as string | undefined,
      values.init as string | undefined,
    );
    return train(job, values["no-tune"] !== true);
  },
};
