/** @file QuickNAT's views, test-time dropout and uncertainty against quickNAT_pytorch's evaluator. Fixture: make_quicknat_unet.py. */

import { expect, test } from "vitest";
import { ConfigError, DataError, type Device, OutOfMemoryError, relu, ShapeError, type Tensor } from "../../../src/index.ts";
import { rotateOrientation } from "../../../src/data/index.ts";
import { Conv, Dropout, Module, seedDropout } from "../../../src/nn/index.ts";
import { structureUncertainty, TestDropout } from "../../../src/seg/inference/monte_carlo.ts";
import { QuickNat } from "../../../src/seg/networks/quicknat.ts";
import { QuickNatViews } from "../../../src/seg/inference/quicknat_views.ts";
import { device } from "../../lib/device.ts";
import { readFixture } from "../../lib/fixture.ts";
import { difference, fill, wave } from "../networks/reference.ts";

const { views } = readFixture<any>("quicknat.json");
const { num_class: numClass, num_filters: numFilters, kernel_h: kernelH, kernel_w: kernelW } = views.params;

/** The fixture's network of a view: the classifier's bias tells them apart. */
async function network(dev: Device, view: number): Promise<QuickNat> {
  const net = new QuickNat(dev, { outChannels: numClass, numFilters, kernelH, kernelW, dropOut: 0 });
  fill(net);
  const bias = new Map(net.namedTensors()).get("classifier.conv.bias")!;
  const data = (await bias.data()).map((b: number, c: number) => b + [0.1, -0.05, 0.02][c] * view) as Float32Array;
  dev.write(bias, { data, shape: bias.shape });
  return net;
}

/** Two convolutions around a dropout. */
class Small extends Module {
  readonly first: Conv;
  readonly dropout: Dropout;
  readonly last: Conv;

  constructor(dev: Device) {
    super();
    this.first = new Conv(dev, { spatialDims: 2, inChannels: 1, outChannels: 8, kernelSize: 3, padding: 1 });
    this.dropout = new Dropout(dev, 0.3, { channels: true });
    this.last = new Conv(dev, { spatialDims: 2, inChannels: 8, outChannels: 3, kernelSize: 1 });
  }

  forward(x: Tensor): Tensor {
    return this.last.forward(this.dropout.forward(relu(this.first.forward(x))));
  }
}

const volume = wave([17, 18, 16], 0.5, 0.21, 0.3, 0.5);

test("logits of two views and probabilities of three add up as in the original", async () => {
  const dev = await device();
  const [COR, AXI, SAG] = await Promise.all([0, 1, 2].map((view) => network(dev, view)));
  COR.eval();
  const two = await new QuickNatViews(dev, { COR, AXI }, { combine: "logits" }).predict(volume, { scores: true });
  expect(await difference(two.scores!, views.logits)).toBeLessThan(1e-5);
  const progress: number[] = [];
  const onProgress = (done: number, total: number) => progress.push(done / total);
  const all = new QuickNatViews(dev, { COR, AXI, SAG }, { batchSize: 16 });
  const three = await all.predict(volume, { scores: true, onProgress });
  expect(await difference(three.scores!, views.probabilities)).toBeLessThan(1e-5);
  expect(progress.at(-1)).toBe(1);
  expect([COR.training, AXI.training]).toEqual([false, true]);
  const { data: scores } = three.scores!;
  const n = volume.data.length;
  for (const i of [0, 100, n - 1]) {
    const best = [0, 1, 2].map((c) => scores[c * n + i]);
    expect(best[0] + best[1] + best[2]).toBeCloseTo(1, 5);
    expect(three.labels.data[i]).toBe(best.indexOf(Math.max(...best)));
  }
  expect((await all.predict(volume)).scores).toBeUndefined();
  const done = new AbortController();
  done.abort(new Error("enough"));
  await expect(all.predict(volume, { signal: done.signal })).rejects.toThrow("enough");
  all.dispose();
  for (const net of [COR, AXI, SAG]) net.dispose();
});

test("a volume in row blocks is the volume at once, with little memory, padding, other axes and dropout too", async () => {
  const dev = await device();
  const networks = { COR: new Small(dev), AXI: new Small(dev), SAG: new Small(dev) };
  const small = wave([9, 13, 10], 0.5, 0.21, 0.3, 0.5);
  const shared = { batchSize: 1, minSize: [10, 14, 8], multiple: 4, axes: { COR: [0, 2, 1] } } as const;
  const whole = new QuickNatViews(dev, networks, shared);
  const kind = { samples: 2, variance: true };
  const { networkBytes, sumBytes, blocks, rows } = await whole.plan(small.shape, kind);
  expect([blocks, rows]).toEqual([1, 13]);
  const parts = new QuickNatViews(dev, networks, { ...shared, maxBytes: networkBytes + Math.ceil(sumBytes / 3) });
  const plan = await parts.plan(small.shape, kind);
  expect(plan.blocks).toBeGreaterThan(2);
  expect(plan.peakBytes).toBeLessThanOrEqual(networkBytes + Math.ceil(sumBytes / 3));
  const results = [];
  for (const v of [whole, parts]) {
    seedDropout(dev, 5);
    const options = { ...kind, scores: true, keepSamples: true };
    results.push(await v.predictWithUncertainty(small, options));
  }
  expect(results[1]).toEqual(results[0]);
  const { samples, uncertainty, variance, labels } = results[0];
  expect(labels.shape).toEqual([9, 13, 10]);
  expect(samples).toHaveLength(6);
  expect(uncertainty).toEqual(structureUncertainty(samples!, 3));
  expect(variance!.data.every((v) => v >= 0 && v < 1)).toBe(true);
  expect(variance!.data.some((v) => v > 1e-6)).toBe(true);
  const none = new QuickNatViews(dev, networks, { ...shared, maxBytes: networkBytes });
  await expect(none.predict(small)).resolves.toBeDefined(); // without variances the networks take less
  const least = new QuickNatViews(dev, networks, { ...shared, maxBytes: 1000 });
  await expect(least.predict(small)).rejects.toThrow(OutOfMemoryError);
  for (const v of [whole, parts, none, least]) v.dispose();
  for (const n of Object.values(networks)) n.dispose();
});

