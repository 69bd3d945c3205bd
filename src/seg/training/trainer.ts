/** @file The training loop, the same in Node and in a browser tab: one captured step, losses read a few steps late. */

import { expectWord } from "../../host/words.ts";
import { expectDevice } from "../../tensor/kind.ts";
import { type Precision, withPrecision } from "../../autograd/precision.ts";
import { grad } from "../../autograd/tape.ts";
import { expectHalf } from "../../kernels/cast.ts";
import { GradScaler } from "../../nn/optim/grad_scaler.ts";
import { type Module, expectModule } from "../../nn/module.ts";
import { type Optimizer, expectOptimizer } from "../../nn/optim/optimizer.ts";
import { capture, type Captured, type CapturedPlan, type CaptureOptions } from "../../tensor/capture.ts";
import type { Device } from "../../tensor/device.ts";
import { ConfigError, DataError, NonFiniteError } from "../../host/errors.ts";
import type { HostArray } from "../../host/array.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { badLoss, type BadLossPolicy, holdStatistics, isBadLoss } from "./bad_loss.ts";
import { firstNonFinite } from "./diagnose.ts";
import { expectOptions } from "../../host/options.ts";
import type { AbortSignal } from "../../host/platform.ts";

/** Arrays of a batch under their names, `[N, …]` each. */
export interface TrainBatch {
  /** `[N, C, spatial…]` */
  readonly image: HostArray;
  /** What the loss expects beside the model's output. */
  readonly label: HostArray;
  /** Whatever else a loss needs, such as weights. */
  readonly [name: string]: HostArray;
}

/** The same on the device. */
export interface BatchTensors {
  /** `[N, C, spatial…]`. */
  readonly image: Tensor;
  /** What the loss compares with, `[N, 1, spatial…]` class indices or `[N, regions, spatial…]` masks. */
  readonly label: Tensor;
  readonly [name: string]: Tensor;
}

/** What a network gives: one tensor, or several from fine to coarse under deep supervision. */
export type Outputs = Tensor | readonly Tensor[];

/** Options of `Trainer`. */
export interface TrainerOptions<O extends Outputs = Tensor> extends CaptureOptions {
  /** What is trained. */
  readonly model: Module;
  /** What trains it: over the model's parameters. */
  readonly optimizer: Optimizer;
  /** A scalar loss of the model's output and the label; the batch holds further arrays, if there are any. */
  readonly loss: (output: O, label: Tensor, batch: BatchTensors) => Tensor;
  /** What the loss is given; default `model.forward(image)`. `image` is `[N, C, spatial…]`. */
  readonly forward?: ((model: Module, image: Tensor) => O) | undefined;
  /** Changes a batch on the device, inside the captured step. */
  readonly augment?: ((batch: BatchTensors) => BatchTensors) | undefined;
  /**
   * "f16" keeps activations in f16, with f32 accumulation, weights and losses, and scales the loss dynamically (`GradScaler`, set as the optimizer's
   * `scaler` unless it has one); needs an adapter with `shader-f16`. Default "f32".
   */
  readonly precision?: Precision;
  /**
   * What to do about a step whose loss is not finite; default "stop". "skip" leaves weights, moments, loss scale and running statistics as they were,
   * also at a loss of zero; the optimizer gets a `scaler` for that, of scale 1 in f32.
   */
  readonly onBadLoss?: BadLossPolicy | undefined;
  /** Bound of the norm of all gradients together, see `StepOptions`; default none. */
  readonly clipNorm?: number | undefined;
  /** Steps that may be in flight before their loss is read; default 2. */
  readonly lag?: number;
}

/** What a training step did. */
export interface StepReport {
  /** Steps done so far, over all epochs. */
  readonly step: number;
  /** Of the step's batch. */
  readonly loss: number;
  /** Of the step's batch. */
  readonly samples: number;
  /** The loss was zero or not finite, and the step changed nothing. */
  readonly skipped?: true;
  /** Seconds that the loop waited for the step's batch. Steps before it may still have been at work on the device. */
  readonly waited: number;
}

