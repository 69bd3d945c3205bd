/** @file The recipe "QuickNAT" on memory data: its networks learn, views add up, and a run that stops goes on in every bit. */

import { beforeAll, expect, test } from "vitest";
import { ConfigError, DataError, type Device } from "../../../src/index.ts";
import { makeVolume, RandomState } from "../../../src/data/index.ts";
import { datasetOf } from "../../../src/data/datasets/dataset.ts";
import {
  configure,
  fit,
  memoryStore,
  openRun,
  quicknatRecipe,
  type RunStore,
  sampleCases,
  segmentCases,
} from "../../../src/seg/index.ts";
import { viewAxes } from "../../../src/seg/recipes/quicknat/views.ts";
import { ViewSlices } from "../../../src/seg/recipes/quicknat/view_slices.ts";
import { Conv, seedDropout } from "../../../src/nn/index.ts";
import { device } from "../../lib/device.ts";
import { memoryData } from "../../lib/memory_data.ts";

let gpu: Device;
beforeAll(async () => (gpu = await device()));

const tiny = {
  epochs: 2,
  batchSize: 4,
  validateEvery: 2,
  samplesPerVolume: 2,
  volumeSize: [16, 16, 16],
  filters: 4,
  kernel: 3,
  seBlock: "NONE",
  sliceBatch: 16,
  lr: 0.05,
};

const dataOf = () => memoryData({ background: 0, one: 1, two: 2 }, 2);

async function run(store: RunStore, given: object, more: object = {}) {
  const data = dataOf();
  const { config, info } = await configure(quicknatRecipe, data, { data: "memory", ...tiny, ...given });
  return { data, result: await fit(quicknatRecipe, { device: gpu, data, store, config, info, ...more }) };
}

test("a run of two networks that stopped is the run that did not", async () => {
  const two = { epochs: 1, views: ["AXI", "SAG"] };
  const whole = memoryStore();
  const { result } = await run(whole, two);
  const { samples } = result.epochs[0];
  expect(Object.keys(samples!)).toEqual(["AXI", "SAG"]);
  for (const { train, val } of Object.values(samples!)) {
    for (const { loss, dice } of [train, val]) {
      expect(loss).toBeGreaterThan(0);
      expect(dice).toHaveLength(2);
      expect(dice.every((d) => Number.isNaN(d) || (d >= 0 && d <= 1))).toBe(true);
    }
  }
  const stopped = memoryStore();
  const stop = new AbortController();
  let steps = 0;
  const onEvent = (event: { kind: string; state?: { label: string } }) => {
    if (event.kind === "progress" && event.state?.label.startsWith("epoch") && ++steps === 3) stop.abort();
  };
  const first = await run(stopped, two, { signal: stop.signal, onEvent });
  expect(first.result.finished).toBe(false);
  await run(stopped, two, { resume: true });
  expect(await stopped.read("weights.safetensors")).toEqual(await whole.read("weights.safetensors"));
});

test("one view, logits, Adam, the original's loss: a checkpoint opens too", async () => {
  const store = memoryStore();
  const given = {
    views: ["AXI"],
    combine: "logits",
    optimizer: "adam",
    lr: 1e-2,
    weights: "none",
    doubleSoftmax: true,
  };
  const stop = new AbortController();
  const onEvent = (event: { kind: string; state?: { label: string } }) => {
    if (event.kind === "progress" && event.state?.label.startsWith("epoch")) stop.abort();
  };
  const { data } = await run(store, { ...given, augment: "mild" }, { signal: stop.signal, onEvent });
  const opened = await openRun(gpu, store, quicknatRecipe);
  for await (const { labels } of segmentCases(opened, data.val.slice(0, 1), data.read))
    expect(labels.shape).toEqual([1, 16, 16, 16]);
  for await (const { variance } of sampleCases(gpu, opened, data.val.slice(0, 1), data.read, { samples: 2 })) {
    expect(Math.max(...variance.data)).toBe(0.5); // two draws that differ
  }
  const volumesIn = async (units: "mm" | "um") => {
    seedDropout(gpu, 3);
    const read = async (item: Parameters<typeof data.read>[0]) => {
      const { image, ...rest } = await data.read(item);
      return { ...rest, image: makeVolume(image, image.affine, { units }) };
    };
    const found: number[] = [];
    for await (const { structures } of sampleCases(gpu, opened, data.val.slice(0, 1), read, { samples: 2 }))
      found.push(...structures.map((s) => s.milliliters));
    return found;
  };
  const [mm, um] = [await volumesIn("mm"), await volumesIn("um")];
  expect(Math.max(...mm)).toBeGreaterThan(0);
  expect(um.map((ml) => ml * 1e9)).toEqual(mm.map((ml) => expect.closeTo(ml, 9)));
  opened.dispose();
});

