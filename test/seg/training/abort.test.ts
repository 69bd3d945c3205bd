/** @file An epoch that waits for a batch ends when it is aborted, whether the batch comes or not. */

import { expect, test } from "vitest";
import { mean, square, sub } from "../../../src/index.ts";
import { Conv, SGD } from "../../../src/nn/index.ts";
import { Trainer, type TrainBatch } from "../../../src/seg/index.ts";
import { device } from "../../lib/device.ts";

const gpu = await device();

test("a batch that never comes", async () => {
  const model = new Conv(gpu, { spatialDims: 2, inChannels: 1, outChannels: 1, kernelSize: 1 });
  const optimizer = new SGD(model.parameters(), { lr: 0.1 });
  const trainer = new Trainer(gpu, { model, optimizer, loss: (output, label) => mean(square(sub(output, label))) });
  const image = { data: new Float32Array(16).fill(1), shape: [1, 1, 4, 4] };
  let left = 0;
  async function* batches(last: Promise<unknown>): AsyncGenerator<TrainBatch> {
    try {
      yield { image, label: image };
      yield { image, label: image };
      await last;
    } finally {
      left++;
    }
  }
  const stop = new AbortController();
  setTimeout(() => stop.abort(), 500);
  const losses: number[] = [];
  const hooks = { signal: stop.signal, onStep: ({ loss }: { loss: number }) => void losses.push(loss) };
  const done = await trainer.epoch(batches(new Promise(() => undefined)), hooks);
  expect([done.steps, losses.length, left]).toEqual([2, 2, 0]);

  // What fails while it is waited for is an error, and what was left early is closed.
  await expect(
    trainer.epoch(batches(Promise.reject(new Error("no disk"))), { signal: new AbortController().signal }),
  ).rejects.toThrow("no disk");
  const early = new AbortController();
  await trainer.epoch(batches(Promise.resolve()), { signal: early.signal, onStep: () => early.abort() });
  expect(left).toBe(2);

  // While a checkpoint is written nobody waits for a batch.
  const saving = new AbortController();
  const save = async () => saving.abort();
  const never = batches(new Promise(() => undefined));
  await never.next();
  const saved = await trainer.epoch(never, { signal: saving.signal, checkpointEvery: { seconds: 0, save } });
  expect([saved.steps, left]).toEqual([1, 3]);

  // What is aborted already makes no step and takes no batch.
  const before = AbortSignal.abort();
  const taken = batches(Promise.resolve());
  await taken.next();
  expect((await trainer.epoch(taken, { signal: before })).steps).toBe(0);
  expect(left).toBe(4);
  trainer.dispose();
  optimizer.dispose();
  model.dispose();
});
