/** @file Statistics: against values worked out by hand, with NaN, nothing, ties and large numbers. */
import { describe, expect, test } from "vitest";
import { extent, median, medianLow, nanMean, quantiles } from "../../src/host/stats.ts";

test("nanMean leaves NaN out", () => {
  expect(nanMean([1, 2, 6])).toBe(3);
  expect(nanMean([NaN, 4, NaN, 2])).toBe(3);
  expect(nanMean([])).toBeNaN();
  expect(nanMean([NaN])).toBeNaN();
  expect(nanMean(Float32Array.of(3e38, 3e38))).toBe(Math.fround(3e38)); // the sum is beyond float32
  expect(nanMean([Infinity, 1])).toBe(Infinity);
});

describe("extent", () => {
  test("finds both ends, wherever they are", () => {
    expect(extent([3, -1, 7, 2])).toEqual({ min: -1, max: 7, firstNaN: -1 });
    expect(extent(Uint8Array.of(5))).toEqual({ min: 5, max: 5, firstNaN: -1 });
    expect(extent([-Infinity, 0, Infinity])).toEqual({ min: -Infinity, max: Infinity, firstNaN: -1 });
  });
  test("NaN is left out and reported once", () => {
    expect(extent([2, NaN, 1, NaN])).toEqual({ min: 1, max: 2, firstNaN: 1 });
    expect(extent([NaN])).toEqual({ min: Infinity, max: -Infinity, firstNaN: 0 });
  });
  test("of nothing", () => expect(extent([])).toEqual({ min: Infinity, max: -Infinity, firstNaN: -1 }));
});

describe("median", () => {
  test("odd, even, unsorted, ties", () => {
    expect([median([9]), median([3, 1, 2]), median([4, 1, 3, 2]), median([2, 2, 9, 2])]).toEqual([9, 2, 2.5, 2]);
    expect([medianLow([9]), medianLow([3, 1, 2]), medianLow([4, 1, 3, 2]), medianLow([5, 5])]).toEqual([9, 2, 2, 5]);
  });
  test("by number, not by text", () => expect(median([10, 9, 100])).toBe(10));
  test("of nothing, and of NaN, which is greater than all", () => {
    expect([median([]), medianLow([])]).toEqual([NaN, NaN]);
    expect([median([NaN, 1, 2]), medianLow([1, NaN])]).toEqual([2, 1]);
  });
  test("leaves its input as it is", () => {
    const values = Float32Array.of(3, 1, 2);
    median(values);
    expect([...values]).toEqual([3, 1, 2]);
  });
});

describe("quantiles", () => {
  // numpy.quantile([3, 1, 4, 1, 5, 9, 2, 6], [0, .1, .25, .5, .9, 1])
  test("as NumPy", () => {
    const q = quantiles([3, 1, 4, 1, 5, 9, 2, 6], [0, 0.1, 0.25, 0.5, 0.9, 1]);
    [1, 1, 1.75, 3.5, 6.9, 9].forEach((v, i) => expect(q[i]).toBeCloseTo(v, 12));
  });
  test("the middle is the median", () => {
    for (const list of [[5], [5, 1], [9, 2, 4], [1, 1, 2, 8]]) expect(quantiles(list, [0.5])[0]).toBe(median(list));
  });
  test("one value, no value, no fraction", () => {
    expect(quantiles([7], [0, 0.3, 1])).toEqual([7, 7, 7]);
    expect(quantiles([], [0, 1])).toEqual([NaN, NaN]);
    expect(quantiles([1, 2], [])).toEqual([]);
  });
  test("float64 keeps its digits", () => {
    expect(quantiles([2 ** 53 - 1, 2 ** 53 - 3], [0, 1])).toEqual([2 ** 53 - 3, 2 ** 53 - 1]);
  });
  test("NaN is greater than all; beside an infinity there is no proportion", () => {
    expect(quantiles([NaN, 2, 1, 3, 4], [0, 0.5])).toEqual([1, 3]);
    expect(quantiles([Infinity, 0, 1, 2], [0, 0.5, 1])).toEqual([0, 1.5, NaN]);
  });
});
