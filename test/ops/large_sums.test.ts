/** @file Sums of whole volumes: rounding errors that grow with the count would show here. */

import { describe, expect, test } from "vitest";
import { full, mean, scope, sum, variance } from "../../src/index.ts";
import { device } from "./device.ts";

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
});
