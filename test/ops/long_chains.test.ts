/**
 * @file Sums of many terms are added in levels, forward and backward, whichever operation they are hidden in: tenths, whose rounding errors have one sign,
 * come out to a few bits. The largest medical sizes are in long_chains.full.test.ts.
 */

import { afterEach, describe, expect, test } from "vitest";
import * as v from "../../src/index.ts";
import { device } from "../lib/device.ts";
import { near, pixels, tenth, tenths } from "../lib/long_chains.ts";

const gpu = await device();
const list = async (t: v.Tensor) => Array.from((await t.data()) as Float32Array);

describe("long chains/pools and interpolation", () => {
  test("long chains/an average of ones is 1, whatever the window", async () => {
    for (const size of [[224, 224], [41, 43], [100_000], [20, 30, 50]]) {
      const ones = v.full(gpu, [1, 1, ...size], 1);
      expect(await list(v.adaptiveAvgPool(ones, 1))).toEqual([1]);
      expect(new Set(await list(v.adaptiveAvgPool(ones, 2)))).toEqual(new Set([1]));
      expect(new Set(await list(v.avgPool(ones, { kernelSize: 19 })))).toEqual(new Set([1]));
    }
  });

  test("long chains/windows of an average pool, and of its gradient", async () => {
    const x = tenths(gpu, [1, 1, 224, 224]);
    near(await list(v.adaptiveAvgPool(x, [1, 2])), [x.value, x.value]);
    near(await list(v.avgPool(x, { kernelSize: [200, 3], stride: [1, 200] })).then((l) => l.slice(0, 1)), [x.value]);
    // Each element lies in 100 · 100 windows.
    const wide = pixels(gpu, [1, 1, 100, 100]);
    const [dx] = v.grad(v.sum(v.avgPool(wide, { kernelSize: 100, padding: 50, stride: 1, divisorOverride: 1 })), [wide]);
    near(await list(dx).then((l) => [l[5050]]), [101 * 101 - 201]);
  });

  test.each(["nearest", "linear"] as const)("long chains/the gradient of one element at 130,000 places, %s", async (mode) => {
    const x = pixels(gpu, [1, 1, 1]);
    const y = v.interpolate(x, { size: 130_000, mode });
    const dy = tenths(gpu, [1, 1, 130_000]);
    const [dx] = v.grad(v.sum(v.mul(y, dy)), [x]);
    near(await list(dx), [13_000 * (dy.value / 0.1)]);
  });

  test("long chains/windows of adaptive pools whose products have more than 32 bits", async () => {
    const ramp = gpu.tensor({ data: Float32Array.from({ length: 100_000 }, (_, i) => i), shape: [1, 1, 100_000] });
    ramp.requiresGrad = true;
    const y = v.adaptiveMaxPool(ramp, 50_000);
    expect(await list(y)).toEqual(Array.from({ length: 50_000 }, (_, o) => 2 * o + 1));
    expect(await list(v.grad(v.sum(y), [ramp])[0])).toEqual(Array.from({ length: 100_000 }, (_, i) => i % 2));
    const odd = [99_991, 70_001];
    const [from, to] = odd;
    const part = v.slice(ramp, [undefined, undefined, [0, from]]);
    const wanted = Array.from({ length: to }, (_, o) => Math.ceil(((o + 1) * from) / to) - 1);
    expect(await list(v.adaptiveMaxPool(part, to))).toEqual(wanted);
    // More outputs than inputs.
    const few = v.slice(ramp, [undefined, undefined, [0, to]]);
    const grown = Array.from({ length: from }, (_, o) => Math.ceil(((o + 1) * to) / from) - 1);
    expect(await list(v.adaptiveMaxPool(few, from))).toEqual(grown);
    const [d] = v.grad(v.sum(v.adaptiveMaxPool(few, from)), [ramp]);
    const count = new Array<number>(100_000).fill(0);
    for (const k of grown) count[k]++;
    expect(await list(d)).toEqual(count);
    expect(await list(v.adaptiveAvgPool(part, to))).toHaveLength(to);
  });
});

