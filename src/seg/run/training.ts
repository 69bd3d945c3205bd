/** @file What trains the networks of a run: for each its optimizer, its schedule, its samples and its captured step. */

import { listDataCollate } from "../../data/datasets/collate.ts";
import { DataLoader } from "../../data/loading/loader.ts";
import type { Item } from "../../data/transforms/transform.ts";
import { ConfigError, DataError } from "../../host/errors.ts";
import type { Optimizer } from "../../nn/optim/optimizer.ts";
import { Scheduler } from "../../nn/optim/schedulers.ts";
import type { Module } from "../../nn/module.ts";
import type { CapturedPlan } from "../../tensor/capture.ts";
import { PreparedCases, preparedStore } from "../recipes/prepared.ts";
import type { Context, Networks, Recipe } from "../recipes/recipe.ts";
import { type EpochHooks, type Outputs, type TrainBatch, Trainer } from "../training/trainer.ts";
import type { Device } from "../../tensor/device.ts";
import type { NewRun, RunData } from "./data.ts";

/** What training is made for: a run, its data and a device. */
export interface TrainingOptions<C extends object> extends NewRun<C> {
  /** The device that trains. */
  readonly device: Device;
  /** The cases, and how they are read. */
  readonly data: RunData;
}

interface Part {
  readonly name: string;
  readonly optimizer: Optimizer;
  readonly scheduler: Scheduler;
  readonly trainer: Trainer<Outputs>;
  readonly loader: DataLoader<TrainBatch>;
  readonly steps: number;
}

/** A batch of the arrays of some samples. Throws `DataError` if they lack image or label. */
export function trainBatch(items: readonly Item[]): TrainBatch {
  const batch = listDataCollate(items);
  if (batch.image && batch.label) return batch as unknown as TrainBatch;
  throw new DataError(`training samples need the arrays image and label, these have ${Object.keys(batch).join(", ") || "none"}`);
}

/** Where a run stands in an epoch, in steps over all its networks. */
interface Place {
  readonly epoch: number;
  readonly stepInEpoch: number;
}

/** A batch that was taken, and the rest. */
async function* following<T>(first: T, rest: AsyncGenerator<T>): AsyncGenerator<T> {
  try {
    yield first;
    yield* rest;
  } finally {
    await rest.return(undefined);
  }
}

const gibibyte = 2 ** 30;

export class Training {
  readonly stepsPerEpoch: number;
  readonly optimizers: Readonly<Record<string, Optimizer>>;
  private readonly parts: readonly Part[];
  private readonly begun = new Map<Part, { readonly epoch: number; readonly batches: AsyncGenerator<TrainBatch> }>();

  constructor(parts: readonly Part[]) {
    this.parts = parts;
    this.stepsPerEpoch = parts.reduce((sum, p) => sum + p.steps, 0);
    this.optimizers = Object.fromEntries(parts.map((p) => [p.name, p.optimizer]));
  }

  /** Sets the learning rates of an epoch; returns the first network's. */
  setRates(epoch: number): number {
    for (const { scheduler } of this.parts) scheduler.steps = epoch;
    return this.parts[0].scheduler.lr;
  }

  /** Traces and compiles the step of each network for its next batch, which is kept for `epoch`. */
  async compile(at: Place, onProgress: (done: number, total: number) => void): Promise<readonly CapturedPlan[]> {
    const plans: CapturedPlan[] = [];
    for (const part of this.parts) {
      const batches = part.loader.epoch(at.epoch, { skip: this.skipOf(part, at) });
      const first = await batches.next();
      if (first.done) continue;
      this.begun.set(part, { epoch: at.epoch, batches: following(first.value, batches) });
      plans.push(await part.trainer.prepare(first.value, onProgress));
    }
    return plans;
  }

