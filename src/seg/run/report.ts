/** @file What a run reports: scores of whole cases, curves as SVG, predictions over slices as PNG, and all of it as one page. */

import { expectArguments, expectFields, expectItems, refused } from "../../host/kinds.ts";
import type { Case } from "../../data/folders/dataset_index.ts";
import { readNifti } from "../../data/formats/nifti/nifti.ts";
import { wholeLabels } from "../../data/folders/join_case.ts";
import type { HostArray } from "../../host/array.ts";
import { DataError, VoxgradError } from "../../host/errors.ts";
import { expectOptions } from "../../host/options.ts";
import type { AbortSignal } from "../../host/platform.ts";
import { nanMean } from "../../host/stats.ts";
import { type CaseMetric, caseMetricsNamed, scoreCase } from "../metrics/case_metrics.ts";
import { compareCases, type Comparison, comparisonCsv, comparisonJson, type ScoredCase } from "../metrics/comparison.ts";
import { detectionLines, type DetectionSummary } from "../metrics/detection.ts";
import { diceOfLabels } from "../metrics/label_dice.ts";
import { encodePng } from "../pictures/pictures.ts";
import { type ReadCase, readListed } from "../recipes/prepared.ts";
import type { Context } from "../recipes/recipe.ts";
import { writeCurves } from "./curves.ts";
import { DetectionTally, readCandidates } from "./detections.ts";
import { type EpochMetrics, files, readConfig, readRunInfo } from "./files.ts";
import { Gallery } from "./gallery.ts";
import { overlayOf, type Pictured, stripOf } from "./overlays.ts";
import { reportPage } from "./report_page.ts";
import { type OpenedRun, segmentCases, type Segmented } from "./segment.ts";
import { writePrediction } from "./write_predictions.ts";
import { readSessions } from "./sessions.ts";
import { readPostprocessing } from "./postprocessing.ts";
import { type RunStore, expectStore } from "./store.ts";

/** Scores of one case. */
export interface CaseScore {
  /** The case's name. */
  readonly id: string;
  /** Of each foreground class; NaN where the truth has none of it. */
  readonly dice: readonly number[];
}

/** Scores of a run on its validation cases. */
export interface Evaluation {
  /** Each case with its scores. */
  readonly cases: readonly CaseScore[];
  /** Mean of each foreground class over the cases that have it. */
  readonly mean: readonly number[];
  /** Names of the foreground classes. */
  readonly labels: readonly string[];
  /** Of recipes that look for things. */
  readonly detection?: DetectionSummary;
}

function evaluationOf(cases: readonly CaseScore[], labels: readonly string[]): Evaluation {
  return { cases, mean: labels.map((_, c) => nanMean(cases.map((r) => r.dice[c]))), labels };
}

/**
 * Scores label maps case by case, each with its truth. Throws `ShapeError` if they are not on one grid. A pair has the case's `id`, `prediction` and
 * `truth`. Label maps are `[1, x, y, z]`.
 */
export async function evaluate(
  pairs: AsyncIterable<{ readonly id: string; readonly prediction: HostArray; readonly truth: HostArray }>,
  outputs: Pick<Context["outputs"], "foreground" | "ignore">,
): Promise<Evaluation> {
  if (typeof pairs !== "object" || pairs === null || !(Symbol.asyncIterator in pairs || Symbol.iterator in pairs))
    refused("evaluate", "pairs", "pairs of maps one after the other, from a generator or a list", pairs);
  expectFields("evaluate", "outputs", outputs, { foreground: "objects" });
  const { foreground, ignore } = outputs;
  const scores: CaseScore[] = [];
  for await (const { id, prediction, truth } of pairs)
    scores.push({ id, dice: diceOfLabels(prediction, truth, foreground, ignore) });
  return evaluationOf(
    scores,
    foreground.map((l) => l.name),
  );
}

/** Lines such as `hippocampus_001  Anterior 0.8712  Posterior 0.8460`, and the means. */
export function evaluationLines(evaluation: Evaluation): string[] {
  expectFields("evaluationLines", "evaluation", evaluation, { cases: "objects", labels: "texts", mean: "numbers" });
  const { cases, labels, mean, detection } = evaluation;
  const width = cases.reduce((most, c) => Math.max(most, c.id.length), 4);
  const scores = (dice: readonly number[]) =>
    dice.map((d, i) => `${labels[i]} ${Number.isNaN(d) ? "no truth" : d.toFixed(4)}`).join("  ");
  return [
    ...cases.map((c) => `${c.id.padEnd(width)}  ${scores(c.dice)}`),
    ...(labels.length > 1 ? [`${"mean".padEnd(width)}  ${scores(mean)}`] : []),
    `mean Dice ${nanMean(mean).toFixed(3)}`,
    ...(detection ? detectionLines(detection) : []),
  ];
}

