/** @file Two folders of label maps from any tool, paired by file name and compared case by case. */

import { join, resolve } from "node:path";
import { labelMapsIn } from "../../data/folders/label_maps.node.ts";
import type { LabelClass } from "../../data/labels.ts";
import { millimetersOf, type Volume } from "../../data/volume.ts";
import { ConfigError, DataError } from "../../host/errors.ts";
import { makeFolder, writeFileAtomic } from "../../host/files.node.ts";
import { LabelPairs } from "../metrics/label_pairs.ts";
import { caseMetricsNamed, type EmptyRule, scoreCase, type ScoreOptions } from "../metrics/case_metrics.ts";
import {
  compareCases,
  type Comparison,
  comparisonCsv,
  type ComparisonInfo,
  comparisonJson,
  comparisonLines,
  type ScoredCase,
} from "../metrics/comparison.ts";
import { boxPlotSvg } from "../pictures/boxes.ts";
import { expectFree } from "./outputs.node.ts";
import { expectOneGrid, expectOneGrids, PairProblems, readLabels, ValueNotes } from "./paired_maps.node.ts";
import { say } from "./command_line.node.ts";

/** What the command line says of scores. */
export interface ScoreFlags {
  /** Names of `caseMetrics`; default `dice,iou,hd95,assd,nsd`. */
  readonly metrics?: string | undefined;
  /** `1,1,2.5`; default the voxel size in the files. */
  readonly spacing?: string | undefined;
  readonly tolerance?: string | undefined;
  readonly empty?: string | undefined;
  readonly seed?: string | undefined;
}

/** And of a comparison of two folders. */
export interface FolderComparison extends ScoreFlags {
  readonly reference: string;
  readonly prediction: string;
  /** `1,2`, `anterior=1,posterior=2`, `whole=1+2`; default: every value of the references but 0. */
  readonly labels?: string | undefined;
  readonly ignore?: string | undefined;
  readonly missing?: string | undefined;
}

/** Label maps of a folder by case, of which there must be one. @throws DataError */
export function labelMaps(folder: string): Map<string, string> {
  const found = labelMapsIn(folder, "evaluate", say);
  if (found.size === 0)
    throw new DataError(`evaluate: ${folder} has no label map: no file with the ending of an image, such as .nii.gz`);
  return found;
}

function numbers(flag: string, text: string, least: number): number[] {
  const list = text.split(",").map(Number);
  if (list.some((n) => !Number.isFinite(n) || n < least))
    throw new ConfigError(`evaluate: --${flag} takes numbers of at least ${least}, got "${text}"`);
  return list;
}

/** A flag of one number. */
function number(flag: string, text: string | undefined, least: number): number | undefined {
  if (text === undefined) return undefined;
  const list = text === "" ? [] : numbers(flag, text, least);
  if (list.length !== 1) throw new ConfigError(`evaluate: --${flag} takes one number, got "${text}"`);
  return list[0];
}

function oneOf<T extends string>(flag: string, text: string | undefined, known: readonly T[]): T {
  const found = known.find((k) => k === (text ?? known[0]));
  if (found === undefined) throw new ConfigError(`evaluate: --${flag} is one of ${known.join(", ")}, got "${text}"`);
  return found;
}

/** Classes of `--labels`. */
export function classesOf(text: string): LabelClass[] {
  const classes = text.split(",").map((part) => {
    const [, name, sum] = /^(?:([^=]+)=)?(\d+(?:\+\d+)*)$/.exec(part.trim()) ?? [];
    if (sum === undefined)
      throw new ConfigError(`evaluate: --labels takes values such as 1,2 or regions such as tumor=2+3, got "${part}"`);
    return { name: name ?? sum, values: sum.split("+").map(Number) };
  });
  const twice = classes.find(({ name }, i) => classes.findIndex((c) => c.name === name) < i);
  if (twice) throw new ConfigError(`evaluate: --labels has "${twice.name}" twice`);
  return classes;
}

/** Every value of the references, in order. */
async function valuesOf(references: ReadonlyMap<string, string>, ignore: number | undefined): Promise<LabelClass[]> {
  const values = new Set<number>();
  for (const path of references.values()) {
    const truth = await readLabels(path);
    for (const v of new LabelPairs("evaluate", truth, truth, ignore).truthValues()) values.add(v);
  }
  if (values.size === 0) throw new DataError("evaluate: the references have no label but 0; name them by --labels");
  return [...values].sort((a, b) => a - b).map((v) => ({ name: String(v), values: [v] }));
}

/** Voxel sizes in the unit of a truth: those of `--spacing`, which are in mm, else its own. */
export const sizesOf = (truth: Volume, spacing: readonly number[] | undefined): readonly number[] =>
  spacing?.map((s) => s / millimetersOf(truth)) ?? truth.spacing;