  /** The steps of an epoch that remain. */
  async epoch(at: Place & { readonly step: number }, hooks: EpochHooks): Promise<void> {
    let { step } = at;
    for (const part of this.parts) {
      const { trainer, loader, steps } = part;
      const skip = this.skipOf(part, at);
      const begun = this.begun.get(part);
      this.begun.delete(part);
      if (skip === steps) continue;
      trainer.steps = step;
      const batches = begun?.epoch === at.epoch ? begun.batches : loader.epoch(at.epoch, { skip });
      const done = await trainer.epoch(batches, hooks);
      step += done.steps;
      if (hooks.signal?.aborted) return;
    }
  }

  /** How many of a network's batches lie before a place. */
  private skipOf(part: Part, { stepInEpoch }: Place): number {
    const before = this.parts.slice(0, this.parts.indexOf(part)).reduce((sum, p) => sum + p.steps, 0);
    return Math.min(part.steps, Math.max(0, stepInEpoch - before));
  }

  async close(): Promise<void> {
    for (const { loader, trainer, optimizer } of this.parts) {
      await loader.close();
      trainer.dispose();
      optimizer.dispose();
    }
  }
}

/** Throws `ConfigError` for samples whose number is unknown or zero, and what building the samples throws. */
export async function prepareTraining<C extends object>(
  recipe: Recipe<C>,
  context: Context<C>,
  networks: Networks,
  options: TrainingOptions<C>,
): Promise<Training> {
  const parts: Part[] = [];
  const count = Object.keys(networks).length;
  for (const [name, model] of Object.entries(networks)) {
    const optimizer = recipe.optimizer(model, context, name);
    const scheduler = new Scheduler(optimizer, recipe.schedule?.(context, name) ?? ((_, base) => base));
    const loader = loaderOf(recipe, context, options, name, count);
    const steps = await loader.batchesPerEpoch();
    if (!steps) {
      await loader.close();
      throw new ConfigError(
        `recipe ${recipe.name}: its samples make ${steps === 0 ? "no" : "an unknown number of"} batches per epoch`,
      );
    }
    parts.push({
      name,
      optimizer,
      scheduler,
      trainer: trainerOf(recipe, context, options, model, optimizer, name),
      loader,
      steps,
    });
  }
  return new Training(parts);
}

function trainerOf<C extends object>(
  recipe: Recipe<C>,
  context: Context<C>,
  { device, config }: TrainingOptions<C>,
  model: Module,
  optimizer: Optimizer,
  name: string,
): Trainer<Outputs> {
  return new Trainer<Outputs>(device, {
    model,
    optimizer,
    precision: config.precision,
    onBadLoss: config.onBadLoss,
    clipNorm: recipe.clipNorm,
    loss: (outputs, _, batch) => recipe.loss(outputs, batch, context, name),
    forward: recipe.forward && ((m, image) => recipe.forward!(m, image)),
    augment: recipe.augment && ((batch) => recipe.augment!(batch, context, name)),
  });
}

function loaderOf<C extends object>(
  recipe: Recipe<C>,
  context: Context<C>,
  { data, config, info }: TrainingOptions<C>,
  network: string,
  networks: number,
): DataLoader<TrainBatch> {
  const { batchSize, numWorkers, seed, cacheSize } = config;
  const cacheBytes = (cacheSize * gibibyte) / networks / Math.max(1, numWorkers);
  const settings = { batchSize, numWorkers, seed, collate: trainBatch };
  if (numWorkers === 0) {
    const disk = preparedStore(recipe, context, config.prepared === "" ? undefined : data.prepared?.(config.prepared));
    const cases = new PreparedCases(recipe, context, data.train, data.read, cacheBytes, disk);
    return new DataLoader<TrainBatch>(recipe.samples(cases, context, network), settings);
  }
  if (recipe.module === undefined || !data.inWorkers) {
    throw new ConfigError(
      data.inWorkers
        ? `recipe ${recipe.name} does not say which module it is in, so data workers cannot build its samples: give it \`module: import.meta.url\`, or use 0 workers`
        : "data workers cannot read these data; use 0 workers",
    );
  }
  const args = { recipe: recipe.module, cases: data.train, config, info, network, cacheBytes };
  return new DataLoader<TrainBatch>(data.inWorkers(args), settings);
}
