/** @file The training loop, the same in Node and in a browser tab: one captured step, losses read a few steps late. */

import { type Precision, withPrecision } from "../../autograd/precision.ts";
import { grad } from "../../autograd/tape.ts";
import { expectHalf } from "../../kernels/cast.ts";
import { GradScaler } from "../../nn/optim/grad_scaler.ts";
import type { Module } from "../../nn/module.ts";
import type { Optimizer } from "../../nn/optim/optimizer.ts";
import { capture, type Captured, type CapturedPlan } from "../../tensor/capture.ts";
import type { Device } from "../../tensor/device.ts";
import { ConfigError, NonFiniteError } from "../../host/errors.ts";
import type { HostArray } from "../../host/array.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { firstNonFinite } from "./diagnose.ts";

export interface TrainBatch {
  /** `[N, C, spatial…]` */
  readonly image: HostArray;
  /** What the loss expects beside the model's output. */
  readonly label: HostArray;
}

export interface TrainerOptions {
  readonly model: Module;
  readonly optimizer: Optimizer;
  /** A scalar loss of the model's output and the label. */
  readonly loss: (output: Tensor, label: Tensor) => Tensor;
  /**
   * "f16" keeps activations in f16, with f32 accumulation, weights and losses, and scales the loss dynamically (`GradScaler`, set as the optimiser's
   * `scaler` unless it has one); needs an adapter with `shader-f16`. Default "f32".
   */
  readonly precision?: Precision;
  /** Steps that may be in flight before their loss is read; default 2. */
  readonly lag?: number;
}

export interface StepReport {
  /** Steps done so far, over all epochs. */
  readonly step: number;
  readonly loss: number;
  readonly samples: number;
}

export interface EpochHooks {
  /** Called in order as losses arrive. */
  readonly onStep?: (report: StepReport) => void | Promise<void>;
  /** Aborting stops after the step in flight, with all its losses reported. */
  readonly signal?: AbortSignal;
}

export class Trainer {
  readonly device: Device;
  /** Steps done so far; set it when a run is resumed. */
  steps = 0;
  private readonly options: Required<TrainerOptions>;
  private readonly step: Captured<Tensor>;

  constructor(device: Device, options: TrainerOptions) {
    this.device = device;
    this.options = { lag: 2, precision: "f32", ...options };
    const { model, optimizer, loss, precision } = this.options;
    const { parameters } = optimizer;
    if (precision === "f16") {
      expectHalf("Trainer", device);
      optimizer.scaler ??= new GradScaler(device);
    }
    this.step = capture(device, (image, label) =>
      withPrecision(precision, () => {
        const value = loss(model.forward(image), label);
        const { scaler } = optimizer;
        optimizer.step(grad(scaler ? scaler.scale(value) : value, parameters));
        return value;
      }),
    );
  }

  /** Traces and compiles the step for batches of these shapes; its `peakBytes` are known before they are allocated. */
  async prepare(batch: TrainBatch, onProgress?: (done: number, total: number) => void): Promise<CapturedPlan> {
    this.options.model.train();
    return this.step.prepare([batch.image, batch.label], onProgress);
  }

  /**
   * One step per batch.
   * @returns sum of the losses and number of steps
   * @throws NonFiniteError naming the step whose loss was not finite and where that began; what the batches throw; DeviceLostError
   */
  async epoch(
    batches: AsyncIterable<TrainBatch>,
    { onStep, signal }: EpochHooks = {},
  ): Promise<{ lossSum: number; steps: number }> {
    const { model } = this.options;
    model.train();
    const flying: { step: number; batch: TrainBatch; loss: Promise<number> }[] = [];
    let lossSum = 0;
    let steps = 0;
    const land = async () => {
      const { step, batch, loss } = flying.shift()!;
      const value = await loss;
      if (!Number.isFinite(value)) {
        const where = (await firstNonFinite(this.device, model, batch.image)) ?? "the loss itself";
        throw new NonFiniteError(
          `the loss of step ${step} is ${value}; the first value that is not finite is in ${where}; ` +
            `lower the learning rate or check the data; the last checkpoint is intact`,
        );
      }
      lossSum += value;
      steps++;
      await onStep?.({ step, loss: value, samples: batch.image.shape[0] });
    };
    for await (const batch of batches) {
      if (!batch.image || !batch.label) throw new ConfigError("Trainer.epoch: batches need the keys image and label");
      const loss = this.step(batch.image, batch.label).item();
      loss.catch(() => {}); // reported when it is awaited
      flying.push({ step: ++this.steps, batch, loss });
      if (flying.length > this.options.lag) await land();
      if (signal?.aborted) break;
    }
    while (flying.length > 0) await land();
    return { lossSum, steps };
  }

  dispose(): void {
    this.step.dispose();
  }
}
