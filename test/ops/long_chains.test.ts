/**
 * @file Sums of many terms are added in levels, forward and backward, whichever operation they are hidden in: tenths, whose rounding errors have one sign,
 * come out to a few bits. The largest medical sizes are in long_chains.long.test.ts.
 */

import { describe, expect, test } from "vitest";
import * as v from "../../src/index.ts";
import { crossEntropyLoss, focalLoss } from "../../src/nn/index.ts";
import { device } from "../lib/device.ts";
import { convolutions, near, pixels, tenth, tenths } from "../lib/long_chains.ts";

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
  // Variants for hardware take software tens of seconds: in long_chains.long.test.ts.
  convolutions(gpu, ["direct 8x16", "direct 4x4"], ["direct"], ["registers"]);
});

describe("long chains/gradients that meet in one element", () => {
  const count = 30_000;

  test("long chains/grid sampling at one place, and over many channels", async () => {
    const x = pixels(gpu, [1, 1, 1, 1]);
    const grid = v.full(gpu, [1, 1, count, 2], 0);
    const dy = tenths(gpu, [1, 1, 1, count]);
    const [dx] = v.grad(v.sum(v.mul(v.gridSample(x, grid), dy)), [x]);
    near(await list(dx), [count * dy.value]);
    // The picture is 0 and 1 from left to right, so the gradient along it is 0.1 per channel, times half the distance of the corners.
    const channels = 9000;
    const ramp = gpu.tensor({ data: Float32Array.from({ length: 2 * channels }, (_, i) => i % 2), shape: [1, channels, 1, 2] });
    const at = pixels(gpu, [1, 1, 1, 2]);
    const middle = v.mul(at, 0);
    const many = tenths(gpu, [1, channels, 1, 1]);
    const [dg] = v.grad(v.sum(v.mul(v.gridSample(ramp, middle, { alignCorners: true }), many)), [middle]);
    near((await list(dg)).slice(0, 1), [0.5 * channels * many.value]);
  });

  test("long chains/scatterAdd of equal indices, and gather's gradient", async () => {
    const index = v.full(gpu, [count], 1, "i32");
    const src = tenths(gpu, [count]);
    near((await list(v.scatterAdd(v.full(gpu, [3], 1), 0, index, src))).slice(1, 2), [1 + count * src.value]);
    const x = pixels(gpu, [2]);
    const [dx] = v.grad(v.sum(v.mul(v.gather(x, 0, index), src)), [x]);
    near((await list(dx)).slice(1), [count * src.value]);
  });

  test.each(["replicate", "circular"] as const)("long chains/the gradient of %s padding", async (mode) => {
    const x = pixels(gpu, [1, 1, 1]);
    let y: v.Tensor = x;
    // Circular padding is at most the size.
    if (mode === "replicate") y = v.pad(x, [0, count - 1], { mode });
    else for (let n = 1; n < 16_384; n *= 2) y = v.pad(y, [0, n], { mode });
    const dy = tenths(gpu, y.shape);
    near(await list(v.grad(v.sum(v.mul(y, dy)), [x])[0]), [y.size * dy.value]);
  });

  test("long chains/a maximum that lies in many windows", async () => {
    const size = 6000;
    const x = gpu.tensor({ data: Float32Array.from({ length: size }, (_, i) => Number(i === size / 2)), shape: [1, 1, size] });
    x.requiresGrad = true;
    const y = v.maxPool(x, { kernelSize: size / 2, stride: 1 });
    const dy = tenths(gpu, y.shape);
    near((await list(v.grad(v.sum(v.mul(y, dy)), [x])[0])).slice(size / 2, size / 2 + 1), [(size / 2) * dy.value]);
    const one = pixels(gpu, [1, 1, 1]);
    const z = v.adaptiveMaxPool(one, count);
    near(await list(v.grad(v.sum(v.mul(z, tenths(gpu, z.shape))), [one])[0]), [count * tenth]);
  });

  test("long chains/slopes of prelu, biases and running sums", async () => {
    const x = v.full(gpu, [2, 1, count], -1);
    const slope = pixels(gpu, [1]);
    const dy = tenths(gpu, x.shape);
    near(await list(v.grad(v.sum(v.mul(v.prelu(x, slope), dy)), [slope])[0]), [-2 * count * dy.value]);
    near((await list(v.cumsum(tenths(gpu, [count]), 0))).slice(-1), [count * tenth]);
    const theta = pixels(gpu, [1, 2, 3]);
    const grid = v.affineGrid(theta, [1, 1, 200, 200]);
    near((await list(v.grad(v.sum(v.mul(grid, tenths(gpu, grid.shape))), [theta])[0])).slice(2, 3), [40_000 * tenth]);
  });
});

describe("long chains/norms and losses", () => {
  test("long chains/gradients of scale and shift over many samples and over many elements", async () => {
    for (const shape of [
      [20_000, 2, 3],
      [2, 2, 50_001],
    ]) {
      const data = Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => Math.sin(i * 1.7));
      const x = gpu.tensor({ data, shape });
      const [weight, bias] = [pixels(gpu, [2]), pixels(gpu, [2])];
      const dy = tenths(gpu, shape);
      for (const f of [
        () => v.instanceNorm(x, weight, bias),
        () => v.groupNorm(x, 1, weight, bias),
        () => v.batchNorm(x, weight, bias),
      ]) {
        const [db] = v.grad(v.sum(v.mul(f(), dy)), [bias]);
        const each = shape[0] * shape[2] * dy.value;
        near(await list(db), [each, each]);
      }
      const layer = [shape[2]];
      const [w, b] = [pixels(gpu, layer), pixels(gpu, layer)];
      const [db] = v.grad(v.sum(v.mul(v.layerNorm(x, layer, w, b), dy)), [b]);
      near((await list(db)).slice(0, 2), [shape[0] * 2 * dy.value, shape[0] * 2 * dy.value]);
    }
  });

  test("long chains/losses over very many classes", async () => {
    const classes = 9001;
    const x = pixels(gpu, [1, classes, 1]);
    const target = v.full(gpu, [1, 1], 7, "i32");
    const loss = crossEntropyLoss(x, target, { labelSmoothing: 0.1 });
    near([await loss.item()], [Math.log(classes)]);
    const [dx] = v.grad(loss, [x]);
    const got = await list(dx);
    near([got[7], got[8]], [1 / classes - 0.9 - 0.1 / classes, 1 / classes - 0.1 / classes], 3e-6);
    const sums = v.regionSums(x, v.full(gpu, [1, 1, 1], 7, "i32"), { activation: "softmax", indexTarget: true });
    near((await list(sums)).slice(7, 8), [1 / classes]);
    const focal = focalLoss(v.full(gpu, [1, classes, 1], 0), v.full(gpu, [1, classes, 1], 1), { gamma: 0, reduction: "sum" });
    near([await focal.item()], [classes * Math.LN2]);
  });
});
