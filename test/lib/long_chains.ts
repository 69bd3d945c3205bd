/** @file Operands of sums with many terms, and how near results have to be. */

import { expect } from "vitest";
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
