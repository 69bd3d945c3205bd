/** @file What a run reports: scores of whole cases, curves as SVG, predictions over slices as PNG. */

import type { Case } from "../../data/folders/dataset_index.ts";
import { withGeometryOf } from "../../data/volume.ts";
import type { HostArray, TypedArray } from "../../host/array.ts";
import { expectOptions } from "../../host/options.ts";
import { nanMean } from "../../host/stats.ts";
import { diceOfLabels } from "../metrics/label_dice.ts";
import { curveSvg, encodePng, sliceMontage } from "../pictures/pictures.ts";
import { oriented, type ReadCase } from "../recipes/prepared.ts";
import type { Context } from "../recipes/recipe.ts";
import { type EpochMetrics, files } from "./files.ts";
import { writeSampleCurves } from "./sample_curves.ts";
import { type OpenedRun, segmentCases, type Segmented, writePrediction } from "./segment.ts";
import type { RunStore } from "./store.ts";
import type { AbortSignal } from "../../host/platform.ts";

export interface CaseScore {
  readonly id: string;
  /** Of each foreground class; NaN where the truth has none of it. */
  readonly dice: readonly number[];
}

export interface Evaluation {
  readonly cases: readonly CaseScore[];
  /** Mean of each foreground class over the cases that have it. */
  readonly mean: readonly number[];
  readonly labels: readonly string[];
}

export function evaluationOf(cases: readonly CaseScore[], labels: readonly string[]): Evaluation {
  return { cases, mean: labels.map((_, c) => nanMean(cases.map((r) => r.dice[c]))), labels };
}

/** Scores label maps case by case, each with its truth. Throws `ShapeError` if they are not on one grid. */
export async function evaluate(
  pairs: AsyncIterable<{ readonly id: string; readonly prediction: HostArray; readonly truth: HostArray }>,
  { foreground, ignore }: Pick<Context["outputs"], "foreground" | "ignore">,
): Promise<Evaluation> {
  const scores: CaseScore[] = [];
  for await (const { id, prediction, truth } of pairs)
    scores.push({ id, dice: diceOfLabels(prediction, truth, foreground, ignore) });
  return evaluationOf(
    scores,
    foreground.map((l) => l.name),
  );
}

/** Lines such as `hippocampus_001  Anterior 0.8712  Posterior 0.8460`, and the means. */
export function evaluationLines({ cases, labels, mean }: Evaluation): string[] {
  const width = cases.reduce((most, c) => Math.max(most, c.id.length), 4);
  const scores = (dice: readonly number[]) =>
    dice.map((d, i) => `${labels[i]} ${Number.isNaN(d) ? "no truth" : d.toFixed(4)}`).join("  ");
  return [
    ...cases.map((c) => `${c.id.padEnd(width)}  ${scores(c.dice)}`),
    ...(labels.length > 1 ? [`${"mean".padEnd(width)}  ${scores(mean)}`] : []),
    `mean Dice ${nanMean(mean).toFixed(3)}`,
  ];
}

// A handful of pictures is looked at; hundreds are not.
const pictures = 8;

export interface ReportHooks {
  readonly signal?: AbortSignal | undefined;
  /** Called after each case. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

/**
 * Segments cases and writes their label maps, pictures of the first ones, the evaluation and the curves of training into the run.
 * @returns the evaluation and the files of the pictures
 */
export async function report(
  store: RunStore,
  run: OpenedRun,
  epochs: readonly EpochMetrics[],
  cases: readonly Case[],
  read: ReadCase,
  options: ReportHooks = {},
): Promise<{ evaluation: Evaluation; pictures: readonly string[] }> {
  expectOptions("report", options, "signal onProgress");
  const { signal, onProgress } = options;
  const { context } = run;
  const classes = context.outputs.foreground.map((l) => l.name);
  const scores: CaseScore[] = [];
  const overlays: string[] = [];
  let done = 0;
  for await (const segmented of segmentCases(run, cases, read, signal)) {
    const { id, dice } = segmented;
    await writePrediction(store, files.prediction(id), segmented);
    if (dice) scores.push({ id, dice });
    if (overlays.length < pictures) {
      await store.write(files.overlay(id), await encodePng(overlayOf(segmented, run)));
      overlays.push(files.overlay(id));
    }
    onProgress?.(++done, cases.length);
  }
  const evaluation = evaluationOf(scores, classes);
  await store.write(files.evaluation, `${JSON.stringify({ ...evaluation, meanDice: nanMean(evaluation.mean) }, null, 2)}\n`);
  return { evaluation, pictures: [...(await writeCurves(store, epochs, classes)), ...(await writeSampleCurves(store, epochs, classes)), ...overlays] };
}

/** Slices of a case, prediction filled and truth outlined. */
function overlayOf({ id, source, labels: stored }: Segmented, { recipe, context }: OpenedRun) {
  const { image, label } = oriented(source, context.orientation);
  const { image: labels } = oriented({ id, image: withGeometryOf(source.image, stored) }, context.orientation);
  const size = image.shape.slice(1);
  const voxels = size.reduce((a, b) => a * b, 1);
  const first = { data: image.data.subarray(0, voxels), shape: size };
  // Colors go by class, whatever the values that stand for it.
  const flat = (a: HostArray | undefined) => a && { data: classesOf(a, context).subarray(0, voxels), shape: size };
  const axis = recipe.pictureAxis?.(context) ?? coarsest(context.spacing);
  return sliceMontage(first, { label: flat(label), pred: flat(labels), axis });
}

function classesOf(a: HostArray, { outputs }: Context): TypedArray {
  if (outputs.kind !== "regions") return outputs.target(a).data;
  return outputs.ignore === undefined ? a.data : a.data.map((v) => (v === outputs.ignore ? 0 : v));
}

const coarsest = (spacing: readonly number[]): number => spacing.reduce((best, s, i) => (s >= spacing[best] ? i : best), 0);

async function writeCurves(store: RunStore, epochs: readonly EpochMetrics[], classes: readonly string[]): Promise<string[]> {
  const loss = { name: "training loss", points: epochs.map((e) => [e.epoch, e.loss] as const), best: "min" as const };
  await store.write(files.lossCurve, curveSvg([loss], { title: "Training loss", xLabel: "epoch", yLabel: "Dice loss" }));
  const validated = epochs.filter((e) => e.dice);
  if (validated.length === 0) return [files.lossCurve];
  const series = classes.map((name, c) => ({ name, points: validated.map((e) => [e.epoch, e.dice![c]] as const) }));
  const all =
    classes.length > 1
      ? [{ name: "mean", points: validated.map((e) => [e.epoch, nanMean(e.dice!)] as const), best: "max" as const }, ...series]
      : [{ ...series[0], best: "max" as const }];
  const options = { title: "Validation Dice", xLabel: "epoch", yLabel: "Dice", yRange: [0, 1] as const };
  await store.write(files.diceCurve, curveSvg(all, options));
  return [files.lossCurve, files.diceCurve];
}