describe("long chains/softmax", () => {
  const sines = (count: number) => Float32Array.from({ length: count }, (_, i) => Math.sin(i));

  // Rows of a thread each, and rows that are reductions.
  test.each([
    [4096, [1, 4096], 1],
    [50_000, [50_000], 0],
    [5000, [2, 5000, 3], 1],
  ])("long chains/softmax over %i elements", async (count, shape, axis) => {
    const data = sines(shape.reduce((a, b) => a * b, 1));
    const inner = shape.slice(axis + 1).reduce((a, b) => a * b, 1);
    const x = gpu.tensor({ data, shape });
    x.requiresGrad = true;
    const y = v.softmax(x, axis);
    const dy = gpu.tensor({ data: data.map((s) => 0.1 + Math.abs(s)), shape });
    const [dx] = v.grad(v.sum(v.mul(y, dy)), [x]);
    const z = v.logSoftmax(x, axis);
    const [dz] = v.grad(v.sum(v.mul(z, dy)), [x]);
    const got = await Promise.all([y, dx, z, dz, dy].map(list));
    for (let row = 0; row < data.length / count; row++) {
      const places = Array.from({ length: count }, (_, k) => Math.floor(row / inner) * count * inner + k * inner + (row % inner));
      const total = places.reduce((sum, i) => sum + Math.exp(data[i]), 0);
      const p = places.map((i) => Math.exp(data[i]) / total);
      const given = places.map((i) => got[4][i]);
      const dot = p.reduce((sum, q, k) => sum + q * given[k], 0);
      const all = given.reduce((a, b) => a + b, 0);
      const [softmax, gradient, logarithm, slope] = got.map((values) => places.map((i) => values[i]));
      expect(Math.abs(softmax.reduce((a, b) => a + b, 0) - 1)).toBeLessThan(1e-6);
      near(softmax, p, 1e-6);
      const worst = (values: number[], wanted: (k: number) => number, scale: number) =>
        values.reduce((most, value, k) => Math.max(most, Math.abs(value - wanted(k)) / scale), 0);
      expect(worst(gradient, (k) => p[k] * (given[k] - dot), 1 / count)).toBeLessThan(2e-6);
      expect(worst(logarithm, (k) => Math.log(p[k]), Math.log(count))).toBeLessThan(1e-6);
      expect(worst(slope, (k) => given[k] - p[k] * all, 1)).toBeLessThan(3e-6);
    }
  });
});

describe("long chains/convolution and matrix products", () => {
  const kernels = ["direct 12x16", "direct 4x4", "shared 64x64", "shared 128x128"];
  afterEach(() => gpu.choices.clear());

  test.each(kernels)("long chains/conv of many channels or many taps, %s", async (variant) => {
    gpu.choices.set("conv", variant);
    // [input, weight]: channels, taps of a volume, of a line and of an image.
    for (const [from, taps] of [
      [[1, 8192, 3], [3]],
      [
        [1, 700, 2, 3, 3],
        [2, 3, 3],
      ],
      [[1, 1, 9001], [9001]],
      [
        [1, 3, 80, 70],
        [80, 70],
      ],
    ]) {
      const x = v.full(gpu, from, 1);
      const weight = tenths(gpu, [2, from[1], ...taps]);
      const terms = from.reduce((a, b) => a * b, 1);
      near(await list(v.conv(x, weight)), [terms * weight.value, terms * weight.value]);
      // The reverse is the same sum, as are gradients of the inputs of both.
      const many = v.full(gpu, [1, 5000, ...taps.map(() => 1)], 1);
      const back = tenths(gpu, [5000, 1, ...taps.map(() => 1)]);
      near(await list(v.convTranspose(many, back)), [5000 * back.value]);
    }
  });

  test.each(["direct", "shared 32x32"])("long chains/the weight gradient of conv, %s", async (variant) => {
    gpu.choices.set("conv", variant);
    for (const size of [[1_000_003], [300, 301], [30, 50, 41], [3, 2, 20_011]]) {
      const x = v.full(gpu, [1, 1, ...size], 1);
      const weight = pixels(gpu, [1, 1, ...size.map(() => 1)]);
      const bias = pixels(gpu, [1]);
      const dy = tenths(gpu, [1, 1, ...size]);
      const [dw, db] = v.grad(v.sum(v.mul(v.conv(x, weight, bias), dy)), [weight, bias]);
      const sum = size.reduce((a, b) => a * b, 1) * dy.value;
      near(await list(dw), [sum]);
      near(await list(db), [sum]);
    }
  });

  test("long chains/slabs of weight gradients that memory limits", async () => {
    // 128 to 128 channels of 3³ taps have partial sums of 1.8 MB: a few slabs of all positions.
    const x = v.full(gpu, [1, 128, 1, 180, 180], 1);
    const weight = pixels(gpu, [128, 128, 3, 3, 3]);
    const y = v.conv(x, weight, undefined, { padding: 1 });
    const [dw] = v.grad(v.sum(v.mul(y, tenths(gpu, y.shape))), [weight]);
    near(await list(dw).then((l) => [l[13]]), [180 * 180 * tenth]);
  });

  test.each(["registers", "shared"])("long chains/matmul of a million terms, %s", async (variant) => {
    gpu.choices.set("matmul", variant);
    const [a, b] = [tenths(gpu, [1, 2 ** 20]), pixels(gpu, [2 ** 20, 1])];
    near(await list(v.matmul(a, b)), [2 ** 20 * a.value]);
    // Enough results that each has its terms in one slab.
    const [c, d] = [tenths(gpu, [200, 4000]), pixels(gpu, [4000, 200])];
    near(await list(v.matmul(c, d)), new Array<number>(40_000).fill(4000 * c.value));
  });
});
