/** @file The arithmetic of shapes on the host broadcasts as NumPy does: numbers, axes of 1 and axes on the left are repeated. */

import { expect, test } from "vitest";
import { expanded, zip } from "../../../src/onnx/import/broadcast.ts";
import type { Call } from "../../../src/onnx/import/call.ts";
import type { HostValue } from "../../../src/onnx/values.ts";

const call = { node: { op: "Mul" } } as unknown as Call;
const ints = (data: readonly number[], shape: readonly number[]): HostValue => ({
  kind: "int",
  data: Float64Array.from(data),
  shape,
});

test("a number beside a list, a column beside a row", () => {
  const times = (a: HostValue, b: HostValue) => [...zip(call, "int", [a, b], (x, y) => x * y).data].map(Number);
  expect(times(ints([2, 3, 5], [3]), ints([2], []))).toEqual([4, 6, 10]);
  expect(times(ints([1, 10], [2, 1]), ints([1, 2, 3], [3]))).toEqual([1, 2, 3, 10, 20, 30]);
});

test("an axis of 1 in the middle, and one more on the left", () => {
  const { data, shape } = expanded(call, ints([1, 2, 3, 4], [2, 1, 2]), [2, 2, 2, 2]);
  expect(shape).toEqual([2, 2, 2, 2]);
  expect([...data].map(Number)).toEqual([1, 2, 1, 2, 3, 4, 3, 4, 1, 2, 1, 2, 3, 4, 3, 4]);
});
