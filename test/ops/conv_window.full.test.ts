/** @file The kernel of convolution for few output channels on hardware agrees with the plain one, and layers are cut as they should be. */

import { expect, test } from "vitest";
import type { ConvOptions } from "../../src/index.ts";
import { convShape } from "../../src/kernels/conv/shape.ts";
import { hasWindow, windowTile } from "../../src/kernels/conv/window.ts";
import { type Case, compareWindows } from "../lib/conv_window.ts";
import { device as open } from "../lib/device.ts";

const device = await open();

// [N, C, …] and [out, in / groups, taps…]. Input gradients take windows of the other side.
const cases: readonly Case[] = [
  ["windows of two taps in three dimensions, no padding", [1, 3, 4, 5, 17], [6, 3, 3, 2, 2], {}],
  ["dilated", [1, 4, 9, 16], [3, 4, 3, 3], { padding: 2, dilation: 2 }],
  ["groups", [2, 8, 5, 16], [8, 1, 3, 3], { padding: 1, groups: 8 }],
  ["one tap", [2, 17, 5, 8], [3, 17, 1, 1], {}],
];

test.each(cases)("conv window/%s", (...given) => compareWindows(device, given));

test.skipIf(!device.gpu.features.has("shader-f16"))("conv window/f16", () => compareWindows(device, cases[2], true));

test("how windows are cut", () => {
  const g = (taps: readonly number[], outputs: number, options: ConvOptions, width = 32, inputs = 16) =>
    convShape([1, inputs, 8, width], [outputs, inputs, ...taps], undefined, options);
  const cut = (...given: Parameters<typeof g>) => Object.values(windowTile(g(...given), false));
  // Channels, taps, step.
  expect(cut([3, 3], 16, { padding: 1 })).toEqual([16, 3, 4]);
  expect(cut([3, 3], 5, { padding: 1 })).toEqual([8, 3, 8]);
  expect(cut([3, 3], 3, { padding: 1 })).toEqual([4, 3, 8]);
  expect(cut([3, 3], 1, { padding: 1 }, 24, 1)).toEqual([1, 3, 1]);
  expect(cut([3, 3], 16, { padding: 1, stride: 2 })).toEqual([16, 1, 8]);
  expect(cut([1, 1], 2, {}, 31)).toEqual([2, 1, 8]);
  expect(hasWindow(g([3, 3], 17, {}), false)).toBe(false);
  expect(hasWindow(g([3, 11], 1, {}), false)).toBe(false);
});
