/** @file Calibration by hand: what bins hold, their gaps, and the mean and the largest of these. */

import { expect, test } from "vitest";
import { DataError } from "../../../src/index.ts";
import { calibrationError } from "../../../src/seg/index.ts";

// Of the foreground 0.98 (right), 0.8 (wrong), 0.7 and 0.7 (right); of the background 0.6 (right) and 0.55 (wrong).
const foreground = [0.98, 0.8, 0.7, 0.7, 0.4, 0.45];
const labels = { data: Uint8Array.of(1, 0, 1, 1, 0, 1), shape: [1, 6] };

test.each([
  ["of the foreground", { data: Float64Array.from(foreground), shape: [1, 6] }],
  ["of two classes", { data: Float64Array.from([...foreground.map((p) => 1 - p), ...foreground]), shape: [2, 6] }],
])("probabilities %s in five bins", (_, probabilities) => {
  const { expected, maximum, confidence, accuracy, count } = calibrationError(probabilities, labels, { bins: 5 });
  // (0.4, 0.6], (0.6, 0.8], (0.8, 1]
  expect([...count]).toEqual([0, 0, 2, 3, 1]);
  expect([...accuracy]).toEqual([NaN, NaN, 1 / 2, 2 / 3, 1]);
  const means = [(0.6 + 0.55) / 2, (0.8 + 0.7 + 0.7) / 3, 0.98];
  expect([...confidence]).toEqual([NaN, NaN, ...means.map((c) => expect.closeTo(c, 12))]);
  // The largest is not the last.
  const each = [means[0] - 1 / 2, means[1] - 2 / 3, 1 - means[2]];
  expect(expected).toBeCloseTo((2 * each[0] + 3 * each[1] + each[2]) / 6, 12);
  expect(maximum).toBeCloseTo(Math.max(...each), 12);
});

test("what is ignored counts nowhere", () => {
  const probabilities = { data: Float64Array.of(0.9, 0.7, 0.1), shape: [1, 3] };
  const { expected, maximum, count } = calibrationError(
    probabilities,
    { data: Uint8Array.of(1, 0, 9), shape: [1, 3] },
    { bins: 2, ignore: 9 },
  );
  expect([...count]).toEqual([0, 2]);
  expect(expected).toBeCloseTo(0.3, 12);
  expect(maximum).toBeCloseTo(0.3, 12);
});

test("what is no class or no probability is an error, in any channel", () => {
  const two = (...rest: number[]) => ({ data: Float64Array.of(0.6, 0.6, ...rest), shape: [2, 2] });
  const of = (...values: number[]) => ({ data: Int16Array.from(values), shape: [1, 2] });
  expect(() => calibrationError(two(0.4, 0.4), of(0, 7))).toThrow(/the labels hold 7 at voxel 1; expected class indices 0 … 1/);
  expect(() => calibrationError(two(0.4, 0.4), of(0, 7), { ignore: -1 })).toThrow(DataError);
  for (const at of [0, 1, 2]) {
    const data = Float64Array.of(0.5, 0.3, 0.2).with(at, NaN);
    const one = { data: Uint8Array.of(1), shape: [1, 1] };
    expect(() => calibrationError({ data, shape: [3, 1] }, one), `channel ${at}`).toThrow(/NaN at voxel 0 is no probability/);
  }
  expect(() => calibrationError({ data: Float64Array.of(0.6, 0.6), shape: [1, 2] }, of(0, 2))).toThrow(DataError);
});
