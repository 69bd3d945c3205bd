/** @file What a training step of a configuration takes on a device: its bytes as planned, its seconds as measured on random numbers. */

import type { AbortSignal } from "../../../host/platform.ts";
import { listDataCollate } from "../../../data/datasets/collate.ts";
import { type HostArray, sizeOf } from "../../../host/array.ts";
import { RandomState } from "../../../host/random/numpy.ts";
import type { Device } from "../../../tensor/device.ts";
import type { PlannedConfiguration } from "../../nnunet/configuration.ts";
import { nnunetNetwork } from "../../nnunet/network.ts";
import type { OutputCoding } from "../../post/output_coding.ts";
import { type Outputs, type TrainBatch, Trainer } from "../../training/trainer.ts";
import { type Augmented, augmentSamples, cutOf, drawsOf } from "./samples.ts";
import { clipNorm, forwardLevels, lossOfLevels, optimizerOf } from "./training.ts";

export interface TrialOptions {
  readonly configuration: PlannedConfiguration;
  readonly inChannels: number;
  readonly outputs: OutputCoding;
  readonly batchSize: number;
  readonly optimizer: "sgd" | "adam";
  readonly augment: Augmented["augment"];
  /** Steps that are timed, beside one that warms up; 0 runs none. */
  readonly steps: number;
  /** Ends the trial between its steps. */
  readonly signal?: AbortSignal | undefined;
}

export interface StepCost {
  readonly peakBytes: number;
  /** Of the fastest step; NaN if none was run. */
  readonly seconds: number;
}

/** Plans and runs a few steps. Throws `OutOfMemoryError`, `TensorTooLargeError` for what the device cannot hold. */
export async function stepCost(device: Device, options: TrialOptions): Promise<StepCost> {
  const { configuration, inChannels, outputs, steps, signal } = options;
  signal?.throwIfAborted();
  const model = nnunetNetwork(device, configuration, inChannels, outputs.channels);
  const optimizer = optimizerOf(model, { optimizer: options.optimizer, lr: 1e-6, weightDecay: 0 });
  const augmented = { augment: options.augment, trained: configuration, masks: 0 };
  const loss = { outputs, batchDice: configuration.batch_dice ?? false };
  const trainer = new Trainer<Outputs>(device, {
    model,
    optimizer,
    forward: forwardLevels,
    loss: (levels, _, batch) => lossOfLevels(levels, batch, loss),
    augment: (b) => augmentSamples(b, augmented),
    clipNorm,
  });
  try {
    const batch = randomBatch(options);
    const { peakBytes } = await trainer.prepare(batch);
    if (steps === 0) return { peakBytes, seconds: NaN };
    signal?.throwIfAborted();
    // The first one brings up pipelines and buffers; it counts only where others would take too long.
    let seconds = await secondsOf(trainer, batch);
    if (seconds > mostSeconds) return { peakBytes, seconds };
    seconds = Infinity;
    for (let i = 0; i < steps; i++) {
      signal?.throwIfAborted();
      seconds = Math.min(seconds, await secondsOf(trainer, batch));
    }
    return { peakBytes, seconds };
  } finally {
    trainer.dispose();
    optimizer.dispose();
    model.dispose();
  }
}

// A step that takes so long is timed once; with the compilation, which on a busy machine takes ten seconds and more.
const mostSeconds = 60;

async function secondsOf(trainer: Trainer<Outputs>, batch: TrainBatch): Promise<number> {
  const since = performance.now();
  await trainer.epoch(once(batch));
  return (performance.now() - since) / 1000;
}

async function* once(batch: TrainBatch): AsyncGenerator<TrainBatch> {
  yield batch;
}

function randomBatch(options: TrialOptions): TrainBatch {
  const { configuration, inChannels, outputs, batchSize, augment } = options;
  const augmented = { augment, trained: configuration };
  const cut = cutOf(augmented);
  const ignored = outputs.ignore === undefined ? 0 : 1;
  const labels = outputs.kind === "softmax" ? 1 : outputs.channels + ignored;
  const some = (channels: number, value: (i: number) => number): HostArray<Float32Array> => {
    const shape = [channels, ...cut];
    return { data: Float32Array.from({ length: sizeOf(shape) }, (_, i) => value(i)), shape };
  };
  const sample = { image: some(inChannels, (i) => Math.sin(i)), label: some(labels, (i) => (i >> 5) & 1) };
  const draws = drawsOf(augmented);
  draws?.setRandomState(new RandomState(0));
  return listDataCollate(Array.from({ length: batchSize }, () => draws?.apply(sample) ?? sample)) as unknown as TrainBatch;
}
