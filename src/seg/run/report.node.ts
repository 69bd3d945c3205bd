/** @file Pictures of a run: curves as SVG, predictions over slices as PNG. */

import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { writeFileAtomic } from "../../host/files.node.ts";
import { curveSvg, encodePng, sliceMontage } from "../pictures/pictures.ts";
import type { Segmented } from "./predict.node.ts";
import { type EpochMetrics, mean } from "./train.node.ts";

/** Writes loss.svg and, if epochs were validated, dice.svg. Returns the paths. */
export async function writeCurves(
  folder: string,
  epochs: readonly EpochMetrics[],
  classes: readonly string[],
): Promise<string[]> {
  const loss = join(folder, "loss.svg");
  const lossSeries = { name: "training loss", points: epochs.map((e) => [e.epoch, e.loss] as const), best: "min" as const };
  await writeFileAtomic(loss, curveSvg([lossSeries], { title: "Training loss", xLabel: "epoch", yLabel: "Dice loss" }));
  const validated = epochs.filter((e) => e.dice);
  if (validated.length === 0) return [loss];
  const dice = join(folder, "dice.svg");
  const series = classes.map((name, c) => ({ name, points: validated.map((e) => [e.epoch, e.dice![c]] as const) }));
  const all =
    classes.length > 1
      ? [{ name: "mean", points: validated.map((e) => [e.epoch, mean(e.dice!)] as const), best: "max" as const }, ...series]
      : [{ ...series[0], best: "max" as const }];
  await writeFileAtomic(dice, curveSvg(all, { title: "Validation Dice", xLabel: "epoch", yLabel: "Dice", yRange: [0, 1] }));
  return [loss, dice];
}

/** Writes a montage of slices per case, prediction filled and truth outlined. Returns the paths. */
export async function writeOverlays(folder: string, cases: readonly Segmented[], axis: number): Promise<string[]> {
  await mkdir(folder, { recursive: true });
  const paths: string[] = [];
  for (const { id, image, prediction, truth } of cases) {
    const [, ...size] = image.shape;
    const voxels = size.reduce((a, b) => a * b, 1);
    const first = { data: image.data.subarray(0, voxels), shape: size };
    const flat = (a: typeof truth | typeof prediction | undefined) => a && { data: a.data, shape: size };
    const path = join(folder, `${id}.png`);
    await writeFileAtomic(path, await encodePng(sliceMontage(first, { label: flat(truth), pred: flat(prediction), axis })));
    paths.push(path);
  }
  return paths;
}