/** What is told while an epoch runs, and how to stop it. */
export interface EpochHooks {
  /** Called in order as losses arrive. */
  readonly onStep?: ((report: StepReport) => void | Promise<void>) | undefined;
  /** Aborting stops after the step in flight, with all its losses reported, and waits for no batch. */
  readonly signal?: AbortSignal | undefined;
  /** Calls `save` between steps, with all losses reported and nothing in flight, when so many seconds have passed. */
  readonly checkpointEvery?: { readonly seconds: number; readonly save: () => Promise<void> } | undefined;
}

/** What an epoch comes to. */
export interface EpochSum {
  /** Of the losses of the steps that were not skipped. */
  readonly lossSum: number;
  /** Steps done, skipped ones included. */
  readonly steps: number;
  /** Steps that changed nothing. */
  readonly skipped: number;
}

/** Batches with the seconds that each was waited for. */
async function* timed(
  batches: AsyncIterable<TrainBatch>,
  signal?: AbortSignal,
): AsyncGenerator<{ batch: TrainBatch; waited: number }> {
  const taken = batches[Symbol.asyncIterator]();
  let [arrived, over] = [true, false];
  try {
    for (;;) {
      if (signal?.aborted) return;
      const asked = performance.now();
      arrived = false;
      const next = await unlessAborted(taken.next(), signal);
      arrived = next !== undefined;
      over = next?.done === true;
      if (!next || next.done) return;
      yield { batch: next.value, waited: (performance.now() - asked) / 1000 };
    }
  } finally {
    const left = over ? undefined : taken.return?.().catch(() => undefined);
    // A generator comes to its end behind the batch that it works on, which may never come.
    if (arrived) await left;
  }
}

/** What a promise gives; undefined if the signal is aborted before, whatever becomes of the promise. */
function unlessAborted<T>(promise: Promise<T>, signal?: AbortSignal): Promise<T | undefined> {
  if (!signal) return promise;
  return new Promise((resolve, reject) => {
    const stop = () => resolve(undefined);
    signal.addEventListener("abort", stop, { once: true });
    void promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", stop));
  });
}

/**
 * Trains a model: one captured step per shape of a batch, losses read a few steps late so that the device never waits for the host.
 *
 *     const trainer = new Trainer(device, { model, optimizer: new Adam(model.parameters()), loss: diceCELoss });
 *     await trainer.epoch(loader, { onStep: ({ step, loss }) => console.log(step, loss) });
 *
 * Batches are `{ image: [N, C, …], label: [N, …] }` on the host. Throws `ConfigError` for f16 on a device without it.
 */
export class Trainer<O extends Outputs = Tensor> {
  /** The device that trains. */
  readonly device: Device;
  /** Steps done so far; set it when a run is resumed. */
  steps = 0;
  private readonly model: Module;
  private readonly lag: number;
  private readonly onBadLoss: BadLossPolicy;
  private readonly step: Captured<Tensor>;
  private names: readonly string[] = [];

  constructor(device: Device, options: TrainerOptions<O>) {
    expectOptions(
      "Trainer",
      options,
      "model:object! optimizer:object! loss:function! forward:function augment:function precision onBadLoss clipNorm:number lag:number maxPlanBytes",
    );
    expectDevice("Trainer", device);
    expectModule("Trainer", { "options.model": options.model });
    expectOptimizer("Trainer", options.optimizer);
    const { model, optimizer, loss, augment, precision = "f32", onBadLoss = "stop", clipNorm, lag = 2 } = options;
    expectWord("Trainer", "precision", precision, ["f32", "f16"]);
    expectWord("Trainer", "onBadLoss", onBadLoss, ["stop", "skip"]);
    const { forward = (m: Module, image: Tensor) => m.forward(image) as O } = options;
    this.device = device;
    this.model = model;
    this.lag = lag;
    this.onBadLoss = onBadLoss;
    const { parameters } = optimizer;
    if (precision === "f16") {
      expectHalf("Trainer", device);
      optimizer.scaler ??= new GradScaler(device);
    }
    const skips = onBadLoss === "skip";
    if (skips) optimizer.scaler ??= new GradScaler(device, { initScale: 1, growthFactor: 1, backoffFactor: 1 });
    const step = (...tensors: Tensor[]): Tensor =>
      withPrecision(precision, () => {
        const given = Object.fromEntries(this.names.map((name, i) => [name, tensors[i]])) as unknown as BatchTensors;
        const batch = augment?.(given) ?? given;
        const restore = skips ? holdStatistics(model) : undefined;
        const value = loss(forward(model, batch.image), batch.label, batch);
        const { scaler } = optimizer;
        const gradients = grad(scaler ? scaler.scale(value) : value, parameters);
        const veto = skips ? badLoss(value) : undefined;
        optimizer.step(gradients, { veto, ...(clipNorm !== undefined && { clipNorm }) });
        if (veto) restore?.(veto);
        return value;
      });
    this.step = capture(device, step, { maxPlanBytes: options.maxPlanBytes });
  }

