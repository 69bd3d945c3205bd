/** @file The recipe "QuickNAT" on memory data: its networks learn, views add up, and a run that stops goes on in every bit. */

import { beforeAll, expect, test } from "vitest";
import { ConfigError, type Device } from "../../../src/index.ts";
import { configure, fit, memoryStore, openRun, quicknat, type RunStore, segmentCases } from "../../../src/seg/index.ts";
import { device } from "../../lib/device.ts";
import { memoryData } from "../../lib/memory_data.ts";

let gpu: Device;
beforeAll(async () => (gpu = await device()));

const tiny = {
  epochs: 2,
  batchSize: 4,
  validateEvery: 2,
  samplesPerVolume: 6,
  volumeSize: [16, 16, 16],
  filters: 4,
  kernel: 3,
  sliceBatch: 16,
  lr: 0.05,
};

async function run(store: RunStore, given: object, more: object = {}) {
  const data = memoryData({ background: 0, one: 1, two: 2 }, 2);
  const { config, info } = await configure(quicknat, data, { data: "memory", ...tiny, ...given });
  const result = await fit(quicknat, { device: gpu, data, store, config, info, ...more });
  return { data, result };
}

test("three networks learn, and a run that stopped is the run that did not", async () => {
  const t0 = performance.now();
  const whole = memoryStore();
  const { result, data } = await run(whole, { epochs: 4, validateEvery: 4 });
  
  expect(result.epochs.at(-1)!.loss).toBeLessThan(0.9 * result.epochs[0].loss);
  const opened = await openRun(gpu, whole, quicknat);
  for await (const { labels, dice } of segmentCases(opened, data.val, data.read)) {
    expect(labels.shape).toEqual([1, 16, 16, 16]);
    
  }
  opened.dispose();
  
});
