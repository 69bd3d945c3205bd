/** @file The curves of a training: loss, learning rate, Dice of each class. */

import { nanMean } from "../../host/stats.ts";
import { curveSvg } from "../pictures/pictures.ts";
import { type EpochMetrics, files } from "./files.ts";
import type { RunStore } from "./store.ts";

/** Mean loss of each epoch. */
export function lossCurve(epochs: readonly EpochMetrics[]): string {
  const loss = { name: "training loss", points: epochs.map((e) => [e.epoch, e.loss] as const), best: "min" as const };
  return curveSvg([loss], { title: "Training loss", xLabel: "epoch", yLabel: "loss" });
}

/** Learning rate of each epoch. */
export function rateCurve(epochs: readonly EpochMetrics[]): string {
  const rate = { name: "learning rate", points: epochs.map((e) => [e.epoch, e.lr] as const) };
  return curveSvg([rate], { title: "Learning rate", xLabel: "epoch", yLabel: "learning rate" });
}

/** Validation Dice of each class, and their mean; undefined if nothing was validated. */
export function diceCurve(epochs: readonly EpochMetrics[], classes: readonly string[]): string | undefined {
  const validated = epochs.filter((e) => e.dice);
  if (validated.length === 0) return undefined;
  const series = classes.map((name, c) => ({ name, points: validated.map((e) => [e.epoch, e.dice![c]] as const) }));
  const all =
    classes.length > 1
      ? [{ name: "mean", points: validated.map((e) => [e.epoch, nanMean(e.dice!)] as const), best: "max" as const }, ...series]
      : [{ ...series[0], best: "max" as const }];
  return curveSvg(all, { title: "Validation Dice", xLabel: "epoch", yLabel: "Dice", yRange: [0, 1] });
}

/** Writes loss and Dice as files of a run; returns their names. */
export async function writeCurves(
  store: RunStore,
  epochs: readonly EpochMetrics[],
  classes: readonly string[],
): Promise<string[]> {
  await store.write(files.lossCurve, lossCurve(epochs));
  const dice = diceCurve(epochs, classes);
  if (dice === undefined) return [files.lossCurve];
  await store.write(files.diceCurve, dice);
  return [files.lossCurve, files.diceCurve];
}
