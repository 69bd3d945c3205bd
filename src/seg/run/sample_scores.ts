/** @file Loss and Dice of training and validation samples while a run trains: the curves that tell whether a network learns its cases by heart. */

import { withPrecision } from "../../autograd/precision.ts";
import { noGrad } from "../../autograd/tape.ts";
import { DataLoader } from "../../data/loading/loader.ts";
import type { Case } from "../../data/folders/dataset_index.ts";
import { nanMean } from "../../host/stats.ts";
import type { AbortSignal } from "../../host/platform.ts";
import { evaluating } from "../../nn/evaluating.ts";
import type { Module } from "../../nn/module.ts";
import { capture, type Captured } from "../../tensor/capture.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { PreparedCases, preparedStore } from "../recipes/prepared.ts";
import type { Context, Networks, Recipe } from "../recipes/recipe.ts";
import type { BatchTensors, TrainBatch } from "../training/trainer.ts";
import type { SampleScore, SampleScores } from "./files.ts";
import { trainBatch, type TrainingOptions } from "./training.ts";

const gibibyte = 2 ** 30;

export class SampleScoring<C extends object> {
  private readonly recipe: Recipe<C>;
  private readonly context: Context<C>;
  private readonly networks: Networks;
  private readonly options: TrainingOptions<C>;
  private readonly loaders = new Map<string, DataLoader<TrainBatch>>();
  private readonly steps = new Map<string, Captured<readonly Tensor[]>>();
  private names: readonly string[] = [];

  /** @param recipe with `counts` */
  constructor(recipe: Recipe<C>, context: Context<C>, networks: Networks, options: TrainingOptions<C>) {
    this.recipe = recipe;
    // Cases without foreground are no fault here.
    const drawn = recipe.online?.(context) ?? context;
    this.context = { ...drawn, config: { ...drawn.config, allowEmpty: true } };
    this.networks = networks;
    this.options = options;
  }

  /** The same samples each time. Throws the signal's reason when it is aborted. */
  async run(signal: AbortSignal | undefined): Promise<SampleScores> {
    const [train, val] = [this.options.data.train, this.options.data.val].map((cases) =>
      cases.filter((c) => c.label !== undefined),
    );
    const scores: Record<string, { train: SampleScore; val: SampleScore }> = {};
    for (const [name, model] of Object.entries(this.networks)) {
      const of = (part: string, cases: readonly Case[]) => this.score(name, model, this.loaderOf(name, part, cases), signal);
      scores[name] = { train: await of("train", train.slice(0, val.length)), val: await of("val", val) };
    }
    return scores;
  }

  /** Dice of each foreground class on other samples of the validation cases in each epoch. Throws the signal's reason when it is aborted. */
  async online(epoch: number, signal: AbortSignal | undefined): Promise<number[]> {
    const cases = this.options.data.val.filter((c) => c.label !== undefined);
    const dice: (readonly number[])[] = [];
    for (const [name, model] of Object.entries(this.networks)) {
      const loader = this.loaderOf(name, "val", cases);
      dice.push((await this.score(name, model, loader, signal, epoch)).dice);
    }
    return this.context.outputs.foreground.map((_, c) => nanMean(dice.map((d) => d[c])));
  }

  async close(): Promise<void> {
    for (const step of this.steps.values()) step.dispose();
    for (const loader of this.loaders.values()) await loader.close();
  }

  private loaderOf(network: string, part: string, cases: readonly Case[]): DataLoader<TrainBatch> {
    const key = `${network} ${part}`;
    let loader = this.loaders.get(key);
    if (!loader) {
      const { recipe, context, options } = this;
      const { batchSize, seed, cacheSize } = options.config;
      const bytes = (cacheSize * gibibyte) / (4 * 2 * Object.keys(this.networks).length);
      const { config, data } = options;
      const disk = preparedStore(recipe, context, config.prepared === "" ? undefined : data.prepared?.(config.prepared));
      const prepared = new PreparedCases(recipe, context, cases, data.read, bytes, disk);
      loader = new DataLoader<TrainBatch>(recipe.samples(prepared, context, network), { batchSize, seed, collate: trainBatch });
      this.loaders.set(key, loader);
    }
    return loader;
  }

  private async score(
    network: string,
    model: Module,
    loader: DataLoader<TrainBatch>,
    signal: AbortSignal | undefined,
    epoch = 0,
  ): Promise<SampleScore> {
    const classes = this.context.outputs.foreground.length;
    const [both, total] = [new Float64Array(classes), new Float64Array(classes)];
    let [lossSum, batches] = [0, 0];
    for await (const batch of loader.epoch(epoch)) {
      signal?.throwIfAborted();
      this.names = Object.keys(batch);
      const [loss, counts] = this.stepOf(network, model)(...this.names.map((name) => batch[name]));
      const [value, found] = await Promise.all([loss.item(), counts.data()]);
      lossSum += value;
      batches++;
      const of = (row: number, c: number): number => found[row * (classes + 1) + c + 1];
      for (let c = 0; c < classes; c++) {
        both[c] += of(0, c);
        total[c] += of(1, c) + of(2, c);
      }
    }
    return { loss: lossSum / batches, dice: Array.from(both, (n, c) => (2 * n) / total[c]) };
  }

  private stepOf(network: string, model: Module): Captured<readonly Tensor[]> {
    const known = this.steps.get(network);
    if (known) return known;
    const { recipe, context, options } = this;
    const step = capture(options.device, (...tensors: Tensor[]): readonly Tensor[] =>
      noGrad(() =>
        withPrecision(options.config.precision, () => {
          const batch = Object.fromEntries(this.names.map((name, i) => [name, tensors[i]])) as unknown as BatchTensors;
          const outputs = evaluating([model], () =>
            recipe.forward ? recipe.forward(model, batch.image) : model.forward(batch.image),
          );
          return [recipe.loss(outputs, batch, context, network), recipe.counts!(outputs, batch, context, network)];
        }),
      ),
    );
    this.steps.set(network, step);
    return step;
  }
}