// A handful of pictures is looked at; hundreds are not.
const pictures = 8;

/** What is told while a report is made. */
export interface ReportHooks {
  /** Aborting stops between batches. */
  readonly signal?: AbortSignal | undefined;
  /** Called after each case. `done` of `total`. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

/** What a report is told beside the cases. */
export interface ReportOptions extends ReportHooks {
  /** Scores of the page and of evaluation.json, each for every case and class; default those of the recipe. */
  readonly metrics?: readonly CaseMetric[];
}

/** A case of which nothing can be said, and why. */
export interface FailedCase {
  /** The case's name. */
  readonly id: string;
  /** Why nothing can be said of it. */
  readonly reason: string;
}

const standardMetrics = "dice iou sensitivity precision hd95 assd".split(" ");

/** Takes segmented cases one by one and holds what the page says of them. */
class CaseReports {
  readonly failed: FailedCase[] = [];
  readonly gallery = new Gallery();
  readonly tally = new DetectionTally();
  private readonly run: Pictured;
  private readonly metrics: readonly CaseMetric[];
  private readonly scored: ScoredCase[] = [];
  private readonly dice: CaseScore[] = [];

  constructor(run: Pictured, metrics?: readonly CaseMetric[]) {
    this.run = run;
    this.metrics = metrics ?? run.recipe.metrics ?? caseMetricsNamed(standardMetrics);
  }

  async add(segmented: Segmented): Promise<void> {
    const { id, source, labels, dice } = segmented;
    if (!source.label || !dice) return void this.failed.push({ id, reason: "it has no label, so it has no score" });
    const { foreground: classes, ignore } = this.run.context.outputs;
    const { metrics } = this;
    const options = { metrics, classes, spacing: source.label.spacing, ignore, empty: "skip" } as const;
    this.scored.push({ id, scores: scoreCase(labels, source.label, options) });
    this.dice.push({ id, dice });
    this.tally.add(segmented);
    await this.gallery.add(id, nanMean(dice), async () => encodePng(stripOf(segmented, this.run)));
  }

  get comparison(): Comparison {
    const { foreground, ignore } = this.run.context.outputs;
    const classes = foreground.map((l) => l.name);
    const rules = { empty: "skip", missing: "skip", tolerance: 1, ignore } as const;
    return compareCases({ classes, metrics: this.metrics, ...rules }, this.scored);
  }

