/** @file Options for a dataset nobody has tuned yet: read a few cases and choose slices and sizes from them. */

import type { Case, DatasetIndex } from "../../../data/folders/decathlon.ts";
import { loadCase } from "../../../data/folders/decathlon.node.ts";
import { availableParallelism } from "node:os";
import type { RunConfig } from "../config.ts";

const looked = 20;

/** Defaults for a dataset: slices across the coarsest axis (the last of equals), of the median size of the volumes. */
export async function defaultConfig(data: string, index: DatasetIndex, train: readonly Case[]): Promise<RunConfig> {
  const channels = [16, 32, 64, 128];
  const step = Math.max(1, Math.floor(train.length / looked));
  const shapes: number[][] = [];
  const spacings: number[][] = [];
  for (let i = 0; i < train.length; i += step) {
    const { image } = await loadCase(train[i], index.labels);
    shapes.push(image.shape.slice(1));
    spacings.push([...image.spacing]);
  }
  const spacing = [0, 1, 2].map((a) => median(spacings.map((s) => s[a])));
  const sliceAxis = [2, 1, 0].reduce((best, a) => (spacing[a] > 1.2 * spacing[best] ? a : best));
  const multiple = 2 ** (channels.length - 1);
  const patchSize = [0, 1, 2]
    .filter((a) => a !== sliceAxis)
    .map((a) => Math.max(multiple, Math.ceil(median(shapes.map((s) => s[a])) / multiple) * multiple)) as [number, number];
  return {
    data,
    fold: 0,
    seed: 0,
    epochs: 10,
    batchSize: 16,
    samplesPerVolume: 16,
    foreground: 0.75,
    sliceAxis,
    patchSize,
    fit: "crop",
    normalize: "zscore",
    augment: "mild",
    channels,
    numResUnits: 2,
    lr: 2e-3,
    schedule: "poly",
    precision: "f32",
    numWorkers: Math.min(2, Math.max(0, availableParallelism() - 1)),
    validateEvery: 5,
    checkpointSeconds: 60,
    allowEmpty: false,
  };
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor((values.length - 1) / 2)];
}
