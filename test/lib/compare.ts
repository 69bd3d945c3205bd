/** @file How results are compared with references. */

import type { Tensor, TypedArray } from "../../src/index.ts";

type Numbers = ArrayLike<number>;

export const largest = (list: Numbers): number => {
  let m = 0;
  for (let i = 0; i < list.length; i++) m = Math.max(m, Math.abs(list[i]));
  return m;
};

/** The largest difference of two arrays and where it is; NaN is worse than anything. */
export function worstError(actual: Numbers, expected: Numbers): { readonly worst: number; readonly at: number } {
  let worst = 0;
  let at = -1;
  for (let i = 0; i < actual.length; i++) {
    const error = Math.abs(actual[i] - expected[i]);
    if (error <= worst) continue;
    worst = Number.isNaN(error) ? Infinity : error;
    at = i;
  }
  return { worst, at };
}

/** Throws unless every element is within `tolerance` times the larger of the expected values' largest magnitude and `floor`. */
export function expectClose(what: string, actual: Numbers, expected: Numbers, tolerance: number, floor = 0): void {
  if (actual.length !== expected.length) throw new Error(`${what}: ${actual.length} elements, expected ${expected.length}`);
  const allowed = tolerance * Math.max(largest(expected), floor);
  const { worst, at } = worstError(actual, expected);
  if (worst > allowed) {
    const scale = Math.max(largest(expected), floor);
    throw new Error(
      `${what}: element ${at} of ${actual.length} is ${actual[at]}, expected ${expected[at]}: error ${worst.toExponential(2)}, ` +
        `${(worst / scale).toExponential(2)} of the largest; allowed ${tolerance}`,
    );
  }
}

/** Throws unless both arrays hold the same bits. */
export function expectSameBits(what: string, actual: TypedArray, expected: TypedArray): void {
  const a = new Uint8Array(actual.buffer, actual.byteOffset, actual.byteLength);
  const b = new Uint8Array(expected.buffer, expected.byteOffset, expected.byteLength);
  const at = a.length === b.length ? a.findIndex((byte, i) => byte !== b[i]) : 0;
  if (at < 0) return;
  const i = Math.floor(at / actual.BYTES_PER_ELEMENT);
  throw new Error(`${what}: bits differ at element ${i}: ${actual[i]} and ${expected[i]}`);
}

/** Reads tensors back by name. */
export async function readAll(tensors: Readonly<Record<string, Tensor>>): Promise<Record<string, TypedArray>> {
  const list = await Promise.all(Object.entries(tensors).map(async ([name, t]) => [name, await t.data()] as const));
  return Object.fromEntries(list);
}
