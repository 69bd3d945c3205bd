/** @file Surface metrics: values by hand, areas of neighbor codes, empty masks, what is refused. Numbers of MONAI are in the conformance suite. */

import { describe, expect, it } from "vitest";
import { computeHausdorffDistance, HausdorffDistanceMetric } from "../../../src/seg/metrics/hausdorff_distance.ts";
import { computeChaosMetrics } from "../../../src/seg/metrics/chaos.ts";
import { codeAreas, codeLengths } from "../../../src/seg/metrics/neighbor_codes.ts";
import { computeSurfaceDice } from "../../../src/seg/metrics/surface_dice.ts";
import { computeAverageSurfaceDistance } from "../../../src/seg/metrics/surface_distance.ts";
import { ConfigError, ShapeError } from "../../../src/host/errors.ts";
import type { HostArray } from "../../../src/host/array.ts";

/** A mask `[1, 1, 9, 9, 9]` of a box. */
function box(from: readonly number[], to: readonly number[]): HostArray {
  const data = Uint8Array.from({ length: 729 }, (_, i) =>
    [Math.floor(i / 81), Math.floor(i / 9) % 9, i % 9].every((p, a) => p >= from[a] && p < to[a]) ? 1 : 0,
  );
  return { data, shape: [1, 1, 9, 9, 9] };
}

const a = box([2, 2, 2], [5, 5, 5]);
const moved = box([2, 2, 4], [5, 5, 7]);
const empty = box([0, 0, 0], [0, 0, 0]);
const first = (h: HostArray): number => h.data[0];

describe("surface metrics", () => {
  it("of a box that was moved by two voxels", () => {
    expect(first(computeHausdorffDistance(a, moved))).toBe(2);
    expect(first(computeHausdorffDistance(a, moved, { spacing: [1, 1, 1.5] }))).toBe(3);
    expect(first(computeHausdorffDistance(a, moved, { distanceMetric: "taxicab", directed: true, spacing: 7 }))).toBe(2);
    // The 26 edge voxels of each: 9 at distance 2, the 8 of the ring beside them at 1, 9 are on the other's edge.
    expect(first(computeAverageSurfaceDistance(a, moved, { symmetric: true }))).toBeCloseTo((9 * 2 + 8) / 26, 12);
    expect(first(computeSurfaceDice(a, moved, { classThresholds: [1] }))).toBeCloseTo(17 / 26, 12);
  });

  it("take a percentile of each direction, or of both pooled", () => {
    const larger = box([2, 2, 2], [5, 5, 8]);
    const each = first(computeHausdorffDistance(a, larger, { percentile: 50 }));
    const pooled = first(computeHausdorffDistance(a, larger, { percentile: 50, percentileOf: "pooled" }));
    expect(each).toBeGreaterThan(pooled);
  });

  it("of empty masks are NaN, infinite or 0", () => {
    expect(first(computeHausdorffDistance(empty, empty))).toBeNaN();
    expect(first(computeHausdorffDistance(a, empty))).toBe(Infinity);
    expect(first(computeAverageSurfaceDistance(empty, a))).toBe(Infinity);
    expect(first(computeSurfaceDice(empty, empty, { classThresholds: [1] }))).toBeNaN();
    for (const useSubvoxels of [false, true]) {
      expect(first(computeSurfaceDice(a, empty, { classThresholds: [9], useSubvoxels }))).toBe(0);
      expect(first(computeSurfaceDice(empty, a, { classThresholds: [9], useSubvoxels }))).toBe(0);
      expect(first(computeSurfaceDice(a, a, { classThresholds: [0], useSubvoxels }))).toBe(1);
    }
  });

  it("accumulate, with a voxel size per batch or per sample", () => {
    const metric = new HausdorffDistanceMetric();
    metric.append(a, moved, { spacing: 2 });
    metric.append([a, a].map(sample), [moved, a].map(sample), { spacing: [[1, 1, 3]] });
    expect(metric.aggregate("none").value.data).toEqual(Float64Array.of(4, 6, 0));
  });

  it("refuse what does not fit", () => {
    expect(() => computeHausdorffDistance(a, { ...a, shape: [1, 1, 9, 81] })).toThrow(ShapeError);
    expect(() => computeHausdorffDistance(a, a, { percentile: 101 })).toThrow(ConfigError);
    expect(() => computeHausdorffDistance(a, a, { spacing: [1, 2] })).toThrow(ConfigError);
    expect(() => computeHausdorffDistance(a, a, { symmetric: true } as object)).toThrow(
      /there is no option "symmetric"; known are/,
    );
    expect(() => computeSurfaceDice(a, a, { classThresholds: [1, 1] })).toThrow(/2 entries for 1 scored classes/);
    expect(() => computeSurfaceDice(a, a, { classThresholds: [-1] })).toThrow(ConfigError);
  });
});

const sample = (h: HostArray): HostArray => ({ data: h.data, shape: h.shape.slice(1) });

describe("areas of neighbor codes", () => {
  it("are those of marching cubes, the same for a code and its complement", () => {
    const areas = codeAreas([1, 1, 1]);
    expect([0, 1, 3, 15, 255].map((c) => areas[c])).toEqual([0, Math.sqrt(3) / 8, Math.SQRT1_2, 1, 0]);
    areas.forEach((v, code) => expect(v).toBeCloseTo(areas[255 - code], 14));
  });

  it("follow the voxel size", () => {
    const areas = codeAreas([3, 2, 1]);
    // Half of the cube inside, along each axis: the area of its face.
    expect([0b11110000, 0b11001100, 0b10101010].map((c) => areas[c])).toEqual([2, 3, 6]);
    expect([1, 3, 5, 6].map((c) => codeLengths([3, 4])[c])).toEqual([2.5, 4, 3, 5]);
  });
});

describe("computeChaosMetrics", () => {
  it("has no edge where the volume ends", () => {
    const slab = (n: number): HostArray => ({
      data: Uint8Array.from({ length: 60 }, (_, i) => (i % 5 < n ? 1 : 0)),
      shape: [3, 4, 5],
    });
    const found = computeChaosMetrics(slab(2), slab(4), { spacing: [1, 1, 3] });
    expect(found).toEqual({ dice: 2 / 3, ravd: 50, assd: 6, mssd: 6 });
  });
});
