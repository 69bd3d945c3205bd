/** @file Rounding of halves. */
import { expect, test } from "vitest";
import { roundHalfEven } from "../../src/host/rounding.ts";

test("halves go to the even neighbour", () => {
  expect([0.5, 1.5, 2.5, 3.5, -0.5, -1.5, -2.5].map(roundHalfEven)).toEqual([0, 2, 2, 4, -0, -2, -2]);
});

test("all else goes to the nearest", () => {
  expect([0.49999999999999994, 0.5000000000000001, 2.4, 2.6, -2.6, 7].map(roundHalfEven)).toEqual([0, 1, 2, 3, -3, 7]);
});

test("what has no fraction stays", () => {
  for (const v of [2 ** 52 + 1, -(2 ** 53), 1e300, Infinity, -Infinity, NaN]) expect(roundHalfEven(v)).toBe(v);
});
