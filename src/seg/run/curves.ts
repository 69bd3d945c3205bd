/** @file The curves of a training, for the run's folder and its page: loss, Dice of each class, learning rate. Another curve is a row of `curvesOf`. */

import { nanMean } from "../../host/stats.ts";
import { curveSvg } from "../pictures/curves.ts";
import { type EpochMetrics, files } from "./files.ts";
import { sampleCurvesOf } from "./sample_curves.ts";
import type { RunStore } from "./store.ts";

/** A curve and the file of the run that it is kept in. */
export interface Curve {
  readonly file: string;
  readonly svg: string;
}

/** The curves that some epochs give. */
export const curvesOf = (epochs: readonly EpochMetrics[], classes: readonly string[]): readonly Curve[] => [
  { file: files.lossCurve, svg: lossCurve(epochs) },
  ...(epochs.some((e) => e.dice) ? [{ file: files.diceCurve, svg: diceCurve(epochs, classes) }] : []),
  { file: files.rateCurve, svg: rateCurve(epochs) },
  ...sampleCurvesOf(epochs, classes),
];

/** Writes the curves of a training into its run; returns their files. */
export async function writeCurves(
  store: RunStore,
  epochs: readonly EpochMetrics[],
  classes: readonly string[],
): Promise<string[]> {
  const curves = curvesOf(epochs, classes);
  for (const { file, svg } of curves) await store.write(file, svg);
  return curves.map((c) => c.file);
}

/** Mean loss of each epoch. */
function lossCurve(epochs: readonly EpochMetrics[]): string {
  const loss = { name: "training loss", points: epochs.map((e) => [e.epoch, e.loss] as const), best: "min" as const };
  return curveSvg([loss], { title: "Training loss", xLabel: "epoch", yLabel: "loss" });
}

/** Learning rate of each epoch. */
function rateCurve(epochs: readonly EpochMetrics[]): string {
  const rate = { name: "learning rate", points: epochs.map((e) => [e.epoch, e.lr] as const) };
  return curveSvg([rate], { title: "Learning rate", xLabel: "epoch", yLabel: "learning rate" });
}

/** Validation Dice of each class, and their mean. */
function diceCurve(epochs: readonly EpochMetrics[], classes: readonly string[]): string {
  const validated = epochs.filter((e) => e.dice);
  const series = classes.map((name, c) => ({ name, points: validated.map((e) => [e.epoch, e.dice![c]] as const) }));
  const all =
    classes.length > 1
      ? [{ name: "mean", points: validated.map((e) => [e.epoch, nanMean(e.dice!)] as const), best: "max" as const }, ...series]
      : [{ ...series[0], best: "max" as const }];
  return curveSvg(all, { title: "Validation Dice", xLabel: "epoch", yLabel: "Dice", yRange: [0, 1] });
}
