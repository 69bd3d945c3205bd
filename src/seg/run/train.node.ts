/**
 * @file A training run in a folder: config.json, metrics.jsonl, checkpoint.safetensors, weights.safetensors and best.safetensors. Everything that
 * decides the next step is in the checkpoint, so a run that was killed goes on bit for bit.
 */

import { existsSync } from "node:fs";
import { appendFile, mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { writeFileAtomic } from "../../host/files.node.ts";
import { type Case, type DatasetIndex, selectFold } from "../../data/folders/decathlon.ts";
import { loadCase, loadDataset, loadSplits } from "../../data/folders/decathlon.node.ts";
import { DataLoader } from "../../data/loading/loader.ts";
import { diceLoss } from "../../nn/losses/dice.ts";
import { seedDropout } from "../../nn/layers/dropout.ts";
import { manualSeed } from "../../nn/init.ts";
import { describeLoad } from "../../nn/load_state.ts";
import { Adam } from "../../nn/optim/adam.ts";
import type { Device } from "../../tensor/device.ts";
import { CheckpointError, ConfigError } from "../../host/errors.ts";
import { sizeOf } from "../../host/array.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { decodeCheckpoint, encodeCheckpoint, type Progress } from "../training/checkpoint.ts";
import { checkConfig, learningRate, type RunConfig } from "../recipes/config.ts";
import type { ProgressLine } from "../training/progress.ts";
import { diceOf, Segmenter } from "../inference/segmenter.ts";
import { prepareImage, prepareLabel, type SliceArgs } from "../recipes/slices2d/dataset.node.ts";
import { type StepReport, Trainer, type TrainBatch } from "../training/trainer.ts";
import { UNet } from "../networks/unet.ts";
import { writeSafetensors } from "../../weights/safetensors.ts";
import { readWeightsFile } from "./weight_files.node.ts";

export const files = {
  config: "config.json",
  labels: "labels.json",
  metrics: "metrics.jsonl",
  checkpoint: "checkpoint.safetensors",
  weights: "weights.safetensors",
  best: "best.safetensors",
} as const;

/** A line of metrics.jsonl for each epoch. */
export interface EpochMetrics {
  readonly epoch: number;
  readonly loss: number;
  readonly lr: number;
  readonly seconds: number;
  /** Mean validation Dice of each foreground class, if this epoch was validated. */
  readonly dice?: readonly number[];
}

export interface RunData {
  readonly index: DatasetIndex;
  readonly train: readonly Case[];
  readonly val: readonly Case[];
}

/** The cases of a run. A folder without splits is used whole, for training and validation. */
export async function runData(config: Pick<RunConfig, "data" | "fold">): Promise<RunData> {
  const index = await loadDataset(config.data);
  if (config.fold === "all") return { index, train: index.training, val: index.training };
  return { index, ...selectFold(index, await loadSplits(config.data), config.fold) };
}

/** The network of a run: one output for two classes, else one per class. */
export function buildModel(device: Device, config: RunConfig, index: RunLabels): UNet {
  return new UNet(device, {
    spatialDims: 2,
    inChannels: index.modality.length,
    outChannels: index.labels.length === 2 ? 1 : index.labels.length,
    channels: config.channels,
    strides: config.channels.slice(1).map(() => 2),
    numResUnits: config.numResUnits,
  });
}

function lossOf(classes: number): (output: Tensor, label: Tensor) => Tensor {
  if (classes === 2) return (output, label) => diceLoss(output, label, { sigmoid: true });
  return (output, label) => diceLoss(output, label, { softmax: true, toOnehotY: true, batch: true });
}

export interface TrainHooks {
  readonly progress: ProgressLine;
  readonly signal?: AbortSignal;
  /** Gets lines about the run before it starts: sizes and planned memory. */
  readonly log?: (line: string) => void;
}

export interface TrainResult {
  /** False if the run was interrupted and can be resumed. */
  readonly finished: boolean;
  readonly epochs: readonly EpochMetrics[];
}

/** Reads the config of a run's folder. Throws `ConfigError`, `CheckpointError`. */
export async function readConfig(folder: string): Promise<RunConfig> {
  return checkConfig(await readJson(folder, files.config), join(folder, files.config));
}

/** What a run's folder says about its classes and inputs. */
export type RunLabels = Pick<DatasetIndex, "labels" | "modality">;

/** Reads the classes of a run's folder. Throws `ConfigError`, `CheckpointError`. */
export async function readLabels(folder: string): Promise<RunLabels> {
  const info = (await readJson(folder, files.labels)) as RunLabels | null;
  if (Array.isArray(info?.labels) && Array.isArray(info.modality)) return info;
  throw new ConfigError(`${join(folder, files.labels)}: expected the lists labels and modality; restore the file or train again`);
}

async function readJson(folder: string, name: string): Promise<unknown> {
  const path = join(folder, name);
  if (!existsSync(path)) throw new CheckpointError(`${folder}: is no run: it has no ${name}`);
  try {
    return JSON.parse(await readFile(path, "utf8"));
  } catch (error) {
    if (error instanceof SyntaxError) throw new ConfigError(`${path}: is not JSON: ${error.message}`, { cause: error });
    throw error;
  }
}

/** How a run begins: anew, from the weights of a file, or where it was interrupted. */
export interface TrainStart {
  readonly resume?: boolean;
  /** File with weights, loaded as far as their names and shapes agree with the model's. */
  readonly init?: string | undefined;
}

/**
 * Trains in `folder`, from the start or, with `resume`, from its checkpoint.
 * @throws ConfigError if the folder holds a run and `resume` is not set, or the reverse; DataError, FormatError, ShapeError for bad data;
 *   NonFiniteError, DeviceLostError during training, with the last checkpoint intact
 */
export async function train(
  device: Device,
  folder: string,
  config: RunConfig,
  hooks: TrainHooks,
  { resume = false, init }: TrainStart = {},
): Promise<TrainResult> {
  const { progress: line, signal, log = () => {} } = hooks;
  const path = (name: keyof typeof files) => join(folder, files[name]);
  if (!resume && existsSync(path("checkpoint"))) {
    throw new ConfigError(`${folder} holds a run already; continue it with --resume or choose another --out`);
  }
  const data = await runData(config);
  manualSeed(config.seed);
  seedDropout(device, config.seed);
  const model = buildModel(device, config, data.index);
  if (init !== undefined && !resume) log(await initialise(model, init));
  const optimizer = new Adam(model.parameters(), { lr: config.lr });
  const { precision } = config;
  const trainer = new Trainer(device, { model, optimizer, precision, loss: lossOf(data.index.labels.length) });
  const segmenter = new Segmenter(device, model, config);
  const channels = data.index.modality.length;
  const args: SliceArgs = { cases: data.train, channels, labels: data.index.labels, config };
  const module = new URL(
    import.meta.url.endsWith(".ts") ? "../recipes/slices2d/dataset.node.ts" : "../recipes/slices2d/dataset.node.js",
    import.meta.url,
  );
  const { batchSize, numWorkers, seed } = config;
  const loader = new DataLoader({ module, args }, { batchSize, numWorkers, seed });
  const stepsPerEpoch = (await loader.batchesPerEpoch())!;

  let at: Progress = { epoch: 0, stepInEpoch: 0, step: 0, lossSum: 0 };
  await mkdir(folder, { recursive: true });
  if (resume && existsSync(path("checkpoint"))) {
    at = decodeCheckpoint(await readFile(path("checkpoint")), path("checkpoint"), device, model, optimizer);
    const where = `epoch ${at.epoch + 1}, step ${at.stepInEpoch} of ${stepsPerEpoch}`;
    line.log(at.epoch < config.epochs ? `resumed at ${where}` : "the run is finished; reporting on it again");
  }
  const epochs = await restoreMetrics(path("metrics"), at);
  await writeFileAtomic(path("config"), `${JSON.stringify(config, null, 2)}\n`);
  await writeFileAtomic(
    path("labels"),
    `${JSON.stringify({ labels: data.index.labels, modality: data.index.modality }, null, 2)}\n`,
  );
  trainer.steps = at.step;
  log(
    `${data.train.length} training cases, ${data.val.length} validation cases; ${model.parameterCount.toLocaleString("en")} parameters; ` +
      `${stepsPerEpoch} steps per epoch of ${batchSize} slices ${config.patchSize.join(" × ")}`,
  );
  const shape = (depth: number) => [batchSize, depth, ...config.patchSize];
  const blank = (depth: number) => ({ data: new Float32Array(sizeOf(shape(depth))), shape: shape(depth) });
  const plan = await trainer.prepare({ image: blank(channels), label: blank(1) }, (done, total) =>
    line.update({ label: "compiling kernels", done, total }),
  );
  line.finish();
  log(`planned GPU memory of a step: ${(plan.peakBytes / 2 ** 20).toFixed(1)} MiB in ${plan.dispatches} dispatches`);

  const totalSteps = config.epochs * stepsPerEpoch;
  let first: { step: number; epoch: number; time: number; wait: number } | undefined;
  let started = performance.now();
  let samples = 0;
  let batches: AsyncGenerator<TrainBatch> | undefined;
  const interrupted = () => signal?.aborted ?? false;
  try {
    while (at.epoch < config.epochs && !interrupted()) {
      const lr = learningRate(config, at.epoch);
      if (optimizer.lr !== lr) optimizer.lr = lr;
      batches ??= loader.epoch(at.epoch, { skip: at.stepInEpoch }) as unknown as AsyncGenerator<TrainBatch>;
      // Checkpoints fall between steps: the step that reports has nothing in flight behind it only if losses are read at once, so one
      // is taken by leaving the loop over batches and entering it again where it stands.
      const pause = new AbortController();
      const timer = setTimeout(() => pause.abort(), config.checkpointSeconds * 1000);
      timer.unref();
      const onStep = async ({ loss, samples: n, step }: StepReport) => {
        samples += n;
        const now = performance.now();
        // The first step waits for data: the time left is judged by the steps after it, and by one such wait per epoch until one has passed.
        first ??= { step, epoch: at.epoch, time: now, wait: now - started };
        const waits = at.epoch === first.epoch ? (config.epochs - at.epoch - 1) * first.wait : 0;
        at = { ...at, step, stepInEpoch: at.stepInEpoch + 1, lossSum: at.lossSum + loss };
        await appendFile(path("metrics"), `${JSON.stringify({ epoch: at.epoch + 1, step, loss, lr })}\n`);
        line.update({
          label: `epoch ${at.epoch + 1}/${config.epochs}`,
          done: at.step,
          total: totalSteps,
          loss: at.lossSum / at.stepInEpoch,
          lr,
          samples,
          seconds: (now - started) / 1000,
          eta: (((now - first.time) / (step - first.step)) * (totalSteps - step) + waits) / 1000,
        });
      };
      await trainer.epoch(withoutEnd(batches), { onStep, signal: AbortSignal.any([pause.signal, ...(signal ? [signal] : [])]) });
      clearTimeout(timer);
      if (at.stepInEpoch < stepsPerEpoch) {
        await writeFileAtomic(path("checkpoint"), await encodeCheckpoint(device, model, optimizer, at));
        continue;
      }
      await batches.return(undefined);
      batches = undefined;
      const loss = at.lossSum / at.stepInEpoch;
      at = { ...at, epoch: at.epoch + 1, stepInEpoch: 0, lossSum: 0 };
      let dice: number[] | undefined;
      let improved = false;
      if (at.epoch % config.validateEvery === 0 || at.epoch === config.epochs) {
        dice = await validate(segmenter, data, config, line);
        const score = mean(dice);
        improved = !(score <= (at.best ?? -1));
        if (improved) at = { ...at, best: score };
      }
      const row: EpochMetrics = {
        epoch: at.epoch,
        loss,
        lr,
        seconds: (performance.now() - started) / 1000,
        ...(dice ? { dice } : {}),
      };
      epochs.push(row);
      const checkpoint = await encodeCheckpoint(device, model, optimizer, at);
      if (improved) await writeFileAtomic(path("best"), writeSafetensors(await model.stateDict()));
      await appendFile(path("metrics"), `${JSON.stringify(row)}\n`);
      await writeFileAtomic(path("checkpoint"), checkpoint);
      line.log(epochLine(row, config.epochs));
      started = performance.now();
      samples = 0;
    }
    const finished = at.epoch >= config.epochs;
    if (finished) await writeFileAtomic(path("weights"), writeSafetensors(await model.stateDict()));
    return { finished, epochs };
  } finally {
    line.finish();
    await loader.close();
    segmenter.dispose();
    trainer.dispose();
    optimizer.dispose();
    model.dispose();
  }
}

/** Loads what fits and says what did not. Throws `FormatError` for a damaged file, `CheckpointError` if nothing in it fits. */
async function initialise(model: UNet, path: string): Promise<string> {
  const { tensors } = await readWeightsFile(path);
  const report = model.loadStateDict(tensors, { strict: false, skipMisshaped: true });
  if (report.loaded.length > 0) return `${path}: ${describeLoad(report)}`;
  throw new CheckpointError(`${path}: none of its tensors fits this network: ${describeLoad(report)}`);
}

/** The rest of `batches` for a loop that may be left and entered again: leaving a loop over the generator itself would end it. */
function withoutEnd<T>(batches: AsyncGenerator<T>): AsyncIterable<T> {
  return { [Symbol.asyncIterator]: () => ({ next: () => batches.next() }) };
}

async function validate(segmenter: Segmenter, data: RunData, config: RunConfig, line: ProgressLine): Promise<number[]> {
  const { labels, modality } = data.index;
  const scores: number[][] = [];
  for (const [i, item] of data.val.entries()) {
    line.update({ label: "validation", done: i, total: data.val.length });
    const { image, label } = await loadCase(item, labels);
    const truth = prepareLabel(item.id, label!, labels, true);
    scores.push(diceOf(await segmenter.run(prepareImage(item.id, image, modality.length, config)), truth, labels.length));
  }
  return labels.slice(1).map((_, c) => mean(scores.map((s) => s[c])));
}

/** Mean of the values that are not NaN. */
export function mean(values: readonly number[]): number {
  const known = values.filter((v) => !Number.isNaN(v));
  return known.reduce((a, b) => a + b, 0) / known.length;
}

function epochLine({ epoch, loss, lr, seconds, dice }: EpochMetrics, total: number): string {
  const parts = [`epoch ${epoch}/${total}`, `loss ${loss.toFixed(4)}`, `lr ${lr.toExponential(1)}`, `${seconds.toFixed(1)} s`];
  if (dice) parts.push(`validation Dice ${dice.map((d) => d.toFixed(4)).join(" / ")}`);
  return parts.join("  ");
}

// Drops the lines of steps after the checkpoint: they will be run, and written, again.
async function restoreMetrics(path: string, at: Progress): Promise<EpochMetrics[]> {
  const text = existsSync(path) ? await readFile(path, "utf8") : "";
  const rows = text.split("\n").flatMap((l) => {
    try {
      return l ? [JSON.parse(l) as EpochMetrics & { step?: number }] : [];
    } catch {
      return []; // a line cut short by a crash
    }
  });
  const kept = rows.filter((r) => (r.step === undefined ? r.epoch <= at.epoch : r.step <= at.step));
  await writeFileAtomic(path, kept.map((r) => `${JSON.stringify(r)}\n`).join(""));
  const epochs = kept.filter((r) => r.step === undefined);
  // JSON has no NaN and writes null for the score of a class that no validation case has.
  return epochs.map((r) => (r.dice ? { ...r, dice: r.dice.map((d) => d ?? NaN) } : r));
}
