/** @file What networks will see, as a picture before anything is trained: samples as the recipe draws them, without and with augmentation, of host and device. */

import { DataLoader } from "../../data/loading/loader.ts";
import { type HostArray, sizeOf } from "../../host/array.ts";
import type { Picture } from "../../host/bytes/png.ts";
import { ConfigError, DataError } from "../../host/errors.ts";
import { expectIntegers } from "../../host/integers.ts";
import { expectRecipe } from "../recipes/expect_recipe.ts";
import { expectOptions } from "../../host/options.ts";
import { seedDropout } from "../../nn/layers/dropout.ts";
import { capture } from "../../tensor/capture.ts";
import type { Device } from "../../tensor/device.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { sampleSheet, type SampleView, type SheetSection } from "../pictures/sample_sheet.ts";
import type { OutputCoding } from "../post/output_coding.ts";
import { PreparedCases } from "../recipes/prepared.ts";
import type { Option } from "../recipes/options.ts";
import { type Context, type Recipe } from "../recipes/recipe.ts";
import type { BatchTensors, TrainBatch } from "../training/trainer.ts";
import { contextOf } from "./files.ts";
import { trainBatch, type TrainingOptions } from "./training.ts";

/** Options and description of the run are as `configure` gives them, or as the run's files have them. */
export interface PreviewOptions<C extends object> extends TrainingOptions<C> {
  /** Samples of each network, from as many training cases; default 4. */
  readonly samples?: number;
}

/**
 * Training samples of each network with the outlines of their classes, a row each: without augmentation, if the recipe has an option `augment` that may be
 * "none", and as the network sees them. Volumes are shown by the slices with most of the classes. The same options give the same samples as training has,
 * were the cases shown its only ones. Nothing is trained or written.
 * @throws ConfigError for a number of samples below 1 and without training cases; what reading, preparing and sampling the cases throws
 */
export async function preview<C extends object>(recipe: Recipe<C>, options: PreviewOptions<C>): Promise<Picture> {
  expectOptions("preview", options, "device:object! data:object! config:object! info:object! samples");
  expectRecipe("preview", recipe);
  const { device, data, config, info, samples = 4 } = options;
  expectIntegers("preview", { samples }, 1);
  if (data.train.length === 0) throw new ConfigError("there are no training cases");
  const context = contextOf(recipe, config, info);
  const count = Math.min(samples, data.train.length);
  const cases = Array.from({ length: count }, (_, i) => data.train[Math.floor((i * data.train.length) / count)]);
  const prepared = new PreparedCases(recipe, context, cases, data.read, Infinity);
  const networks = recipe.networks(device, context);
  const names = Object.keys(networks);
  for (const model of Object.values(networks)) model.dispose();
  seedDropout(device, config.seed);
  const sections: SheetSection[] = [];
  for (const name of names) {
    const batches = await batchesOf(recipe, context, prepared, name, samples);
    const bare = withoutAugmentation(recipe, context);
    const host = viewsOf(batches, context.outputs);
    const plain = bare && viewsOf(await batchesOf(recipe, bare, prepared, name, samples), bare.outputs);
    const augmented = await augmentedOn(device, recipe, context, batches, name);
    const seen = { name: "As the network sees it", views: augmented ? viewsOf(augmented, context.outputs) : host };
    const before = plain
      ? [{ name: "Without augmentation", views: plain }]
      : augmented
        ? [{ name: "Before the device", views: host }]
        : [];
    sections.push({ heading: names.length > 1 ? `Network ${name}` : "", ...inColumns([...before, seen]) });
  }
  const classes = context.outputs.foreground.map((l) => l.name);
  return sampleSheet({ title: `${data.index.name} for ${recipe.name}`, classes, sections });
}

interface Stage {
  readonly name: string;
  readonly views: readonly SampleView[];
}

const inColumns = (stages: readonly Stage[]): Pick<SheetSection, "columns" | "rows"> => ({
  columns: stages.map((s) => s.name),
  rows: stages[0].views.map((_, i) => stages.flatMap(({ views }) => views.slice(i, i + 1))),
});