  /**
   * Traces and compiles the step for batches of these shapes; its `peakBytes` are known before they are allocated. `onProgress` hears of kernels compiled,
   * `done` of `total`.
   */
  async prepare(batch: TrainBatch, onProgress?: (done: number, total: number) => void): Promise<CapturedPlan> {
    this.model.train();
    return this.step.prepare(this.inputs(batch), onProgress);
  }

  /**
   * One step per batch.
   * @returns sum of the losses, number of steps, and how many of these were skipped, whose losses are not in the sum
   * @throws NonFiniteError, unless such steps are skipped, naming the step whose loss was not finite and where that began; what the batches throw; DeviceLostError
   */
  async epoch(batches: AsyncIterable<TrainBatch>, options: EpochHooks = {}): Promise<EpochSum> {
    expectOptions("Trainer.epoch", options, "onStep signal checkpointEvery");
    const { onStep, signal, checkpointEvery } = options;
    this.model.train();
    const flying: { step: number; batch: TrainBatch; waited: number; loss: Promise<number> }[] = [];
    let lossSum = 0;
    let [steps, skipped] = [0, 0];
    let saved = performance.now();
    const land = async () => {
      const { step, batch, waited, loss } = flying.shift()!;
      const value = await loss.catch((error: unknown) => {
        if (error instanceof DataError) throw new DataError(`step ${step}: ${error.message}`, { cause: error });
        throw error;
      });
      const samples = batch.image.shape[0];
      steps++;
      if (this.onBadLoss === "skip" && isBadLoss(value)) {
        skipped++;
        await onStep?.({ step, loss: value, samples, waited, skipped: true });
        return;
      }
      if (!Number.isFinite(value)) {
        const where = (await firstNonFinite(this.device, this.model, batch.image)) ?? "the loss itself";
        throw new NonFiniteError(
          `the loss of step ${step} is ${value}; the first value that is not finite is in ${where}; ` +
            `lower the learning rate or check the data; the last checkpoint is intact`,
        );
      }
      lossSum += value;
      await onStep?.({ step, loss: value, samples, waited });
    };
    const landAll = async () => {
      while (flying.length > 0) await land();
    };
    for await (const { batch, waited } of timed(batches, signal)) {
      const loss = this.step(...this.inputs(batch)).item();
      loss.catch(() => {}); // reported when it is awaited
      flying.push({ step: ++this.steps, batch, waited, loss });
      if (flying.length > this.lag) await land();
      if (signal?.aborted) break;
      if (checkpointEvery && performance.now() - saved >= 1000 * checkpointEvery.seconds) {
        await landAll();
        await checkpointEvery.save();
        saved = performance.now();
        if (signal?.aborted) break;
      }
    }
    await landAll();
    return { lossSum, steps, skipped };
  }

  /** Frees the captured steps, not model and optimizer. */
  dispose(): void {
    this.step.dispose();
  }

  // Image and label first, so that a plan does not depend on the order of keys.
  private inputs(batch: TrainBatch): HostArray[] {
    if (!batch.image || !batch.label) throw new ConfigError("Trainer: batches need the keys image and label");
    const names = [
      "image",
      "label",
      ...Object.keys(batch)
        .filter((k) => k !== "image" && k !== "label")
        .sort(),
    ];
    if (this.names.length === 0) this.names = names;
    if (names.join() !== this.names.join())
      throw new ConfigError(`Trainer: a batch has the keys ${names.join(", ")}, the first had ${this.names.join(", ")}`);
    return names.map((name) => batch[name]);
  }
}
