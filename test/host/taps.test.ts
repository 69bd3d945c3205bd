/** @file Weights of resampling: windows, neighbors and kernels, worked out by hand. */
import { describe, expect, test } from "vitest";
import { areaWindow, cornerPosition, cubicTaps, cubicWeight, linearTaps, nearestIndex, type Tap } from "../../src/host/taps.ts";

const sum = (taps: readonly Tap[]) => taps.reduce((s, [, w]) => s + w, 0);

test("area windows: 5 to 3 overlap, 3 to 5 repeat, and nothing is left out", () => {
  const windows = (from: number, to: number) =>
    Array.from({ length: to }, (_, o) => areaWindow(o, from, to)).map(({ start, count }) => [start, start + count - 1]);
  expect(windows(5, 3)).toEqual([
    [0, 1],
    [1, 3],
    [3, 4],
  ]);
  expect(windows(3, 5)).toEqual([
    [0, 0],
    [0, 1],
    [1, 1],
    [1, 2],
    [2, 2],
  ]);
  expect(windows(6, 2)).toEqual([
    [0, 2],
    [3, 5],
  ]);
  expect(areaWindow(0, 200_000, 1)).toEqual({ start: 0, count: 200_000 });
});

describe("nearestIndex", () => {
  test("floor of the beginning, or of the center", () => {
    expect(Array.from({ length: 4 }, (_, o) => nearestIndex(o, 10, 10 / 4, false))).toEqual([0, 2, 5, 7]);
    expect(Array.from({ length: 4 }, (_, o) => nearestIndex(o, 10, 10 / 4, true))).toEqual([1, 3, 6, 8]);
  });
  test("in float32: 14 / 46 rounds down there, so that output 23 takes input 6", () => {
    expect(Math.floor(23 * (14 / 46))).toBe(7);
    expect(nearestIndex(23, 14, 14 / 46, false)).toBe(6);
  });
  test("never beyond the axis", () => expect(nearestIndex(9, 3, 1, false)).toBe(2));
});

test("corners stay in place", () => {
  expect([0, 1, 2, 3].map((o) => cornerPosition(o, 10, 4))).toEqual([0, 3, 6, 9]);
  expect(cornerPosition(0, 10, 1)).toBe(0);
});

test("linear: two neighbors, held inside", () => {
  expect(linearTaps(1.25, 4)).toEqual([
    [1, 0.75],
    [2, 0.25],
  ]);
  for (const [at, index] of [
    [-0.5, 0],
    [3.4, 3],
    [2, 2],
  ])
    expect(linearTaps(at, 4)[0]).toEqual([index, 1]);
  expect(linearTaps(3.4, 4)[1][1]).toBe(0);
});

describe("cubic", () => {
  test("weights: 1 in place, 0 at whole distances, and a third value from the formula", () => {
    expect([0, 1, -1, 2, 3, -2.5].map((d) => cubicWeight(d))).toEqual([1, 0, 0, 0, 0, 0]);
    // (a + 2)|d|³ − (a + 3)|d|² + 1 and a|d|³ − 5a|d|² + 8a|d| − 4a at ½ and 1½, a = −¾
    expect([cubicWeight(0.5), cubicWeight(-1.5)]).toEqual([0.59375, -0.09375]);
    expect(cubicWeight(0.5, -0.5)).toBe(0.5625);
  });
  test("four neighbors with sum 1, the border repeated", () => {
    const taps = cubicTaps(1.5, 10);
    expect(taps).toEqual([
      [0, -0.09375],
      [1, 0.59375],
      [2, 0.59375],
      [3, -0.09375],
    ]);
    expect(cubicTaps(-0.25, 3).map(([i]) => i)).toEqual([0, 0, 0, 1]);
    expect(cubicTaps(1.75, 2).map(([i]) => i)).toEqual([0, 1, 1, 1]);
    for (let at = -1; at < 5; at += 0.13) expect(sum(cubicTaps(at, 5))).toBeCloseTo(1, 12);
  });
});
