/** @file How results are compared with references. */

import { expectKind } from "../tensor/kind.ts";
import { expectArguments, expectKinds } from "../host/kinds.ts";
import { bytesOf, type TypedArray } from "../host/array.ts";
import { MismatchError } from "../host/errors.ts";
import { expectOptions } from "../host/options.ts";
import type { Tensor } from "../tensor/tensor.ts";

/** The largest magnitude. 0 for an empty `list`. */
export const largest = (list: ArrayLike<number>): number => {
  expectArguments("largest", "weights", { list });
  let m = 0;
  for (let i = 0; i < list.length; i++) m = Math.max(m, Math.abs(list[i]));
  return m;
};

/** Where two arrays differ most; NaN is worse than anything. */
export interface Difference {
  /** The largest absolute difference, 0 if there is none. */
  readonly worst: number;
  /** Its index, −1 if there is none. */
  readonly at: number;
}

/** The largest difference of two arrays of one length. `actual` is compared with `expected`. */
export function worstError(actual: ArrayLike<number>, expected: ArrayLike<number>): Difference {
  expectArguments("worstError", "weights", { actual, expected });
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

/** Options of `compare`. */
export interface CompareOptions {
  /** Allowed error as a share of the largest expected magnitude; default 1e-5, what f32 gives with some terms to add. */
  readonly tolerance?: number;
  /** Magnitude below which errors are absolute, for results that cancel to almost nothing; default 0. */
  readonly floor?: number;
  /** What is compared, for the message; default "compare". */
  readonly what?: string;
}

/**
 * Throws `MismatchError` unless every element of `actual` is within `tolerance` times the larger of the largest expected magnitude and `floor`; NaN differs from
 * everything. Gives the largest difference and where it is. Read tensors first: `compare(await t.data(), expected)`.
 */
export function compare(actual: ArrayLike<number>, expected: ArrayLike<number>, options: CompareOptions = {}): Difference {
  expectOptions("compare", options, "tolerance:number floor:number what:text");
  expectArguments("compare", "weights", { actual, expected });
  const { tolerance = 1e-5, floor = 0, what = "compare" } = options;
  if (actual.length !== expected.length) {
    throw new MismatchError(`${what}: ${actual.length} elements, expected ${expected.length}`);
  }
  const scale = Math.max(largest(expected), floor);
  const found = worstError(actual, expected);
  const { worst, at } = found;
  // Also where the scale is NaN.
  if (!(worst <= tolerance * scale)) {
    throw new MismatchError(
      `${what}: element ${at} of ${actual.length} is ${actual[at]}, expected ${expected[at]}: error ${worst.toExponential(2)}, ` +
        `${(worst / scale).toExponential(2)} of the largest; allowed ${tolerance}`,
    );
  }
  return found;
}

/** Throws `MismatchError` unless both arrays hold the same bits. `what` begins the message. Any shape: elements are compared. */
export function compareBits(what: string, actual: TypedArray, expected: TypedArray): void {
  expectKinds("compareBits", { text: { what }, values: { actual, expected } });
  const a = bytesOf(actual);
  const b = bytesOf(expected);
  const at = a.length === b.length ? a.findIndex((byte, i) => byte !== b[i]) : 0;
  if (at < 0) return;
  const i = Math.floor(at / actual.BYTES_PER_ELEMENT);
  throw new MismatchError(`${what}: bits differ at element ${i}: ${actual[i]} and ${expected[i]}`);
}

/** Reads tensors of any shape back, by name. */
export async function readAll(tensors: Readonly<Record<string, Tensor>>): Promise<Record<string, TypedArray>> {
  expectArguments("readAll", "object", { tensors });
  expectKind("readAll", tensors);
  const list = await Promise.all(Object.entries(tensors).map(async ([name, t]) => [name, await t.data()] as const));
  return Object.fromEntries(list);
}
