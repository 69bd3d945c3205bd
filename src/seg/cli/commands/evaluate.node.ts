/** @file `voxgrad evaluate`: Dice of a run's predictions, or of a folder of label maps from anywhere, against the labels of a dataset. */

import { join, resolve } from "node:path";
import type { Case } from "../../../data/folders/dataset_index.ts";
import { wholeLabels } from "../../../data/folders/join_case.ts";
import { readCaseLabel } from "../../../data/folders/layouts.node.ts";
import type { LabelClass } from "../../../data/labels.ts";
import type { Volume } from "../../../data/volume.ts";
import { ConfigError, DataError } from "../../../host/errors.ts";
import { outputCodingOf, outputKindOf } from "../../post/output_coding.ts";
import type { Candidate } from "../../metrics/detection.ts";
import { DetectionTally, readCandidates } from "../../run/detections.ts";
import { readConfig, readRunInfo } from "../../run/files.ts";
import { FolderData } from "../../run/folder_data.node.ts";
import { folderStore } from "../../run/folder_store.node.ts";
import { caseMetrics, scoreCase } from "../../metrics/case_metrics.ts";
import { compareCases, comparisonLines, type ScoredCase } from "../../metrics/comparison.ts";
import { evaluate, evaluationLines } from "../../run/report.ts";
import { type Command, flag, parse, recipeOfRun, say, text } from "../command_line.node.ts";
import { compareFolders, expectFreeComparison, labelMaps, scoringOf, sizesOf, writeComparison } from "../compare_folders.node.ts";
import { expectOneGrid, expectOneGrids, PairProblems, readLabels, ValueNotes } from "../paired_maps.node.ts";
import { foldNamed } from "./predict.node.ts";

const scoreFlags = {
  metrics: text,
  spacing: text,
  tolerance: text,
  empty: text,
  seed: text,
  out: text,
  overwrite: flag,
} as const;

/** What is to be scored. */
interface Task {
  readonly scoring: ReturnType<typeof scoringOf>;
  /** Where the scores are written too, beside what is printed. */
  readonly out: string | undefined;
  readonly predictions: string;
  readonly data: FolderData;
  readonly fold: number | "all" | undefined;
  /** By case, of runs that look for things. */
  readonly candidates?: ReadonlyMap<string, readonly Candidate[]> | undefined;
}

async function taskOf(args: readonly string[]): Promise<Task> {
  const { values } = parse(args, { run: text, recipe: text, pred: text, data: text, fold: text, ...scoreFlags });
  const shared = { scoring: scoringOf(values), out: values.out };
  expectFreeComparison(values.out, shared.scoring.metrics, values.overwrite);
  if (values.run !== undefined) {
    const store = folderStore(resolve(values.run));
    const recipe = await recipeOfRun(await readRunInfo(store), values.recipe);
    const config = await readConfig(store, recipe);
    const data = await FolderData.openFor(values.data ?? config.data, recipe, config);
    // What training segmented, and nothing that it learned from.
    const predictions = resolve(values.pred ?? join(values.run, "predictions"));
    const candidates = await readCandidates(values.pred === undefined ? store : folderStore(predictions));
    return { ...shared, predictions, data, fold: foldNamed(values.fold) ?? config.fold, candidates };
  }
  if (values.pred === undefined || values.data === undefined)
    throw new ConfigError("evaluate needs --run DIR, or --pred DIR with --data DIR, or --reference DIR with --prediction DIR");
  const data = await FolderData.open(values.data);
  const predictions = resolve(values.pred);
  return {
    ...shared,
    predictions,
    data,
    fold: foldNamed(values.fold),
    candidates: await readCandidates(folderStore(predictions)),
  };
}

/** Predictions with their truths, one pair at a time. Throws `ShapeError`, `DataError` if predictions do not lie on their labels' grids, which tells of all. */
async function* pairsOf(
  found: readonly { readonly item: Case; readonly path: string }[],
  labels: readonly LabelClass[],
  onPair: (item: Case, prediction: Volume, truth: Volume) => void,
) {
  const problems = new PairProblems();
  for (const { item, path } of found) {
    const pair = await problems.of(async () => {
      const [prediction, truth] = await Promise.all([readLabels(path), readCaseLabel(item, labels).then(wholeLabels)]);
      expectOneGrid(path, prediction, truth);
      return { prediction, truth };
    });
    if (!pair) continue;
    onPair(item, pair.prediction, pair.truth);
    yield { id: item.id, ...pair };
  }
  problems.throwIfAny();
}

const some = (cases: readonly Case[]): string => {
  const ids = cases.slice(0, 5).map((c) => c.id);
  return ids.join(", ") + (cases.length > ids.length ? ` and ${cases.length - ids.length} more` : "");
};

const folderFlags = { reference: text, prediction: text, labels: text, ignore: text, missing: text, ...scoreFlags } as const;

