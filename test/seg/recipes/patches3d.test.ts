/** @file The recipe "3-D patches" on memory data: its networks train and segment, and a run that stops goes on in every bit. */

import { beforeAll, expect, test } from "vitest";
import { ConfigError, type Device } from "../../../src/index.ts";
import type { HostArray } from "../../../src/host/array.ts";
import {
  configure,
  fit,
  memoryStore,
  openRun,
  type RunStore,
  segmentCases,
  type SegmentOptions,
} from "../../../src/seg/index.ts";
import patches3d from "../../../src/seg/recipes/patches3d/recipe.ts";
import { expectClose } from "../../lib/compare.ts";
import { device } from "../../lib/device.ts";
import { memoryData } from "../../lib/memory_data.ts";

let gpu: Device;
beforeAll(async () => (gpu = await device()));

const tiny = {
  epochs: 2,
  batchSize: 2,
  validateEvery: 2,
  samplesPerVolume: 2,
  patchSize: [16, 16, 16],
  channels: [4, 8, 8],
  numResUnits: 1,
  windowBatch: 1,
  lr: 1e-2,
};

async function run(store: RunStore, given: object, more: object = {}) {
  const data = memoryData();
  const { config, info } = await configure(patches3d, data, { data: "memory", ...tiny, ...given });
  const result = await fit(patches3d, { device: gpu, data, store, config, info, ...more });
  return { data, result };
}

test.each([
  ["unet, all augmentation", {}],
  ["dynunet, deep supervision", { network: "dynunet", deepSupervision: true, augment: "mirror", centers: "classes" }],
  ["segresnet", { network: "segresnet", channels: [8, 16], augment: "none", centers: "uniform", loss: "diceFocal" }],
])("%s", async (_name, given) => {
  const store = memoryStore();
  const { data, result } = await run(store, given);
  expect(result.finished).toBe(true);
  const opened = await openRun(gpu, store, patches3d);
  for await (const { labels, dice } of segmentCases(opened, data.val, data.read)) {
    expect(labels.shape).toEqual([1, 16, 16, 16]);
    expect(dice).toHaveLength(1);
  }
  opened.dispose();
});

test("learns, and a run that stopped is the run that did not", async () => {
  const whole = memoryStore();
  const { result } = await run(whole, { epochs: 6, validateEvery: 6 });
  expect(result.epochs.at(-1)!.loss).toBeLessThan(0.8 * result.epochs[0].loss);

  const stopped = memoryStore();
  const stop = new AbortController();
  let steps = 0;
  const onEvent = (event: { kind: string; state?: { label: string } }) => {
    if (event.kind === "progress" && event.state?.label.startsWith("epoch") && ++steps === 7) stop.abort();
  };
  const first = await run(stopped, { epochs: 6, validateEvery: 6 }, { signal: stop.signal, onEvent });
  expect(first.result.finished).toBe(false);
  await run(stopped, { epochs: 6, validateEvery: 6 }, { resume: true });
  expect(await stopped.read("weights.safetensors")).toEqual(await whole.read("weights.safetensors"));
});

test("mirror images are no help to a network that has seen none", async () => {
  const store = memoryStore();
  await run(store, { epochs: 1, augment: "unmirrored" });
  await expect(openRun(gpu, store, patches3d, undefined, { mirror: true })).rejects.toThrow(/trained without mirror images/);
  (await openRun(gpu, store, patches3d, undefined, { mirror: false })).dispose();
});

test("options that do not go together are refused", async () => {
  const check = (given: object) => configure(patches3d, memoryData(), { data: "memory", ...tiny, ...given });
  await expect(check({ patchSize: [16, 16, 18] })).rejects.toThrow(ConfigError);
  await expect(check({ deepSupervision: true })).rejects.toThrow(/deepSupervision is for the network dynunet/);
  await expect(check({ network: "dynunet", channels: [4, 8] })).rejects.toThrow(ConfigError);
  await expect(check({ network: "vnet", patchSize: [8, 16, 16] })).rejects.toThrow(/multiples of 16/);
  await expect(check({ tta: true, augment: "unmirrored" })).rejects.toThrow(/tta predicts mirror images/);
});

test.each([
  ["mirror images where each volume is seen often", { epochs: 60 }, { augment: "strong", tta: false, lr: 2e-3 }],
  ["none in short runs", { epochs: 20 }, { augment: "unmirrored", tta: false, schedule: "cosine" }],
  ["mirror images in short runs that predict them", { epochs: 20, tta: true }, { augment: "strong", tta: true }],
])("suggests %s", async (_name, given, expected) => {
  const { lr: _, samplesPerVolume: __, ...rest } = tiny;
  const { config } = await configure(patches3d, memoryData(), { data: "memory", ...rest, ...given });
  expect(config).toMatchObject(expected);
});

test("several runs are an ensemble, options of inference are followed, scores go to the source's grid", async () => {
  const stores = [memoryStore(), memoryStore()];
  const { data } = await run(stores[0], { augment: "mirror" });
  await run(stores[1], { seed: 7, augment: "mirror" });
  const plans: number[] = [];
  const opened = await Promise.all(
    stores.map((store) => openRun(gpu, store, patches3d, undefined, { mirror: true, overlap: 0 })),
  );
  const found = async (runs: typeof opened, more: SegmentOptions) =>
    (await segmentCases(runs, data.val.slice(0, 1), data.read, { ...more, onPlan: (_, plan) => plans.push(plan.passes!) }).next())
      .value!;
  const each = await Promise.all(opened.map((one) => found([one], { probabilities: true })));
  expect(plans).toEqual([8, 8]);
  const joined = await found(opened, { ensemble: "probabilities", probabilities: true });
  expect(joined.probabilities!.shape).toEqual([1, 16, 16, 16]);
  const mean = each[0].probabilities!.data.map((p, i) => (p + each[1].probabilities!.data[i]) / 2);
  expectClose("mean", joined.probabilities!.data, mean, 1e-6);
  expect(Array.from(joined.labels.data)).toEqual(Array.from(mean, (p) => Number(p > 0.5)));
  const voted = (await found(opened, { ensemble: "vote" })).labels.data;
  expect(Array.from(voted)).toEqual(Array.from(each[0].labels.data, (l, i) => Math.min(l, each[1].labels.data[i])));
  await expect(found(opened, { ensemble: "vote", probabilities: true })).rejects.toThrow(ConfigError);

  // A recipe on another grid, of which it has seen a part: half of it is background.
  const restore = ({ data: values, shape }: HostArray<Float32Array>) => ({
    data: values.map((v, i) => (i < 2048 ? v : -Infinity)),
    shape,
  });
  const half = { ...opened[0], recipe: { ...opened[0].recipe, restore } };
  const { labels, probabilities } = await found([half], { probabilities: true });
  expect(labels.data.subarray(0, 2048)).toEqual(each[0].labels.data.subarray(0, 2048));
  expect(probabilities!.data.subarray(2048).every((p) => p === 0)).toBe(true);
  expect((await found([half], {})).labels).toEqual(labels);
  for (const one of opened) one.dispose();
});
