/** @file Histograms: a value on an edge is in the bin above it, the greatest in the last one, as NumPy counts. */

import { expect, test } from "vitest";
import { histogramOf } from "../../src/host/histogram.ts";

test("values on edges", () => {
  const { counts, centers } = histogramOf(Float32Array.of(0, 0.25, 0.5, 0.75, 1), 4);
  expect([...counts]).toEqual([1, 1, 1, 2]);
  expect([...centers]).toEqual([0.125, 0.375, 0.625, 0.875]);
});

test("edges of float32 that its division misses: np.histogram(np.arange(0, 31, dtype=np.float32) / 10, 30)", () => {
  const values = Float32Array.from({ length: 31 }, (_, i) => Math.fround(i) / 10);
  expect([...histogramOf(values, 30).counts].reduce((a, b) => a + b)).toBe(31);
});

test("a flat image, and integers with a bin each", () => {
  expect([...histogramOf(Float64Array.of(2, 2), 2).counts]).toEqual([0, 2]);
  const { counts, centers } = histogramOf(Uint8Array.of(3, 5, 5), 10);
  expect([...counts]).toEqual([1, 0, 2]);
  expect([...centers]).toEqual([3, 4, 5]);
});
