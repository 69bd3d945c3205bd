/** @file Volumes as stacks of slices along three views. */
import { expect, test } from "vitest";
import { orientationAxes, rotateOrientation } from "../../src/data/index.ts";
import { ConfigError, ShapeError } from "../../src/host/errors.ts";

// The voxel at (x, y, z) is 100x + 10y + z.
const shape = [2, 3, 4];
const data = Int16Array.from({ length: 24 }, (_, i) => 100 * Math.floor(i / 12) + 10 * (Math.floor(i / 4) % 3) + (i % 4));

test.each([
  ["COR", [4, 2, 3], [0, 10, 20, 100, 110, 120]], // z is the slice, x the row, y the column
  ["AXI", [3, 4, 2], [0, 100, 1, 101, 2, 102, 3, 103]], // y, z, x
  ["SAG", [2, 3, 4], [0, 1, 2, 3, 10, 11, 12, 13, 20, 21, 22, 23]], // x, y, z
] as const)("%s", (orientation, expected, first) => {
  const stack = rotateOrientation({ data, shape }, orientation);
  expect(stack.shape).toEqual(expected);
  expect(stack.data).toBeInstanceOf(Int16Array);
  expect([...stack.data.subarray(0, first.length)]).toEqual([...first]);
  expect([...stack.data].sort((a, b) => a - b)).toEqual([...data].sort((a, b) => a - b));
  expect(orientationAxes(orientation).map((axis) => shape[axis])).toEqual(expected);
});

test("refuses other views and ranks", () => {
  for (const name of ["cor", "toString"]) expect(() => orientationAxes(name as "COR")).toThrow(ConfigError);
  expect(() => rotateOrientation({ data, shape: [1, 2, 3, 4] }, "SAG")).toThrow(ShapeError);
});
