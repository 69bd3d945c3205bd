/** @file The sums of long_chains.test.ts at the largest medical sizes, and in the kernels for hardware: errors are within 2e-6 of the sum. */

import { describe, expect, test } from "vitest";
import * as v from "../../src/index.ts";
import { crossEntropyLoss, focalLoss } from "../../src/nn/index.ts";
import { device } from "../lib/device.ts";
import { convolutions, near, pixels, tenth, tenths } from "../lib/long_chains.ts";

const gpu = await device();
const list = async (t: v.Tensor) => Array.from((await t.data()) as Float32Array);
const first = async (t: v.Tensor) => [((await t.data()) as Float32Array)[0]];

const volume = [1, 1, 240, 240, 155];
const voxels = 240 * 240 * 155;

describe("long chains/convolution and matrix products", () => {
  convolutions(gpu, ["tile 64x64", "tile 128x128"], ["weights 32x32", "weights 64x64"], ["tile 64x64", "tile 128x128"]);

  test("long chains/slabs of weight gradients that memory limits", async () => {
    // 128 to 128 channels of 3³ taps have partial sums of 1.8 MB: a few slabs of all positions.
    const x = v.full(gpu, [1, 128, 1, 180, 180], 1);
    const weight = pixels(gpu, [128, 128, 3, 3, 3]);
    const y = v.conv(x, weight, undefined, { padding: 1 });
    const [dw] = v.grad(v.sum(v.mul(y, tenths(gpu, y.shape))), [weight]);
    near(await list(dw).then((l) => [l[13]]), [180 * 180 * tenth]);
  });

  test("long chains/the weight and bias gradients of a convolution over a volume", async () => {
    const x = v.full(gpu, volume, 1);
    const [weight, bias] = [pixels(gpu, [1, 1, 1, 1, 1]), pixels(gpu, [1])];
    const gradients = v.grad(v.sum(v.mul(v.conv(x, weight, bias), tenths(gpu, volume))), [weight, bias]);
    for (const g of gradients) near(await list(g), [voxels * tenth]);
  });
});

describe("long chains/a volume", () => {
  test("long chains/averages", async () => {
    const ones = v.full(gpu, volume, 1);
    expect(await list(v.adaptiveAvgPool(ones, 1))).toEqual([1]);
    expect(await list(v.globalAvgPool(ones))).toEqual([1]);
    expect(await list(v.mean(ones))).toEqual([1]);
    expect(await list(v.adaptiveAvgPool(ones, [1, 1, 2]))).toEqual([1, 1]);
    expect(await list(v.avgPool(ones, { kernelSize: [240, 240, 100] }))).toEqual([1]);
    const x = tenths(gpu, volume);
    for (const y of [v.adaptiveAvgPool(x, 1), v.adaptiveAvgPool(x, [1, 2, 1]), v.avgPool(x, { kernelSize: [240, 240, 150] })])
      near(await first(y), [tenth]);
  });

  test.each(["nearest", "trilinear"] as const)("long chains/the gradient of one voxel that fills it, %s", async (mode) => {
    const x = pixels(gpu, [1, 1, 1, 1, 1]);
    const y = v.interpolate(x, { size: [240, 240, 155], mode });
    near(await list(v.grad(v.sum(v.mul(y, tenths(gpu, volume))), [x])[0]), [voxels * tenth]);
  });

  test("long chains/norms and their gradients, one and four elements a thread", async () => {
    for (const shape of [volume, [1, 1, 241, 241, 155], [2, 1, 120, 240, 155]]) {
      const count = shape.reduce((a, b) => a * b, 1);
      const data = new Float32Array(count).map((_, i) => 0.1 + (i % 2));
      const x = gpu.tensor({ data, shape });
      const [weight, bias] = [pixels(gpu, [1]), pixels(gpu, [1])];
      const y = shape[0] === 1 ? v.instanceNorm(x, weight, bias) : v.batchNorm(x, weight, bias);
      // Half of the elements are half above the mean.
      const size = 0.5 / Math.sqrt(0.25 + 1e-5);
      const values = await list(v.slice(v.reshape(y, [count]), [[0, 2]]));
      values.forEach((value, i) => expect(Math.abs(value - (1 + (2 * i - 1) * size))).toBeLessThan(2e-6));
      const dy = gpu.tensor({ data: data.map((_, i) => tenth * (i % 2)), shape });
      const [dw, db] = v.grad(v.sum(v.mul(y, dy)), [weight, bias]);
      const half = Math.floor(count / 2) * tenth;
      near(await list(db), [half]);
      near(await list(dw), [half * size]);
      for (const t of [x, dy]) t.dispose();
    }
  });

  test("long chains/running sums, slopes and norms", async () => {
    const x = tenths(gpu, [voxels]);
    near(await list(v.slice(v.cumsum(x, 0), [[voxels - 1]])), [voxels * tenth]);
    near(await list(v.vectorNorm(x)), [Math.sqrt(voxels) * tenth]);
    const slope = pixels(gpu, [1]);
    const minus = v.full(gpu, volume, -1);
    near(await list(v.grad(v.sum(v.mul(v.prelu(minus, slope), tenths(gpu, volume))), [slope])[0]), [-voxels * tenth]);
    const theta = pixels(gpu, [1, 3, 4]);
    const grid = v.affineGrid(theta, [1, 1, 240, 240, 100]);
    const [d] = v.grad(v.sum(v.mul(grid, tenths(gpu, grid.shape))), [theta]);
    near((await list(d)).slice(3, 4), [240 * 240 * 100 * tenth]);
  });

  test("long chains/losses", async () => {
    const x = v.full(gpu, [1, 2, 240, 240, 155], 0);
    const target = v.full(gpu, volume, 1, "i32");
    near(await list(crossEntropyLoss(x, v.reshape(target, [1, 240, 240, 155]))), [Math.LN2]);
    near(await list(focalLoss(x, v.full(gpu, x.shape, 1), { gamma: 2 })), [Math.LN2 / 4]);
    const sums = await list(v.regionSums(v.full(gpu, volume, tenth), v.full(gpu, volume, 1), { mode: "squared" }));
    near(sums, [voxels * tenth, voxels * tenth * tenth, voxels]);
  });
});

