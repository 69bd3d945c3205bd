/** @file Which patches nnU-Net's recipe draws, and what it masks when it augments them. */

import { beforeAll, expect, test } from "vitest";
import { augmentationMatrix, listDataCollate, RandomState } from "../../../src/data/index.ts";
import { type HostArray, sizeOf } from "../../../src/host/array.ts";
import type { Device } from "../../../src/index.ts";
import { augmentSamples, NnunetSamples } from "../../../src/seg/recipes/nnunet/samples.ts";
import type { BatchTensors } from "../../../src/seg/training/trainer.ts";
import { device } from "../../lib/device.ts";

let gpu: Device;
beforeAll(async () => (gpu = await device()));

const size = [10, 10, 10];
const offset = (...at: number[]): number => at.reduce((sum, v) => sum * 10 + v, 0);
/** Each voxel of the image is its own offset, so that a patch says where it lies. */
const image = { data: Float32Array.from({ length: 1000 }, (_, i) => i), shape: [1, ...size] };
const label = { data: new Uint8Array(1000), shape: [1, ...size] };

function samplesOf(found: object, config: object): NnunetSamples {
  const cases = { length: 1, get: async () => ({ image, label, classes: [], ...found }) };
  const trained = { patch_size: [4, 4, 4], use_mask_for_norm: [false] };
  const all = { batchSize: 2, stepsPerEpoch: 4, oversample: 0.5, augment: "none", trained, ...config };
  return new NnunetSamples(cases as never, { config: all, labels: [] } as never);
}

async function starts(samples: NnunetSamples, index: number): Promise<Set<number>> {
  const drawn = await Promise.all(Array.from({ length: 40 }, (_, seed) => samples.get(index, new RandomState(seed))));
  return new Set(drawn.map((item) => (item.image as HostArray).data[0]));
}

test("a patch that must show a class of a case that has none is about a labeled voxel, where not all are labeled", async () => {
  const labeled = Uint32Array.of(offset(5, 6, 7));
  const none = [new Uint32Array(), new Uint32Array()];
  expect([...(await starts(samplesOf({ classes: none, labeled }, {}), 1))]).toEqual([offset(3, 4, 5)]);
  expect([...(await starts(samplesOf({ classes: none, labeled }, {}), 0))]).toEqual([offset(3, 4, 5)]);
  const some = [new Uint32Array(), Uint32Array.of(offset(2, 2, 2))];
  expect([...(await starts(samplesOf({ classes: some, labeled }, {}), 1))]).toEqual([offset(0, 0, 0)]);
  expect((await starts(samplesOf({ classes: none }, {}), 1)).size).toBeGreaterThan(20);
});

test("how many of a batch must show a class is rounded as Python rounds, halves to even", async () => {
  const classes = [Uint32Array.of(offset(5, 5, 5))];
  const samples = samplesOf({ classes }, { batchSize: 5 });
  const fixed = await Promise.all([0, 1, 2, 3, 4].map(async (i) => (await starts(samples, i)).size === 1));
  expect(fixed).toEqual([false, false, true, true, true]);
});

test("beyond the borders of a case images that are normalized in a mask stay 0, whatever augmentation does", async () => {
  const small = { data: new Float32Array(2 * 64).fill(5), shape: [2, 4, 4, 4] };
  const trained = { patch_size: [8, 8, 8], use_mask_for_norm: [true, false] };
  const outside = { data: new Uint8Array(64), shape: [1, 4, 4, 4] };
  outside.data[0] = 1;
  const marks = { data: new Uint8Array(64), shape: [1, 4, 4, 4] };
  const samples = samplesOf({ image: small, label: marks, outside }, { trained, augment: "nnunet" });
  const item = await samples.get(0, new RandomState(1));
  const { inside } = item as Record<string, HostArray>;
  expect(Array.from(inside.data).filter((v) => v === 1).length).toBe(63);
  const from = inside.shape.slice(1);
  const placed = {
    ...item,
    augmentMatrix: augmentationMatrix({ from, size: [8, 8, 8], angles: [0, 0, 0], zoom: 1, mirrored: [] }),
  };
  // Noise on both channels, nothing else.
  const numbers = item.augmentNumbers as HostArray<Float32Array>;
  numbers.data.set([1, 0, 1, 1, 0, 3, 7, 1, 0, 1, 1, 0, 3, 7]);
  (item.augmentSigmas as HostArray).data.fill(0);
  (item.augmentZooms as HostArray).data.fill(1);
  const batch = listDataCollate([placed as never]) as Record<string, HostArray>;
  const tensors = Object.fromEntries(Object.entries(batch).map(([key, x]) => [key, gpu.tensor(x)])) as unknown as BatchTensors;
  const out = augmentSamples(tensors, { trained, augment: "nnunet", masks: 0 } as never);
  const data = await out.image.data();
  const plane = sizeOf([8, 8, 8]);
  const [masked, plain] = [data.slice(0, plane), data.slice(plane)].map((x) => x.filter((v) => v !== 0).length);
  expect(plain).toBe(plane);
  // The patch of the least possible overlap with the case still has part of it.
  expect(masked).toBeLessThanOrEqual(63);
  expect(masked).toBeGreaterThan(0);
});
