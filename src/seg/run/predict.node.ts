/** @file Segmenting files with a trained run, and scoring label files against the truth. */

import { existsSync } from "node:fs";
import { mkdir, readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { writeFileAtomic } from "../../host/files.node.ts";
import type { Case, LabelClass } from "../../data/folders/decathlon.ts";
import { loadCase, loadDataset, readNiftiFile, writeNiftiFile } from "../../data/index.node.ts";
import { withGeometryOf } from "../../data/volume.ts";
import { readSafetensors } from "../../weights/safetensors.ts";
import type { Device } from "../../tensor/device.ts";
import { CheckpointError, DataError, ShapeError } from "../../host/errors.ts";
import type { HostArray } from "../../host/array.ts";
import { naming } from "../training/checkpoint.ts";
import type { RunConfig } from "../recipes/config.ts";
import type { ProgressLine } from "../training/progress.ts";
import { diceOf, labelValues, Segmenter } from "../inference/segmenter.ts";
import { prepareImage, prepareLabel } from "../recipes/slices2d/dataset.node.ts";
import { buildModel, files, mean, readConfig, readLabels, type RunLabels } from "./train.node.ts";
import type { UNet } from "../networks/unet.ts";

export interface LoadedRun {
  readonly config: RunConfig;
  readonly info: RunLabels;
  readonly model: UNet;
}

/** The network of a run with its final weights, or the best ones, or those of its last checkpoint. Throws `CheckpointError`. */
export async function loadRun(device: Device, folder: string, which?: "weights" | "best"): Promise<LoadedRun> {
  const config = await readConfig(folder);
  const info = await readLabels(folder);
  const candidates = which ? [files[which]] : [files.weights, files.best, files.checkpoint];
  const name = candidates.find((f) => existsSync(join(folder, f)));
  if (!name) throw new CheckpointError(`${folder}: holds no weights (${candidates.join(", ")}); train it first`);
  const { tensors } = readSafetensors(await readFile(join(folder, name)), join(folder, name));
  const weights =
    name === files.checkpoint
      ? new Map([...tensors].flatMap(([k, v]) => (k.startsWith("model.") ? [[k.slice(6), v]] : [])))
      : tensors;
  const model = buildModel(device, config, info);
  naming(join(folder, name), () => model.loadStateDict(weights));
  return { config, info, model };
}

/** A case segmented: normalised image, class indices, and the truth where the case has a label. */
export interface Segmented {
  readonly id: string;
  readonly image: HostArray<Float32Array>;
  readonly prediction: HostArray<Uint8Array>;
  readonly truth?: HostArray<Float32Array>;
}

/**
 * Segments cases and writes each prediction as `<id>.nii.gz` in the geometry of its image.
 * @throws FormatError, ShapeError, DataError for bad images
 */
export async function predictCases(
  device: Device,
  run: LoadedRun,
  cases: readonly Case[],
  out: string,
  line: ProgressLine,
): Promise<Segmented[]> {
  const { config, info, model } = run;
  const segmenter = new Segmenter(device, model, config);
  await mkdir(out, { recursive: true });
  const results: Segmented[] = [];
  const started = performance.now();
  try {
    for (const [i, item] of cases.entries()) {
      const { image: volume, label } = await loadCase(item, info.labels);
      const image = prepareImage(item.id, volume, info.modality.length, config);
      const prediction = await segmenter.run(image);
      const stored = labelValues(prediction, info.labels);
      const dtype = stored.data instanceof Uint8Array ? "u8" : "i32";
      await writeNiftiFile(join(out, `${item.id}.nii.gz`), withGeometryOf(volume, stored), { dtype });
      const truth = label && prepareLabel(item.id, label, info.labels, true);
      results.push({ id: item.id, image, prediction, ...(truth ? { truth } : {}) });
      line.update({ label: "segmenting", done: i + 1, total: cases.length, seconds: (performance.now() - started) / 1000 });
    }
  } finally {
    line.finish();
    segmenter.dispose();
  }
  return results;
}

/** A case for each image file given on a command line. */
export function casesOfFiles(paths: readonly string[]): Case[] {
  return paths.map((path) => ({ id: basename(path).replace(/\.nii(\.gz)?$/, ""), image: [path] }));
}

export interface Evaluation {
  readonly cases: readonly { readonly id: string; readonly dice: readonly number[] }[];
  /** Mean of each foreground class over the cases that have it. */
  readonly mean: readonly number[];
  readonly labels: readonly string[];
}

export function evaluate(results: readonly { id: string; dice: readonly number[] }[], labels: readonly LabelClass[]): Evaluation {
  const names = labels.slice(1).map((l) => l.name);
  return { cases: results, mean: names.map((_, c) => mean(results.map((r) => r.dice[c]))), labels: names };
}

/** Scores what `predictCases` gave for cases with a label. */
export function evaluateSegmented(results: readonly Segmented[], labels: readonly LabelClass[]): Evaluation {
  const scored = results.flatMap(({ id, prediction, truth }) =>
    truth ? [{ id, dice: diceOf(prediction, truth, labels.length) }] : [],
  );
  return evaluate(scored, labels);
}

/**
 * Scores a folder of predicted label files `<id>.nii.gz` against the labels of a dataset.
 * @throws DataError if no prediction has a labelled case; ShapeError if a prediction does not lie on its label's grid
 */
export async function evaluateFolder(predictions: string, dataFolder: string): Promise<Evaluation> {
  const { training, labels } = await loadDataset(dataFolder);
  const results: { id: string; dice: number[] }[] = [];
  for (const item of training) {
    const path = [".nii.gz", ".nii"].map((e) => join(predictions, item.id + e)).find(existsSync);
    if (!path || !item.label) continue;
    const [prediction, truth] = await Promise.all([readNiftiFile(path), readNiftiFile(item.label)]);
    if (prediction.shape.join() !== truth.shape.join()) {
      throw new ShapeError(`evaluate: ${path} has the size [${prediction.shape.slice(1)}], its label [${truth.shape.slice(1)}]`);
    }
    const indices = (v: HostArray) => prepareLabel(item.id, v, labels, true);
    results.push({ id: item.id, dice: diceOf(indices(prediction), indices(truth), labels.length) });
  }
  if (results.length === 0)
    throw new DataError(`evaluate: ${predictions} has no <id>.nii.gz of a labelled case of ${dataFolder}`);
  return evaluate(results, labels);
}

/** Lines such as `hippocampus_001  Anterior 0.8712  Posterior 0.8460`, and the means. */
export function evaluationLines({ cases, labels, mean: means }: Evaluation): string[] {
  const width = Math.max(4, ...cases.map((c) => c.id.length));
  const scores = (dice: readonly number[]) =>
    dice.map((d, i) => `${labels[i]} ${Number.isNaN(d) ? "no truth" : d.toFixed(4)}`).join("  ");
  return [
    ...cases.map((c) => `${c.id.padEnd(width)}  ${scores(c.dice)}`),
    ...(labels.length > 1 ? [`${"mean".padEnd(width)}  ${scores(means)}`] : []),
    `mean Dice ${mean(means).toFixed(3)}`,
  ];
}

export async function writeEvaluation(path: string, evaluation: Evaluation): Promise<void> {
  await writeFileAtomic(path, `${JSON.stringify({ ...evaluation, meanDice: mean(evaluation.mean) }, null, 2)}\n`);
}
