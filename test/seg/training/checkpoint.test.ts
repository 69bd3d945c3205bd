/** @file Checkpoints belong to one moment, and hold every kind of scheduler. */

import { afterAll, beforeAll, expect, it } from "vitest";
import { CheckpointError, ConfigError } from "../../../src/host/errors.ts";
import { type Device, mean, square } from "../../../src/index.ts";
import { Conv, manualSeed, ReduceLROnPlateau, SGD, StepLR } from "../../../src/nn/index.ts";
import { restoreCheckpoint, saveCheckpoint } from "../../../src/seg/index.ts";
import { device } from "../../lib/device.ts";

let gpu: Device;
let model: Conv;
let optimizer: SGD;
beforeAll(async () => {
  gpu = await device();
  manualSeed(1);
  model = new Conv(gpu, { spatialDims: 1, inChannels: 1, outChannels: 2, kernelSize: 1 });
  optimizer = new SGD(model.parameters(), { lr: 0.1 });
});
afterAll(() => model.dispose());

const train = () => optimizer.minimize(mean(square(model.forward(gpu.tensor({ data: [1, 2, 3, 4], shape: [1, 1, 4] })))));
const weights = async () => Array.from(await model.weight.data());

it("what goes on while a checkpoint is taken is not in it", async () => {
  const scheduler = new StepLR(optimizer, { stepSize: 1 });
  const extra = { epoch: 0 };
  const before = await weights();
  const saved = saveCheckpoint({ model, optimizer, scheduler, extra });
  train();
  scheduler.step();
  extra.epoch = 1;
  expect(restoreCheckpoint(await saved, { model, optimizer, scheduler })).toEqual({ epoch: 0 });
  expect(await weights()).toEqual(before);
  expect(scheduler.steps).toBe(0);
});

it("a plateau goes on where it was, from its beginning too", async () => {
  const plateau = () => new ReduceLROnPlateau(optimizer, { patience: 1 });
  const scheduler = plateau();
  const fresh = await saveCheckpoint({ model, optimizer, scheduler });
  scheduler.step(2);
  scheduler.step(3);
  const later = await saveCheckpoint({ model, optimizer, scheduler });
  const other = plateau();
  restoreCheckpoint(later, { model, optimizer, scheduler: other });
  expect(other.state).toEqual([2, 1, 0, 0.1]);
  restoreCheckpoint(fresh, { model, optimizer, scheduler: other });
  expect(other.state).toEqual([Infinity, 0, 0, 0.1]);
  const steps = await saveCheckpoint({ model, optimizer, scheduler: new StepLR(optimizer, { stepSize: 1 }) });
  await expect(saveCheckpoint({ model, optimizer, scheduler: {} as never })).rejects.toThrow(ConfigError);
  expect(() => restoreCheckpoint(steps, { model, optimizer, scheduler: other })).toThrow(CheckpointError);
});