/** The same run with the option `augment` at "none"; undefined where there is no such choice, or it is the run's. */
function withoutAugmentation<C extends object>(recipe: Recipe<C>, context: Context<C>): Context<C> | undefined {
  const { augment } = recipe.options as Readonly<Record<string, Option<unknown> | undefined>>;
  const { config } = context as { readonly config: { readonly augment?: unknown } };
  if (!augment?.fits("none") || config.augment === "none") return undefined;
  return { ...context, config: { ...context.config, augment: "none" } };
}

/** Batches of the first epoch with so many samples in all, or as many as there are. */
async function batchesOf<C extends object>(
  recipe: Recipe<C>,
  context: Context<C>,
  cases: PreparedCases<C>,
  network: string,
  samples: number,
): Promise<TrainBatch[]> {
  const { batchSize, seed } = context.config;
  const dataset = recipe.samples(cases, context, network);
  const loader = new DataLoader<TrainBatch>(dataset, { batchSize: Math.min(batchSize, samples), seed, collate: trainBatch });
  const batches: TrainBatch[] = [];
  try {
    let count = 0;
    for await (const batch of loader.epoch(0)) {
      batches.push(batch);
      count += batch.image.shape[0];
      if (count >= samples) break;
    }
  } finally {
    await loader.close();
  }
  if (batches.length === 0) throw new DataError(`recipe ${recipe.name}: its samples make no batch`);
  return batches;
}

/** Batches as the recipe changes them on the device, in a captured step as training does; undefined if it does not. */
async function augmentedOn<C extends object>(
  device: Device,
  recipe: Recipe<C>,
  context: Context<C>,
  batches: readonly TrainBatch[],
  network: string,
): Promise<TrainBatch[] | undefined> {
  if (!recipe.augment) return undefined;
  const names = Object.keys(batches[0]);
  let changed = false;
  const step = capture(device, (...tensors: Tensor[]) => {
    const batch = Object.fromEntries(names.map((name, i) => [name, tensors[i]])) as unknown as BatchTensors;
    const { image, label } = recipe.augment!(batch, context, network);
    changed ||= image !== batch.image || label !== batch.label;
    return { image, label };
  });
  try {
    const found: TrainBatch[] = [];
    for (const batch of batches) {
      const { image, label } = step(...names.map((name) => batch[name]));
      const [pixels, classes] = await Promise.all([image.data(), label.data()]);
      found.push({ image: { data: pixels, shape: image.shape }, label: { data: classes, shape: label.shape } });
    }
    return changed ? found : undefined;
  } finally {
    step.dispose();
  }
}

const viewsOf = (batches: readonly TrainBatch[], outputs: OutputCoding): SampleView[] =>
  batches.flatMap(({ image, label }) =>
    Array.from({ length: image.shape[0] }, (_, i) => {
      const one = sampleOf(image, i);
      return { image: one, masks: masksOf(sampleOf(label, i), one, outputs) };
    }),
  );

function sampleOf({ data, shape }: HostArray, i: number): HostArray {
  const size = sizeOf(shape.slice(1));
  return { data: data.subarray(i * size, (i + 1) * size), shape: shape.slice(1) };
}

/** A mask per class of what a loss compares with: class indices with or without an axis of channels, masks, or one-hot channels. */
function masksOf(label: HostArray, image: HostArray, { kind, channels, foreground }: OutputCoding): HostArray {
  const rank = image.shape.length;
  const size = label.shape.slice(1 - rank);
  const voxels = sizeOf(size);
  // What does not lie on the image has no outline.
  if (size.length !== rank - 1 || label.data.length % voxels !== 0)
    return { data: new Uint8Array(0), shape: [0, ...image.shape.slice(1)] };
  const count = label.data.length / voxels;
  if (kind !== "softmax" || count > 1) {
    const skipped = kind === "softmax" && count === channels ? 1 : 0;
    return { data: label.data.subarray(skipped * voxels), shape: [count - skipped, ...size] };
  }
  const masks = new Uint8Array(foreground.length * voxels);
  for (let i = 0; i < voxels; i++) {
    const c = label.data[i];
    if (c >= 1 && c <= foreground.length && Number.isInteger(c)) masks[(c - 1) * voxels + i] = 1;
  }
  return { data: masks, shape: [foreground.length, ...size] };
}
