/** @file As conv_window.full.test.ts, of layers whose kernels a software adapter compiles for half a minute. */

import { test } from "vitest";
import { type Case, compareWindows } from "../lib/conv_window.ts";
import { device as open } from "../lib/device.ts";

const device = await open();

const cases: readonly Case[] = [
  ["windows of three taps", [2, 5, 7, 12], [13, 5, 3, 3], { padding: 1 }],
  ["long windows, one channel", [2, 1, 3, 32], [2, 1, 3, 5], { padding: [1, 2] }],
  ["rows of odd lengths", [2, 9, 6, 11], [16, 9, 3, 3], { padding: 1 }],
  ["stride along D and H alone", [1, 2, 5, 6, 8], [4, 2, 3, 3, 3], { padding: 1, stride: [2, 2, 1] }],
  ["strides", [1, 4, 9, 16], [8, 4, 3, 3], { padding: 1, stride: 2 }],
  ["blocks in blocks", [1, 700, 3, 8], [3, 700, 5, 5], { padding: 2 }],
];

test.each(cases)("conv window/%s", (...given) => compareWindows(device, given));

test.skipIf(!device.gpu.features.has("shader-f16"))("conv window/f16", () => compareWindows(device, cases[1], true));
