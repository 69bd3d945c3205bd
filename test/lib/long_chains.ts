/** @file Operands of sums with many terms, and how near results have to be. */

import { afterEach, expect, test } from "vitest";
import * as v from "../../src/index.ts";
import { type Device, full, type Tensor } from "../../src/index.ts";

/** What every element of `tenths` is: f32's nearest to 0.1. */
export const tenth = Math.fround(0.1);

/** A tensor of tenths, whose partial sums round to one side for long stretches. */
export const tenths = (gpu: Device, shape: readonly number[]): Tensor & { readonly value: number } =>
  Object.assign(full(gpu, shape, tenth), { value: tenth });

/** A tensor of ones that wants a gradient. */
export function pixels(gpu: Device, shape: readonly number[]): Tensor {
  const x = full(gpu, shape, 1);
  x.requiresGrad = true;
  return x;
}

/** Every value within 2e-6 of what it should be. */
export function near(got: ArrayLike<number>, wanted: ArrayLike<number>, limit = 2e-6): void {
  expect(got.length).toBe(wanted.length);
  for (let i = 0; i < got.length; i++) {
    const error = Math.abs(got[i] - wanted[i]) / Math.max(1e-30, Math.abs(wanted[i]));
    if (!(error <= limit)) throw new Error(`element ${i}: got ${got[i]}, expected ${wanted[i]}, off by ${error}`);
  }
}

const list = async (t: Tensor) => Array.from((await t.data()) as Float32Array);

/** Tests of convolutions, their weight gradients and matrix products in these variants of the kernels. */
export function convolutions(
  gpu: Device,
  gathers: readonly string[],
  weights: readonly string[],
  products: readonly string[],
): void {
  afterEach(() => gpu.choices.clear());

  test.each(gathers)("long chains/conv of many channels or many taps, %s", async (variant) => {
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

  test.each(weights)("long chains/the weight gradient of conv, %s", async (variant) => {
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

  test.each(products)("long chains/matmul of a million terms, %s", async (variant) => {
    gpu.choices.set("matmul", variant);
    const [a, b] = [tenths(gpu, [1, 2 ** 20]), pixels(gpu, [2 ** 20, 1])];
    near(await list(v.matmul(a, b)), [2 ** 20 * a.value]);
    // Enough results that each has its terms in one slab.
    const [c, d] = [tenths(gpu, [200, 4000]), pixels(gpu, [4000, 200])];
    near(await list(v.matmul(c, d)), new Array<number>(40_000).fill(4000 * c.value));
  });
}
