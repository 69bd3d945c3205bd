/** @file `erf` keeps its digits near 0, where 2·Φ(√2·x) − 1 would lose them. */

import { expect, test } from "vitest";
import { erf } from "../../src/index.ts";
import { device } from "../lib/device.ts";

/** The series 2/√π Σ (−1)ⁿ x²ⁿ⁺¹ / (n! (2n + 1)), in float64. */
function series(x: number): number {
  let [term, sum] = [x, x];
  for (let n = 1; n < 40; n++) {
    term *= -(x * x) / n;
    sum += term / (2 * n + 1);
  }
  return (2 / Math.sqrt(Math.PI)) * sum;
}

test("within 5e-7 of each value, from 1e-30 to 0.8 on both sides", async () => {
  const gpu = await device();
  const some = [1e-30, 1e-10, 1e-4, ...Array.from({ length: 400 }, (_, i) => (i + 1) / 500)];
  const x = Float32Array.from([0, ...some, ...some.map((v) => -v)]);
  const y = await erf(gpu.tensor({ data: x, shape: [x.length] })).data();
  expect(y[0]).toBe(0);
  const worst = Array.from(x.subarray(1), (v, i) => Math.abs(y[i + 1] / series(v) - 1));
  expect(Math.max(...worst)).toBeLessThan(5e-7);
});