/** Two folders of label maps, without a run or a dataset. */
async function evaluateFolders(args: readonly string[]): Promise<number> {
  const { values } = parse(args, folderFlags);
  const { reference, prediction, out, overwrite, ...options } = values;
  if (reference === undefined || prediction === undefined)
    throw new ConfigError("evaluate needs both --reference DIR and --prediction DIR");
  expectFreeComparison(out, scoringOf(options).metrics, overwrite);
  const warnings: string[] = [];
  const comparison = await compareFolders({ reference, prediction, ...options }, warnings);
  for (const line of [...comparisonLines(comparison), ...warnings]) say(line);
  if (out !== undefined) await writeComparison(resolve(out), comparison);
  return 0;
}

const namesFolders = (args: readonly string[]): boolean => args.some((a) => /^--(?:reference|prediction)(?:=|$)/.test(a));

const usage: Command["usage"] = [
  ["--run DIR", "Dice of each validation case and class of a run, and a table of metrics"],
  ["--pred DIR --data DIR [--fold N]", "the same for label maps <id>.nii.gz (or of another format) from anywhere"],
  ["--reference DIR --prediction DIR", "the table for two folders of label maps, paired by file name"],
  ["  [--labels 1,tumor=2+3] [--ignore N]", "values or regions to score; the value of voxels that do not count"],
  ["of all: [--metrics dice,hd95,…] [--out DIR [--overwrite]]", "which metrics; a folder for JSON, CSV and box plots"],
  ["  [--tolerance MM] [--spacing X,Y,Z]", "the tolerance of nsd (default 1); voxel size in mm; default: as the files say"],
  ["  [--empty nan|skip|best]", "score of a class that the reference does not have"],
  ["  [--missing empty|skip]", "a missing prediction counts as empty, or is left out"],
];

const help = `${usage.map(([args, does]) => `  ${`voxgrad evaluate ${args}`.padEnd(64)} ${does}\n`).join("")}
Metrics: ${caseMetrics.map((m) => m.name).join(", ")}.
nsd is the surface Dice by area, as MONAI's with use_subvoxels=True; nsdvoxels, by edge voxels, is MONAI's default.
`;

export const evaluateCommand: Command = {
  name: "evaluate",
  usage,
  help: async () => help,
  async run(args) {
    if (namesFolders(args)) return evaluateFolders(args);
    const { predictions, data, fold, candidates, scoring, out } = await taskOf(args);
    const cases = (fold === undefined ? data.index.training : (await data.fold(fold)).val).filter((c) => c.label);
    const maps = labelMaps(predictions);
    const fileOf = (c: Case) => maps.get(c.id);
    const found = cases.flatMap((item) => [fileOf(item)].flatMap((path) => (path === undefined ? [] : [{ item, path }])));
    if (found.length === 0)
      throw new DataError(
        `evaluate: ${predictions} has no <id>.nii.gz (or of another format) of a labeled case of ${data.folder}`,
      );
    const missing = cases.filter((c) => fileOf(c) === undefined);
    if (fold !== undefined && missing.length > 0)
      throw new DataError(`evaluate: ${predictions} lacks ${missing.length} of ${cases.length} cases: ${some(missing)}`);
    const { labels } = data.index;
    const tally = new DetectionTally();
    // Labels that were drawn have the grid of their image, with which they are read.
    const stored = found.filter(({ item }) => !item.drawn);
    await expectOneGrids(stored.map(({ item, path }) => ({ prediction: path, truth: item.label! })));
    const notes = new ValueNotes();
    const coding = outputCodingOf(outputKindOf(labels), labels);
    const { spacing, ...rules } = scoring;
    const { foreground: classes, ignore } = coding;
    const scored: ScoredCase[] = [];
    const look = ({ id, nodules }: Case, prediction: Volume, label: Volume) => {
      if (candidates) tally.add({ id, candidates: candidates.get(id) ?? [], source: { nodules, label } });
      notes.add(id, prediction, label);
      const { metrics, empty, tolerance } = rules;
      const options = { metrics, classes, spacing: sizesOf(label, spacing), ignore, empty, tolerance };
      scored.push({ id, scores: scoreCase(prediction, label, options) });
    };
    const scores = await evaluate(pairsOf(found, labels, look), coding);
    const { summary: detection } = tally;
    for (const line of evaluationLines({ ...scores, ...(detection && { detection }) })) say(line);
    const info = { ...rules, classes: classes.map((c) => c.name), missing: "skip", ignore } as const;
    const comparison = compareCases(info, scored);
    for (const line of comparisonLines(comparison)) say(line);
    if (out !== undefined) await writeComparison(resolve(out), comparison);
    const known = labels.flatMap((l) => l.values);
    for (const line of notes.warnings(classes, known)) say(line);
    if (missing.length > 0)
      say(`${found.length} of ${cases.length} labeled cases were scored; there is no prediction of ${some(missing)}`);
    return 0;
  },
};
