/** @file A step whose loss is zero or not finite, where such steps are skipped: weights, moments, loss scale and running statistics stay, and it is counted. */

import { describe, expect, test } from "vitest";
import { ConfigError, mean, mul, NonFiniteError, type Precision, square, sub, type Tensor } from "../../../src/index.ts";
import { Adam, BatchNorm, Conv, manualSeed, Module } from "../../../src/nn/index.ts";
import { badLoss, isBadLoss } from "../../../src/seg/training/bad_loss.ts";
import { type BadLossPolicy, Trainer, type TrainBatch } from "../../../src/seg/index.ts";
import { device } from "../../lib/device.ts";

const gpu = await device();

class Net extends Module {
  readonly conv = new Conv(gpu, { spatialDims: 2, inChannels: 1, outChannels: 3, kernelSize: 3, padding: 1 });
  readonly norm = new BatchNorm(gpu, 3);
  readonly last = new Conv(gpu, { spatialDims: 2, inChannels: 3, outChannels: 1, kernelSize: 1 });
  forward(x: Tensor): Tensor {
    return this.last.forward(this.norm.forward(this.conv.forward(x)));
  }
}

/** A batch whose loss is multiplied by `factor`. */
function batch(k: number, factor: number): TrainBatch {
  const data = Float32Array.from({ length: 64 }, (_, i) => Math.sin(0.3 * i + k));
  const shape = [1, 1, 8, 8];
  return {
    image: { data, shape },
    label: { data: data.map((v) => (v > 0 ? 1 : 0)), shape },
    factor: { data: Float32Array.of(factor), shape: [1, 1] },
  };
}

async function train(onBadLoss: BadLossPolicy, precision: Precision, given: readonly (readonly [number, number])[]) {
  manualSeed(3);
  const model = new Net();
  const optimizer = new Adam(model.parameters(), { lr: 1e-2 });
  const trainer = new Trainer(gpu, {
    model,
    optimizer,
    precision,
    onBadLoss,
    loss: (output, label, { factor }) => mul(mean(square(sub(output, label))), mean(factor)),
  });
  const steps: (readonly [number, boolean])[] = [];
  async function* batches() {
    for (const [k, factor] of given) yield batch(k, factor);
  }
  const done = await trainer.epoch(batches(), { onStep: ({ step, skipped = false }) => void steps.push([step, skipped]) });
  const state = [...(await model.stateDict()), ...(await optimizer.stateDict())].map(([name, { data }]) => [name, [...data]]);
  trainer.dispose();
  optimizer.dispose();
  model.dispose();
  return { done, steps, state: Object.fromEntries(state) as Record<string, number[]> };
}

const precisions = (["f32", "f16"] as const).filter((p) => p === "f32" || gpu.gpu.features.has("shader-f16"));
const bad = [
  [0, 1],
  [1, 0],
  [2, NaN],
  [3, 1],
  [4, Infinity],
  [5, 1],
] as const;

describe.each(precisions)("%s", (precision) => {
  test("skipped steps leave everything as if they had not been", async () => {
    const with3 = await train("skip", precision, bad);
    const without = await train(
      "skip",
      precision,
      bad.filter(([, factor]) => factor === 1),
    );
    expect(with3.state).toEqual(without.state);
    expect(with3.steps.map(([, skipped]) => skipped)).toEqual([false, true, true, false, true, false]);
    expect(with3.done).toEqual({ lossSum: without.done.lossSum, steps: 6, skipped: 3 });
    expect(without.done.skipped).toBe(0);
    // The policy itself changes no bit of good steps.
    const { scaler: _, ...plain } = without.state;
    const stopped = await train(
      "stop",
      precision,
      bad.filter(([, factor]) => factor === 1),
    );
    expect(stopped.state).toMatchObject(plain);
  });
});

test("by default a loss that is not finite ends training, and one of zero does not", async () => {
  expect((await train("stop", "f32", bad.slice(0, 2))).done).toMatchObject({ steps: 2, skipped: 0 });
  await expect(train("stop", "f32", bad)).rejects.toThrow(NonFiniteError);
  await expect(train("stop", "f32", bad)).rejects.toThrow(/the loss of step 3 is NaN/);
});

test("host and device agree on what a bad loss is", async () => {
  const values = [0, -0, 1e-40, 2 ** -126, 1e-30, -2, 3e38, Infinity, -Infinity, NaN];
  const seen = await badLoss(gpu.tensor({ data: values, shape: [values.length] })).data();
  expect([...seen]).toEqual(values.map((v) => (isBadLoss(v) ? 1 : 0)));
});

test("a veto needs a scaler", () => {
  const model = new Net();
  const optimizer = new Adam(model.parameters());
  const zeros = model.parameters().map((p) => gpu.tensor({ data: new Float32Array(p.size), shape: p.shape }));
  expect(() => optimizer.step(zeros, { veto: gpu.tensor({ data: [1], shape: [] }) })).toThrow(ConfigError);
});