  get evaluation(): Evaluation {
    const classes = this.run.context.outputs.foreground.map((l) => l.name);
    const detection = this.tally.summary;
    return { ...evaluationOf(this.dice, classes), ...(detection && { detection }) };
  }
}

/**
 * Segments cases and writes their label maps, pictures of the first ones, the evaluation, the curves of training and a page with all of it into the run. Scores
 * of an earlier report go before its first map is replaced, so that whatever ends this leaves no scores of other maps.
 * @param options what is measured, who is told and what stops it
 * @returns the `evaluation`, the scores of all cases (`comparison`) and the files of the `pictures`
 */
export async function report(
  store: RunStore,
  run: OpenedRun,
  epochs: readonly EpochMetrics[],
  cases: readonly Case[],
  read: ReadCase,
  options: ReportOptions = {},
): Promise<{ evaluation: Evaluation; comparison: Comparison; pictures: readonly string[] }> {
  expectOptions("report", options, "signal onProgress metrics");
  expectStore("report", store);
  expectFields("report", "run", run, { recipe: "object", context: "object", segmenter: "object" });
  expectItems("report", "epochs", epochs);
  expectItems("report", "cases", cases);
  expectArguments("report", "function", { read });
  const { signal, onProgress, metrics } = options;
  const found = new CaseReports(run, metrics);
  const overlays: string[] = [];
  let done = 0;
  const writeScores = async () => {
    await store.write(files.evaluation, evaluationJson(found.evaluation, found.comparison));
    await store.write(files.scores, comparisonCsv(found.comparison));
    await found.tally.write(store);
    await store.write(files.report, await pageOf(store, run, epochs, found));
  };
  for await (const segmented of segmentCases(run, cases, read, { signal })) {
    const { id } = segmented;
    // Scores of other maps than those that are there would not show if this ended in between.
    if (done === 0 && (await store.has(files.evaluation))) await writeScores();
    await writePrediction(store, files.prediction(id), segmented);
    await found.add(segmented);
    if (overlays.length < pictures) {
      await store.write(files.overlay(id), await encodePng(overlayOf(segmented, run)));
      overlays.push(files.overlay(id));
    }
    onProgress?.(++done, cases.length);
  }
  const { evaluation, comparison } = found;
  const curves = await writeCurves(store, epochs, evaluation.labels);
  await writeScores();
  return { evaluation, comparison, pictures: [...curves, ...found.tally.pictures, ...overlays] };
}

/**
 * The page of a run anew, from the label maps that it holds; nothing is segmented or written. Cases that cannot be scored are named on the page. What
 * cannot be scored is in `failed`.
 * @returns the page and the evaluation
 * @throws CheckpointError, ConfigError for a run that is damaged
 */
export async function reportOnPredictions(
  store: RunStore,
  run: Pictured,
  epochs: readonly EpochMetrics[],
  cases: readonly Case[],
  read: ReadCase,
  options: ReportOptions = {},
): Promise<{ page: string; evaluation: Evaluation; failed: readonly FailedCase[] }> {
  expectOptions("reportOnPredictions", options, "signal onProgress metrics");
  expectStore("reportOnPredictions", store);
  expectFields("reportOnPredictions", "run", run, { recipe: "object", context: "object" });
  expectItems("reportOnPredictions", "epochs", epochs);
  expectItems("reportOnPredictions", "cases", cases);
  expectArguments("reportOnPredictions", "function", { read });
  const { signal, onProgress, metrics } = options;
  const found = new CaseReports(run, metrics);
  const candidates = await readCandidates(store);
  for (const [i, item] of cases.entries()) {
    signal?.throwIfAborted();
    try {
      const searched = candidates && { candidates: candidates.get(item.id) ?? [] };
      await found.add({ ...(await predicted(store, run, item, read)), ...searched });
    } catch (error) {
      if (!(error instanceof VoxgradError)) throw error;
      found.failed.push({ id: item.id, reason: error.message });
    }
    onProgress?.(i + 1, cases.length);
  }
  return { page: await pageOf(store, run, epochs, found), evaluation: found.evaluation, failed: found.failed };
}

/** A case with the label map that the run holds of it. Throws `DataError`, `ShapeError`, `FormatError`. */
async function predicted(store: RunStore, { context }: Pictured, item: Case, read: ReadCase): Promise<Segmented> {
  const file = files.prediction(item.id);
  const bytes = await store.read(file);
  if (!bytes) throw new DataError(`${store.name} has no ${file}`);
  const labels = wholeLabels(await readNifti(bytes, file));
  const source = await readListed(read, item);
  const { foreground, ignore } = context.outputs;
  return { id: item.id, source, labels, ...(source.label && { dice: diceOfLabels(labels, source.label, foreground, ignore) }) };
}

/** The evaluation as before, with every score and the summaries beside it. */
function evaluationJson({ cases, mean, labels, detection }: Evaluation, comparison: Comparison): string {
  const {
    rules,
    summary,
    cases: scored,
  } = JSON.parse(comparisonJson(comparison)) as Record<string, unknown> & {
    cases: { id: string; classes: unknown }[];
  };
  const all = cases.map((c, i) => ({ ...c, classes: scored[i].classes }));
  return `${JSON.stringify({ cases: all, mean, labels, meanDice: nanMean(mean), rules, summary, detection }, null, 2)}\n`;
}

async function pageOf(
  store: RunStore,
  { recipe, context }: Pictured,
  epochs: readonly EpochMetrics[],
  { comparison, gallery, failed, tally }: CaseReports,
): Promise<string> {
  const known = [files.config, files.run, files.metrics, files.sessions, files.evaluation, files.scores, files.weights];
  const others = [
    files.best,
    files.checkpoint,
    files.postprocessing,
    files.lossCurve,
    files.diceCurve,
    files.rateCurve,
    files.candidates,
    files.frocCurve,
    files.preview,
  ];
  const there: string[] = [];
  for (const file of [...known, ...others]) if (await store.has(file)) there.push(file);
  return reportPage({
    name: store.name.split(/[\\/]/).findLast((part) => part !== "") ?? store.name,
    summary: recipe.summary,
    config: await readConfig(store, recipe),
    info: await readRunInfo(store),
    classes: context.outputs.foreground,
    sessions: await readSessions(store),
    epochs,
    comparison,
    detection: tally.summary,
    worst: gallery.worst,
    best: gallery.best,
    failed,
    postprocessing: await readPostprocessing(store),
    files: there,
  });
}