/** How scores are made, as the flags say. @throws ConfigError */
export function scoringOf(flags: ScoreFlags): Pick<ComparisonInfo, "metrics" | "empty" | "tolerance"> & Scoring {
  const metrics = caseMetricsNamed([...new Set((flags.metrics ?? "dice,iou,hd95,assd,nsd").split(",").map((m) => m.trim()))]);
  const spacing = flags.spacing === undefined ? undefined : numbers("spacing", flags.spacing, Number.MIN_VALUE);
  if (spacing && spacing.length !== 3) throw new ConfigError(`evaluate: --spacing takes three numbers, got "${flags.spacing}"`);
  return {
    metrics,
    empty: oneOf<EmptyRule>("empty", flags.empty, ["nan", "skip", "best"]),
    tolerance: number("tolerance", flags.tolerance, 0) ?? 1,
    spacing,
    bootstrap: { seed: number("seed", flags.seed, 0) ?? 0 },
  };
}

interface Scoring {
  readonly spacing: readonly number[] | undefined;
  readonly bootstrap: { readonly seed: number };
}

/**
 * Pairs the files of both folders, checks that each pair lies on one grid, and scores it. `warnings` takes what is odd about the label values.
 * @throws ConfigError, DataError, ShapeError; where several pairs do not go together, a DataError that lists them
 */
export async function compareFolders(options: FolderComparison, warnings: string[] = []): Promise<Comparison> {
  const [references, predictions] = [labelMaps(resolve(options.reference)), labelMaps(resolve(options.prediction))];
  const ignore = number("ignore", options.ignore, 0);
  const { spacing, ...scoring } = scoringOf(options);
  const missing = oneOf("missing", options.missing, ["empty", "skip"]);
  const named = options.labels === undefined ? undefined : classesOf(options.labels);
  if (named?.some((c) => c.values.includes(ignore ?? NaN)))
    throw new ConfigError(
      `evaluate: --ignore ${ignore} leaves out voxels that --labels ${options.labels} scores: one or the other`,
    );
  const missingCases = [...references.keys()].filter((id) => !predictions.has(id));
  const surplus = [...predictions.keys()].filter((id) => !references.has(id));
  if (missingCases.length === references.size)
    throw new DataError(
      `evaluate: no file of ${options.prediction} has the name of one of ${options.reference}; expected <case>.nii.gz, or another format, in both`,
    );
  const both = [...references].filter(([id]) => predictions.has(id));
  await expectOneGrids(both.map(([id, truth]) => ({ prediction: predictions.get(id)!, truth })));
  const classes = named ?? (await valuesOf(references, ignore));
  const cases: ScoredCase[] = [];
  const problems = new PairProblems();
  const notes = new ValueNotes();
  for (const [id, path] of references) {
    const other = predictions.get(id);
    if (other === undefined && missing === "skip") continue;
    const pair = await problems.of(async () => {
      const [truth, found] = await Promise.all([readLabels(path), other === undefined ? undefined : readLabels(other)]);
      if (found) expectOneGrid(other!, found, truth);
      return { truth, found };
    });
    if (!pair) continue;
    const { truth, found } = pair;
    notes.add(id, found, truth);
    const prediction = found ?? { data: new Uint8Array(truth.data.length), shape: truth.shape };
    const { metrics, empty, tolerance } = scoring;
    const score: ScoreOptions = { metrics, classes, spacing: sizesOf(truth, spacing), ignore, empty, tolerance };
    cases.push({ id, scores: scoreCase(prediction, truth, score), ...(!found && { missing: true as const }) });
  }
  problems.throwIfAny();
  warnings.push(...notes.warnings(classes, ignore === undefined ? [] : [ignore]));
  const info: ComparisonInfo = {
    ...scoring,
    missing,
    ignore,
    classes: classes.map((c) => c.name),
  };
  return compareCases(info, cases, { missingCases, surplus });
}

/** Throws `ConfigError` if `writeComparison` would replace files, or cannot write. */
export function expectFreeComparison(folder: string | undefined, metrics: Comparison["metrics"], overwrite: boolean | undefined) {
  if (folder === undefined) return;
  const names = [...["json", "csv", "txt"].map((end) => `evaluation.${end}`), ...metrics.map(({ name }) => `${name}.svg`)];
  expectFree({ outputs: names.map((name) => join(folder, name)), overwrite });
}

/** Writes `evaluation.json`, `evaluation.csv`, `evaluation.txt` and a box plot per metric. */
export async function writeComparison(folder: string, comparison: Comparison): Promise<void> {
  await makeFolder(folder);
  const write = (name: string, text: string): Promise<void> => writeFileAtomic(join(folder, name), text);
  await write("evaluation.json", comparisonJson(comparison));
  await write("evaluation.csv", comparisonCsv(comparison));
  await write("evaluation.txt", `${comparisonLines(comparison).join("\n")}\n`);
  for (const [m, { name, unit }] of comparison.metrics.entries()) {
    const groups = comparison.classes.map((title, c) => ({ name: title, values: comparison.cases.map((k) => k.scores[c][m]) }));
    await write(`${name}.svg`, boxPlotSvg(groups, { title: name, yLabel: unit ? `${name} [${unit}]` : name }));
  }
}
