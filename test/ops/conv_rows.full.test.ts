/** @file The kernels of convolution for rows of a software adapter agree with the plain ones on all that they take, and leave the rest to those. */

import { afterEach, describe, expect, test } from "vitest";
import type { ConvOptions, Device } from "../../src/index.ts";
import { hasLanes } from "../../src/kernels/lib/subgroups.ts";
import { hasRows, hasWeightRows } from "../../src/kernels/conv/rows.ts";
import { convShape } from "../../src/kernels/conv/shape.ts";
import { weightProblem } from "../../src/kernels/conv/variants.ts";
import { expectClose } from "../lib/compare.ts";
import { type ConvCase, convResults } from "../lib/conv_step.ts";
import { device as open } from "../lib/device.ts";

const device: Device = await open();
afterEach(() => device.choices.clear());

const cases: readonly ConvCase[] = [
  ["odd channels and rows", [2, 5, 13, 11], [7, 5, 3, 3], { padding: 1 }],
  ["stride 2, more than a tile", [1, 9, 12, 21], [33, 9, 3, 3], { padding: 1, stride: 2 }],
  ["stride 2, two taps", [1, 6, 4, 6, 8], [9, 6, 2, 2, 2], { stride: 2 }],
  ["stride 2, four taps, odd sizes", [2, 5, 7, 13], [9, 5, 4, 4], { padding: 1, stride: 2 }],
  ["stride 2, five taps, no padding", [1, 5, 8, 37], [3, 5, 5, 5], { stride: 2 }],
  ["stride 2 of five taps, padding 2, three channels", [1, 3, 5, 8, 40], [17, 3, 5, 5, 5], { padding: 2, stride: 2 }],
  [
    "stride 3 along D, 2 along W, dilated along H",
    [1, 4, 9, 8, 18],
    [6, 4, 3, 3, 3],
    { padding: [2, 1, 1], stride: [3, 1, 2], dilation: [1, 2, 1] },
  ],
  ["stride beyond the taps", [1, 3, 9, 8, 18], [6, 3, 2, 2, 3], { padding: [0, 0, 1], stride: [3, 3, 2] }],
  ["stride 2, groups, f16", [2, 8, 8, 34], [12, 2, 3, 3], { padding: 1, stride: 2, groups: 4 }],
  ["stride along D and H alone", [1, 4, 6, 7, 9], [5, 4, 3, 3, 3], { padding: 1, stride: [2, 2, 1] }],
  ["five taps in three dimensions", [1, 6, 5, 6, 17], [18, 6, 5, 5, 5], { padding: 2 }],
  ["dilated, five channels, long rows", [1, 5, 6, 5, 70], [5, 5, 3, 3, 3], { padding: 4, dilation: 4 }],
  ["dilation longer than the rows", [1, 3, 9, 9], [10, 3, 3, 3], { padding: 4, dilation: [2, 4] }],
  ["groups", [2, 8, 9, 14], [12, 2, 3, 3], { padding: 1, groups: 4 }],
  ["one dimension, four taps, no padding", [3, 3, 29], [5, 3, 4], {}],
  ["blocks in blocks", [1, 700, 4, 6], [5, 700, 5, 5], { padding: 2 }],
  ["segments of long rows, stride 2", [1, 2, 2, 300], [3, 2, 3, 3], { padding: 1, stride: [1, 2] }],
];

async function compare(given: ConvCase, half: boolean): Promise<void> {
  const [, x, w, options] = given;
  const weight = weightProblem(convShape(x, w, undefined, options), half);
  device.choices.set("conv", "direct 4x8").set(weight, "direct");
  const plain = await convResults(device, given, half);
  device.choices.set("conv", "rows").set(weight, "weight rows");
  const rows = await convResults(device, given, half);
  for (const key of ["y", "dx", "dw"]) expectClose(`${key} ${given[0]}`, rows[key], plain[key], half ? 2e-3 : 4e-6);
}

describe.skipIf(!hasLanes(device))("conv rows", () => {
  test.each(cases)("%s", (...given) => compare(given, false));

  test.skipIf(!device.gpu.features.has("shader-f16"))("f16", () => compare(cases[0], true));
});

test("what rows do not take", () => {
  const g = (taps: readonly number[], options: ConvOptions, size = 20) =>
    convShape([1, 4, size, size], [4, 4, ...taps], undefined, options);
  expect(hasRows(g([3, 3], {}), true)).toBe(true);
  expect(hasRows(g([3, 3], { stride: 2 }), false)).toBe(true);
  expect(hasRows(g([3, 3], { stride: 2 }), true)).toBe(true);
  expect(hasRows(g([3, 3], { stride: 2, dilation: [1, 2] }), true)).toBe(false);
  expect(hasRows(g([3, 3], { stride: 2, dilation: [2, 1] }), true)).toBe(false);
  expect(hasRows(g([3, 3], { stride: 2, dilation: [2, 1] }), false)).toBe(true);
  expect(hasRows(g([3, 3], { stride: [2, 3] }), true)).toBe(false);
  expect(hasRows(g([3, 1], {}), false)).toBe(false);
  expect(hasRows(g([3, 7], {}), false)).toBe(false);
  expect(hasRows(g([3, 3], { stride: 2, dilation: 2 }), false)).toBe(false);
  expect(hasWeightRows(g([3, 3], { dilation: 2 }))).toBe(false);
  expect(hasWeightRows(g([3, 3], { stride: 3 }))).toBe(false);
});
