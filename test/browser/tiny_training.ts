/** @file A small training on made-up images, for any platform: Node and the browser must agree on its losses. */

import { type Device, openDevice } from "../../src/index.ts";
import { Adam, diceLoss, manualSeed } from "../../src/nn/index.ts";
import { Trainer, type TrainBatch, UNet } from "../../src/seg/index.ts";

const shape = [2, 1, 16, 16];

/** Two tilted discs and some texture per batch; the label marks the discs. */
function batch(k: number): TrainBatch {
  const inside = (i: number) => {
    const [n, y, x] = [i >> 8, (i >> 4) & 15, i & 15];
    return Math.hypot(y - 5 - ((3 * n + k) % 6), x - 4 - ((5 * k + n) % 8)) < 3.5;
  };
  const data = (value: (i: number) => number) => ({ data: Float32Array.from({ length: 512 }, (_, i) => value(i)), shape });
  return { image: data((i) => (inside(i) ? 0.8 : 0.2) + 0.1 * Math.sin(i * (k + 1))), label: data((i) => (inside(i) ? 1 : 0)) };
}

async function* batches(count: number): AsyncGenerator<TrainBatch> {
  for (let k = 0; k < count; k++) yield batch(k);
}

/** The losses of ten steps, on `device` or on one opened for this. */
export async function train(device?: Device): Promise<{ losses: number[]; adapter: string }> {
  const own = device ?? (await openDevice());
  manualSeed(0);
  const model = new UNet(own, { spatialDims: 2, inChannels: 1, outChannels: 1, channels: [8, 16], strides: [2], numResUnits: 1 });
  const optimizer = new Adam(model.parameters(), { lr: 0.01 });
  const trainer = new Trainer(own, { model, optimizer, loss: (output, label) => diceLoss(output, label, { sigmoid: true }) });
  const losses: number[] = [];
  await trainer.epoch(batches(10), { onStep: ({ loss }) => void losses.push(loss) });
  for (const part of [trainer, optimizer, model]) part.dispose();
  if (!device) own.close();
  return { losses, adapter: own.name };
}