test("a network that is trained meanwhile draws what it would have drawn", async () => {
  const dev = await device();
  const net = new Small(dev);
  const views = new QuickNatViews(dev, { COR: net }, { batchSize: 1 });
  const trained = new Dropout(dev, 0.5);
  using ones = dev.tensor({ data: new Float32Array(64).fill(1), shape: [64] });
  const masksOf = async (during: (draw: () => void) => Promise<unknown> | void) => {
    const masks: Tensor[] = [];
    seedDropout(dev, 5);
    await during(() => void masks.push(trained.forward(ones)));
    return Promise.all(masks.map(async (m) => [...(await m.data())].join()));
  };
  const small = wave([4, 5, 4], 0.5, 0.21, 0.3, 0.5);
  const found: unknown[] = [];
  const alone = await masksOf((draw) => Array.from({ length: 12 }, draw) as never);
  const beside = await masksOf(async (draw) => {
    const { samples } = await views.predictWithUncertainty(small, { samples: 2, keepSamples: true, onProgress: draw });
    found.push(samples);
  });
  expect(beside).toHaveLength(8);
  expect(new Set(alone).size).toBe(12);
  expect(beside).toEqual(alone.slice(1, 9)); // the first one is that of the samples
  await masksOf(
    async () => void found.push((await views.predictWithUncertainty(small, { samples: 2, keepSamples: true })).samples),
  );
  expect(found[1]).toEqual(found[0]);
  views.dispose();
  net.dispose();
});

test("test-time dropout: samples differ, batch norm evaluates, the mean and the uncertainty are over all samples", async () => {
  const dev = await device();
  const net = new QuickNat(dev, { outChannels: numClass, numFilters: 6, kernelH: 3, kernelW: 3, dropOut: 0.5 });
  fill(net);
  seedDropout(dev, 1);
  const small = wave([16, 16, 4], 0.5, 0.21, 0.3, 0.5);
  const found = await new QuickNatViews(dev, { COR: net }).predictWithUncertainty(small, {
    samples: 4,
    scores: true,
    keepSamples: true,
  });
  const { uncertainty, scores, labels } = found;
  const samples = found.samples!;
  expect(samples.length).toBe(4);
  expect(new Set(samples.map((s) => s.data.join())).size).toBeGreaterThan(1);
  expect(uncertainty).toEqual(structureUncertainty(samples, 3));
  expect(Math.min(...uncertainty.iou)).toBeLessThan(1);
  expect(scores!.shape).toEqual([3, 16, 16, 4]);
  expect(labels.data.length).toBe(1024);
  const noisy = new TestDropout(net).eval();
  const x = dev.tensor({ data: small.data.slice(0, 256), shape: [1, 1, 16, 16] });
  const draws = [await noisy.forward(x).data(), await noisy.forward(x).data()];
  expect(draws[0]).not.toEqual(draws[1]);
  const mean = new Map(net.namedTensors()).get("encode1.batchnorm2.running_mean")!;
  const before = await mean.data();
  noisy.forward(x);
  expect(await mean.data()).toEqual(before);
  expect(await net.forward(x).data()).toEqual(await net.forward(x).data());
  net.dispose();
});

test("IoU and coefficient of variation equal the evaluator's", () => {
  const maps = (views.maps as number[][]).map((data) => ({ data: Uint8Array.from(data), shape: [2, 3, 4] }));
  const { iou, coefficientOfVariation: cv } = structureUncertainty(maps, 4);
  for (const c of [0, 1, 2]) {
    expect(iou[c]).toBeCloseTo(views.iou[c], 7);
    expect(cv[c]).toBeCloseTo(views.cv[c], 7);
  }
  // Class 3 is in none of them.
  expect([iou[3], cv[3], views.iou[3], views.cv[3]]).toEqual([1, NaN, 1, null]);
  expect(() => structureUncertainty([], 4)).toThrow(ConfigError);
  expect(() => structureUncertainty(maps, 2)).toThrow(DataError);
  expect(() => structureUncertainty([maps[0], { ...maps[0], shape: [24] }], 4)).toThrow(ShapeError);
});

test("arguments that do not fit are named", async () => {
  const dev = await device();
  const net = await network(dev, 0);
  expect(() => new QuickNatViews(dev, {})).toThrow(/at least one/);
  expect(() => new QuickNatViews(dev, { COR: net }, { weights: { COR: 0 } })).toThrow(ConfigError);
  expect(() => new QuickNatViews(dev, { COR: net }, { combine: "votes" as never })).toThrow(ConfigError);
  await expect(new QuickNatViews(dev, { COR: net }).predict(wave([16, 16], 1, 1, 0))).rejects.toThrow(ShapeError);
  await expect(new QuickNatViews(dev, { COR: net }).predictWithUncertainty(volume, { samples: 0 })).rejects.toThrow(ConfigError);
  expect(() => rotateOrientation(volume, "LAT" as never)).toThrow(ConfigError);
  net.dispose();
});
