/** @file What augmentation on the device costs: the training step of a 3-D UNet with all of nnU-Net's kinds and without, interleaved in one run. */

import { openDevice } from "../src/index.ts";
import { Adam, diceCELoss, manualSeed } from "../src/nn/index.ts";
import { DrawAugmentation, listDataCollate } from "../src/data/index.ts";
import { median } from "../src/host/stats.ts";
import { augmentBatch, type BatchTensors, type TrainBatch, Trainer, UNet } from "../src/seg/index.ts";

const size = [48, 48, 48];
const from = [56, 56, 56];
const device = await openDevice();
const voxels = (n: readonly number[]) => n.reduce((a, b) => a * b, 1);

const draw = new DrawAugmentation({ size, elastic: { prob: 1, range: [2, 2], knots: 5 } }).setRandomState(1);
const item = (space: readonly number[]) => ({
  image: { data: Float32Array.from({ length: voxels(space) }, (_, i) => Math.sin(i)), shape: [1, ...space] },
  label: { data: Float32Array.from({ length: voxels(space) }, (_, i) => (i >> 4) % 3), shape: [1, ...space] },
});
const batches = {
  plain: listDataCollate([item(size), item(size)]),
  augmented: listDataCollate([draw.apply(item(from)), draw.apply(item(from))]),
} as unknown as Record<string, TrainBatch>;

const trainer = (augment?: (batch: BatchTensors) => BatchTensors) => {
  manualSeed(1);
  const model = new UNet(device, { spatialDims: 3, inChannels: 1, outChannels: 3, channels: [16, 32, 64], strides: [2, 2] });
  const optimizer = new Adam(model.parameters(), { lr: 1e-3 });
  const loss = (y: Parameters<typeof diceCELoss>[0], label: Parameters<typeof diceCELoss>[1]) =>
    diceCELoss(y, label, { softmax: true, toOnehotY: true });
  return new Trainer(device, { model, optimizer, loss, augment });
};
const trainers: Record<string, Trainer> = { plain: trainer(), augmented: trainer((batch) => augmentBatch(batch, { size })) };

async function* times(batch: TrainBatch, count: number): AsyncGenerator<TrainBatch> {
  for (let i = 0; i < count; i++) yield batch;
}

const seconds: Record<string, number[]> = { plain: [], augmented: [] };
const shares: number[] = [];
for (let round = 0; round < 20; round++) {
  for (const name of ["plain", "augmented"]) {
    const start = performance.now();
    await trainers[name].epoch(times(batches[name], 2));
    if (round > 1) seconds[name].push((performance.now() - start) / 2000);
  }
  // Of neighbors in time, so that what else the machine does meets both.
  if (round > 1) shares.push(seconds.augmented.at(-1)! / seconds.plain.at(-1)! - 1);
}
const best = (name: string) => Math.min(...seconds[name]);
const share = 100 * median(shares);
console.log(device.name);
console.log(
  `step of 2 × ${size.join("×")}: ${best("plain").toFixed(3)} s, with augmentation from ${from.join("×")} ${best("augmented").toFixed(3)} s, ` +
    `${(100 * (best("augmented") / best("plain") - 1)).toFixed(1)} % more by the best of ${shares.length}, ${share.toFixed(1)} % by the median of pairs`,
);
device.close();
