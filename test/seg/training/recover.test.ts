/** @file A device lost in mid-run: a typed error, and the same process goes on from the last checkpoint on a new device, bit for bit. */

import { expect, test } from "vitest";
import { type Device, DeviceLostError, openDevice, OutOfMemoryError } from "../../../src/index.ts";
import { Adam, diceLoss, manualSeed, seedDropout } from "../../../src/nn/index.ts";
import { restoreCheckpoint, saveCheckpoint } from "../../../src/seg/training/checkpoint.ts";
import { Trainer, type TrainBatch } from "../../../src/seg/training/trainer.ts";
import { UNet } from "../../../src/seg/networks/unet.ts";

const size = 16;

async function* batches(from: number, to: number): AsyncGenerator<TrainBatch> {
  for (let k = from; k < to; k++) {
    const image = Float32Array.from({ length: size * size }, (_, i) => Math.sin(0.3 * i + k));
    yield {
      image: { data: image, shape: [1, 1, size, size] },
      label: { data: image.map((v) => (v > 0 ? 1 : 0)), shape: [1, 1, size, size] },
    };
  }
}

function build(device: Device) {
  manualSeed(1);
  seedDropout(device, 1);
  const model = new UNet(device, {
    spatialDims: 2,
    inChannels: 1,
    outChannels: 1,
    channels: [4, 8],
    strides: [2],
    numResUnits: 1,
    dropout: 0.1,
  });
  const optimizer = new Adam(model.parameters(), { lr: 1e-2 });
  const trainer = new Trainer(device, { model, optimizer, loss: (output, label) => diceLoss(output, label, { sigmoid: true }) });
  return { model, optimizer, trainer };
}

const weights = async (model: UNet) => [...(await model.stateDict()).values()].map((v) => Array.from(v.data));

test("a lost device surfaces as DeviceLostError and the run goes on bit for bit on a new one", async () => {
  const straight = await openDevice();
  const whole = build(straight);
  await whole.trainer.epoch(batches(0, 8));
  const expected = await weights(whole.model);
  straight.close();

  const first = await openDevice();
  const before = build(first);
  await before.trainer.epoch(batches(0, 4));
  const { model, optimizer } = before;
  const checkpoint = await saveCheckpoint({ model, optimizer, extra: { step: 4 } });
  const onStep = ({ step }: { step: number }) => {
    if (step === 6) first.gpu.destroy();
  };
  await expect(before.trainer.epoch(batches(4, 100), { onStep })).rejects.toThrow(DeviceLostError);

  const second = await openDevice();
  const after = build(second);
  const at = restoreCheckpoint(checkpoint, { model: after.model, optimizer: after.optimizer }) as { step: number };
  await after.trainer.epoch(batches(at.step, 8));
  expect(await weights(after.model)).toEqual(expected);
  second.close();
});

test("memory that the device refuses in mid-run is an OutOfMemoryError", async () => {
  const device = await openDevice();
  const { trainer } = build(device);
  // A software adapter never refuses, so the refusal is made up where Dawn reports it.
  const { gpu } = device;
  gpu.popErrorScope = () => Promise.resolve(Object.assign(Object.create(null), { message: "injected" }) as GPUError);
  await expect(trainer.epoch(batches(0, 50))).rejects.toThrow(OutOfMemoryError);
  device.close();
});
