/** @file Two thousand steps of a small UNet by the trainer: whether time, memory or submits per step grow. */

import { Adam, diceCELoss, manualSeed } from "../../../src/nn/index.ts";
import { type TrainBatch, Trainer } from "../../../src/seg/index.ts";
import { smallUNet } from "../../network_cases.ts";
import { batch, build } from "../../training_step.ts";
import type { Context, StageRun } from "../stage.ts";

/** Memory at one moment. */
export interface Held {
  readonly step: number;
  /** The device's buffers: in use, kept for reuse, their number. */
  readonly live: number;
  readonly pooled: number;
  readonly buffers: number;
  /** Of the process. */
  readonly rss: number;
  readonly heap: number;
}

export interface StepsResult {
  readonly network: string;
  readonly steps: number;
  readonly wanted: number;
  /** Mean milliseconds of the first hundred steps after the warm ones, and of the last hundred. */
  readonly startMs: number;
  readonly endMs: number;
  readonly submitsPerStep: number;
  readonly dispatchesPerStep: number;
  readonly losses: readonly [number, number];
  readonly memory: readonly [Held, Held];
}

function held(step: number, { live, pooled, buffers }: { live: number; pooled: number; buffers: number }): Held {
  const { rss, heapUsed } = process.memoryUsage();
  return { step, live, pooled, buffers, rss, heap: heapUsed };
}

/** Steps in flight before a loss is read. */
const lag = 2;

async function measure(context: Context): Promise<StepsResult> {
  const device = await context.device();
  const wanted = context.task.tiny ? 60 : 2000;
  const window = context.task.tiny ? 20 : 100;
  const warm = window / 2;
  manualSeed(0);
  const model = build(device, smallUNet);
  const optimizer = new Adam(model.parameters(), { lr: 1e-3 });
  const trainer = new Trainer(device, {
    model,
    optimizer,
    lag,
    loss: (output, label) => diceCELoss(output, label, { softmax: true, toOnehotY: true }),
  });
  const { image, label } = batch(smallUNet);
  const targets: TrainBatch = { image, label: { ...label, data: Float32Array.from(label.data) } };
  const batches = async function* (): AsyncGenerator<TrainBatch> {
    for (let i = 0; i < wanted && context.secondsLeft > 1; i++) yield targets;
  };
  const times: number[] = [];
  const losses: number[] = [];
  const counts: { readonly submits: number; readonly dispatches: number }[] = [];
  let early: Held | undefined;
  await trainer.epoch(batches(), {
    onStep: async ({ step, loss }) => {
      times.push(performance.now());
      losses.push(loss);
      counts.push({ ...device.eager.count });
      if (step === warm) early = held(step, device.memory);
      if (step % 50 === 0) await context.send({ kind: "progress", done: step, total: wanted, text: `loss ${loss.toFixed(4)}` });
    },
  });
  const steps = times.length;
  context.cut ||= steps < wanted;
  if (!early || steps < warm + window)
    throw new Error(`only ${steps} steps in the time of this stage, ${warm + window} are needed`);
  // As many steps are in flight when a loss arrives, but for the last ones.
  const [first, last] = [counts[warm - 1], counts[steps - 1 - lag]];
  const counted = steps - lag - warm;
  const per = (from: number, to: number) => (times[to - 1] - times[from - 1]) / (to - from);
  const result: StepsResult = {
    network: smallUNet.name,
    steps,
    wanted,
    startMs: per(warm, warm + window),
    endMs: per(steps - window, steps),
    submitsPerStep: (last.submits - first.submits) / counted,
    dispatchesPerStep: (last.dispatches - first.dispatches) / counted,
    losses: [losses[0], losses.at(-1)!],
    memory: [early, held(steps, device.memory)],
  };
  trainer.dispose();
  optimizer.dispose();
  model.dispose();
  return result;
}

export const run: StageRun = (context) =>
  context.each(
    ["steps"],
    (name) => name,
    () => measure(context),
  );
