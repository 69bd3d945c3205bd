/** @file The rows of an input that a range of results reads, where some lie behind its end: there is always one row to bind, and none that is not there. */
import { expect, test } from "vitest";
import { rowsBetween } from "../../src/kernels/lib/reach.ts";

test.each([
  [0, 3, 5, 0, 3],
  [2, 9, 5, 2, 3],
  [4, 9, 5, 4, 1],
  [5, 9, 5, 4, 1],
  [7, 9, 5, 4, 1],
  [3, 3, 5, 3, 1],
])("from %d to before %d of %d: %d, so many: %d", (first, end, size, start, count) => {
  expect(rowsBetween(first, end, size)).toEqual({ start, count });
});
