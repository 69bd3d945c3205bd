/** @file Rounding of halves. */
import { expect, test } from "vitest";
import { roundHalfEven, roundToHalf } from "../../src/host/rounding.ts";

test("halves go to the even neighbor", () => {
  expect([0.5, 1.5, 2.5, 3.5, -0.5, -1.5, -2.5].map(roundHalfEven)).toEqual([0, 2, 2, 4, -0, -2, -2]);
});

test("all else goes to the nearest", () => {
  expect([0.49999999999999994, 0.5000000000000001, 2.4, 2.6, -2.6, 7].map(roundHalfEven)).toEqual([0, 1, 2, 3, -3, 7]);
});

test("what has no fraction stays", () => {
  for (const v of [2 ** 52 + 1, -(2 ** 53), 1e300, Infinity, -Infinity, NaN]) expect(roundHalfEven(v)).toBe(v);
});

test("halves are those of Math.f16round, in every range", () => {
  const values = [
    0,
    -0,
    1,
    -1,
    65504,
    65519.99,
    65520,
    -1e6,
    Infinity,
    -Infinity,
    NaN,
    2 ** -24,
    2 ** -25,
    1.0001 * 2 ** -25,
    2 ** -14,
  ];
  for (let i = 0; i < 2_000; i++) values.push(Math.sin(i * 12.9898) * 2 ** ((i % 50) - 30), 1 + i / 4096, -(i / 2) * 2 ** -25);
  const data = Float32Array.from(values);
  const wanted = data.map((v) => Math.f16round(v));
  roundToHalf(data);
  expect(data).toEqual(wanted);
});
