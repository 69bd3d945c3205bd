/** @file How results are compared with references: `voxgrad/testing`, with the words that tests use. */

import { compare } from "../../src/testing/compare.ts";

export { compareBits as expectSameBits, largest, readAll, worstError } from "../../src/testing/compare.ts";

/** Throws unless every element is within `tolerance` times the larger of the expected values' largest magnitude and `floor`. */
export function expectClose(
  what: string,
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  tolerance: number,
  floor = 0,
): void {
  compare(actual, expected, { what, tolerance, floor });
}