describe("long chains/four million terms", () => {
  const count = 4_194_304;

  test("long chains/softmax", async () => {
    const data = Float32Array.from({ length: count }, (_, i) => Math.sin(i));
    const x = gpu.tensor({ data, shape: [1, count] });
    x.requiresGrad = true;
    const y = v.softmax(x);
    expect(Math.abs((await list(y)).reduce((a, b) => a + b, 0) - 1)).toBeLessThan(1e-6);
    const total = data.reduce((sum, s) => sum + Math.exp(s), 0);
    const dot = data.reduce((sum, s) => sum + (Math.exp(s) / total) * s, 0);
    const dx = await list(v.grad(v.sum(v.mul(y, x)), [x])[0]);
    // The product rule: y + y (x - Σ y x).
    for (let i = 0; i < count; i += 99_991) near([dx[i]], [(Math.exp(data[i]) / total) * (1 + data[i] - dot)], 1e-5);
    expect(Math.abs(dx.reduce((a, b) => a + b, 0) - 1)).toBeLessThan(2e-6);
    near(
      (await list(v.logSoftmax(x))).slice(0, 9),
      Array.from(data.subarray(0, 9), (s) => s - Math.log(total)),
    );
  });

  test("long chains/gradients that meet in one element", async () => {
    const index = v.full(gpu, [count], 1, "i32");
    near((await list(v.scatterAdd(v.full(gpu, [2], 0), 0, index, tenths(gpu, [count])))).slice(1), [count * tenth]);
    const x = pixels(gpu, [1, 1, 1, 1]);
    const y = v.gridSample(x, v.full(gpu, [1, 1024, 1024, 2], 0));
    near(await list(v.grad(v.sum(v.mul(y, tenths(gpu, y.shape))), [x])[0]), [1024 * 1024 * tenth]);
    const one = pixels(gpu, [1, 1, 1]);
    const z = v.adaptiveMaxPool(one, count);
    near(await list(v.grad(v.sum(v.mul(z, tenths(gpu, z.shape))), [one])[0]), [count * tenth]);
    const p = v.pad(one, [0, count - 1], { mode: "replicate" });
    near(await list(v.grad(v.sum(v.mul(p, tenths(gpu, p.shape))), [one])[0]), [count * tenth]);
  });

  test("long chains/classes", async () => {
    const x = pixels(gpu, [1, count]);
    const loss = crossEntropyLoss(x, v.full(gpu, [1], 7, "i32"), { labelSmoothing: 0.1 });
    near(await list(loss), [Math.log(count)]);
    near((await list(v.grad(loss, [x])[0])).slice(7, 8), [1 / count - 0.9 - 0.1 / count]);
  });
});
