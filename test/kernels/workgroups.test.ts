/** @file How many workgroups a dispatch has where a device dispatches few of them. */

import { expect, test } from "vitest";
import { ShapeError } from "../../src/index.ts";
import { fold, grid, lines } from "../../src/kernels/lib/workgroups.ts";
import type { Device } from "../../src/tensor/device.ts";

/** At most five along an axis. */
const few = { gpu: { limits: { maxComputeWorkgroupsPerDimension: 5 } } } as unknown as Device;

test("a line of workgroups is folded, and is refused when it fills the square", () => {
  expect(grid(few, "op", 320, 64)).toEqual([5, 1, 1]);
  expect(grid(few, "op", 321, 64)).toEqual([5, 2, 1]);
  expect(fold(few, "op", 0)).toEqual([1, 1, 1]);
  expect(fold(few, "op", 25)).toEqual([5, 5, 1]);
  expect(() => fold(few, "op", 26)).toThrow(ShapeError);
});

test("each of three axes has as many as there may be", () => {
  expect(lines(few, [64, 2, 3], 64)).toEqual({ threads: [64, 2, 3], workgroups: [1, 2, 3] });
  expect(lines(few, [65, 9, 7], 64)).toEqual({ threads: [65, 9, 7], workgroups: [2, 5, 5] });
  expect(lines(few, [1000, 1, 1], 64).workgroups).toEqual([5, 1, 1]);
});