test("structures by atlas numbers, and values that are not told apart", async () => {
  // The balls of these data have none of the values.
  const configured = (labels: Record<string, number | readonly number[]>, given: object) =>
    configure(quicknatRecipe, memoryData(labels, 2), { data: "memory", ...tiny, allowEmpty: true, ...given });
  const { info } = await configured({ background: 0, a: 2, b: 77 }, { structures: "FS" });
  expect(info.labels).toHaveLength(33);
  expect(info.labels[0]).toEqual({ name: "background", values: [0, 77] });
  expect(info.labels[1]).toEqual({ name: "left white matter", values: [2] });
  expect(info.labels.at(-1)).toEqual({ name: "right ventral DC", values: [60] });
  const neo = await configured({ background: 0, a: 101, b: 102, c: 45 }, { structures: "Neo" });
  expect(neo.info.labels[2]).toEqual({ name: "left cortex", values: [211, 101], writes: 211 });
  const gray = await configured({ background: [0, 30], csf: [90, 91, 92], white: [214, 215] }, {});
  expect(gray.info.outputs).toBe("softmax");
  await expect(configured({ background: 0, all: [1, 2], two: 2 }, {})).rejects.toThrow(/value 2 is in "all" and "two"/);
});

test("options that do not go together are refused", async () => {
  const check = (given: object) => configure(quicknatRecipe, dataOf(), { data: "memory", ...tiny, ...given });
  await expect(check({ volumeSize: [16, 8, 16] })).rejects.toThrow(/at least 16/);
  await expect(check({ kernel: 4 })).rejects.toThrow(/odd/);
  await expect(check({ viewWeights: [1, 2] })).rejects.toThrow(/one for each of the views/);
  await expect(check({ views: ["COR", "COR"] })).rejects.toThrow(ConfigError);
});

test("slices of a view: each shown one once before any comes again, weighted by class and border", async () => {
  expect(viewAxes("COR", "LIA")).toEqual([2, 0, 1]);
  expect(viewAxes("AXI")).toEqual([1, 2, 0]);
  expect(viewAxes("COR", "RAS")).toEqual([1, 0, 2]);
  const size = [20, 18, 6];
  const image = { data: Float32Array.from({ length: 2160 }, (_, i) => i % 6), shape: [1, ...size] };
  const label = { data: Float32Array.from({ length: 2160 }, (_, i) => (i % 6 > 1 && i % 36 < 12 ? 1 : 0)), shape: [1, ...size] };
  const options = {
    axes: [2, 0, 1] as const,
    samplesPerVolume: 6,
    volumeSize: [16, 24, 16],
    thin: false,
    skipSlices: 0,
    maxBackground: 0.99,
    weights: "medianFrequency" as const,
    edgeWeight: 3,
    classes: 2,
    allowEmpty: false,
  };
  const items = await new ViewSlices(datasetOf("test", [{ image, label }]) as never, options).get(0, new RandomState(1));
  const cuts = items as { image: typeof image; label: typeof image; weight: typeof image }[];
  expect(cuts.map((c) => c.image.shape)).toEqual(Array.from({ length: 6 }, () => [1, 16, 24]));
  const numbers = cuts.map((c) => Math.max(...c.image.data));
  expect(numbers.slice(0, 4).toSorted()).toEqual([2, 3, 4, 5]);
  // A third of the voxels that are shown is foreground, all of it at a border: medians over counts.
  expect([...new Set(cuts[0].weight.data)].toSorted()).toEqual([0.75, 0.75 + 3, 1.5 + 3]);
  const empty = { image, label: { ...label, data: new Float32Array(2160) } };
  const none = (allowEmpty: boolean) =>
    new ViewSlices(datasetOf("test", [empty]) as never, { ...options, allowEmpty }).get(0, new RandomState(1));
  await expect(none(false)).rejects.toThrow(DataError);
  await expect(none(true)).resolves.toHaveLength(6);
});

test("a rate of 0 is that of the optimizer, and another one is taken", async () => {
  const { config, info } = await configure(quicknatRecipe, dataOf(), { data: "memory", ...tiny });
  const rateOf = (given: object) => {
    const model = new Conv(gpu, { spatialDims: 2, inChannels: 1, outChannels: 1, kernelSize: 1 });
    const optimizer = quicknatRecipe.optimizer(model, { ...info, config: { ...config, ...given } } as never, "AXI");
    const { lr } = optimizer;
    optimizer.dispose();
    model.dispose();
    return lr;
  };
  expect(rateOf({ optimizer: "sgd", lr: 0 })).toBe(0.1);
  expect(rateOf({ optimizer: "adam", lr: 0 })).toBe(1e-4);
  expect(rateOf({ optimizer: "adam", lr: 0.02 })).toBe(0.02);
});
