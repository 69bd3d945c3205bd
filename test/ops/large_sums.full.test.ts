/** @file Sums of whole volumes: rounding errors that grow with the count would show here. */

import { describe, expect, test } from "vitest";
import { full, instanceNorm, mean, scope, softmax, sum, variance } from "../../src/index.ts";
import { device } from "../lib/device.ts";
import { seeded } from "../lib/row.ts";

describe("large sums", () => {
  test("large-sums/mean of 25,165,824 threes", async () => {
    const gpu = await device();
    // 96 MiB: one binding may be no larger than 128 on small devices.
    const value = scope(() => mean(full(gpu, [25_165_824], 3)));
    expect(Math.abs((await value.item()) / 3 - 1)).toBeLessThan(1e-6);
    value.dispose();
  });

  test("large-sums/sum and variance of 16,777,216 uniform values", async () => {
    const gpu = await device();
    const data = new Float32Array(2 ** 24);
    // A linear congruential generator (Knuth's MMIX would need 64 bits; these are Numerical Recipes' 32-bit constants).
    let state = 1;
    let total = 0;
    let squares = 0;
    for (let i = 0; i < data.length; i++) {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      data[i] = state / 2 ** 32;
      total += data[i];
      squares += data[i] * data[i];
    }
    const x = gpu.tensor({ data, shape: [data.length] });
    const [s, v] = scope(() => [sum(x), variance(x)]);
    x.dispose();
    expect(Math.abs((await s.item()) / total - 1)).toBeLessThan(1e-6);
    const expected = (squares - total ** 2 / data.length) / (data.length - 1);
    expect(Math.abs((await v.item()) / expected - 1)).toBeLessThan(1e-5);
    s.dispose();
    v.dispose();
  });

  test("large-sums/variance of a CT-like volume, mean 10,000, deviation 1", async () => {
    const gpu = await device();
    const random = seeded("ct");
    const data = new Float32Array(4_194_304);
    // Three uniform numbers have a variance of 1/4.
    for (let i = 0; i < data.length; i++) data[i] = 1e4 + 2 * (random() + random() + random() - 1.5);
    const center = data.reduce((a, b) => a + b, 0) / data.length;
    const expected = data.reduce((a, b) => a + (b - center) ** 2, 0) / (data.length - 1);
    const [all, each, normal] = scope(() => {
      const x = gpu.tensor({ data, shape: [1, 1, 64, 256, 256] });
      return [variance(x), variance(x, [0, 1, 3, 4]), instanceNorm(x)];
    });
    expect(Math.abs((await all.item()) - expected)).toBeLessThan(1e-4);
    const slices = await each.data();
    for (const k of [0, 31, 63]) {
      const slice = data.subarray(k * 65536, (k + 1) * 65536);
      const mean = slice.reduce((a, b) => a + b, 0) / slice.length;
      const wanted = slice.reduce((a, b) => a + (b - mean) ** 2, 0) / (slice.length - 1);
      expect(Math.abs(slices[k] - wanted)).toBeLessThan(1e-4);
    }
    const scaled = await normal.data();
    for (let i = 0; i < data.length; i += 1009) {
      expect(Math.abs(scaled[i] - (data[i] - center) / Math.sqrt(expected + 1e-5))).toBeLessThan(1e-3); // digits of data and mean
    }
    for (const t of [all, each, normal]) t.dispose();
  });

  test("large-sums/softmax of logits at ±10,000 over a volume", async () => {
    const gpu = await device();
    const logits = [1e4, -1e4, 0, 9999, -9999.5, 1e4, 80, -90, 9999.5, -1e4, 1e4];
    const [classes, voxels] = [4, 64 ** 3];
    const data = Float32Array.from({ length: classes * voxels }, (_, i) => logits[(i * 7 + (i >> 5)) % logits.length]);
    const y = scope(() => softmax(gpu.tensor({ data, shape: [1, classes, voxels] })));
    const list = await y.data();
    y.dispose();
    for (let v = 0; v < voxels; v += 13) {
      const row = Array.from({ length: classes }, (_, c) => data[c * voxels + v]);
      const top = Math.max(...row);
      const total = row.reduce((a, b) => a + Math.exp(b - top), 0);
      row.forEach((x, c) => {
        const error = Math.abs(list[c * voxels + v] - Math.exp(x - top) / total);
        if (!(error <= 1e-6)) throw new Error(`class ${c} of voxel ${v} is off by ${error}`);
      });
    }
  });
});
