/** @file Distances on a grid equal those found by looking at every pair of voxels. */

import { describe, expect, it } from "vitest";
import { distanceTransformCdt, distanceTransformEdt, nearestZeros, siteDistances } from "../../../src/host/grid/distance.ts";
import { maskEdges } from "../../../src/host/grid/mask.ts";
import { ConfigError, ShapeError } from "../../../src/host/errors.ts";
import { sizeOf } from "../../../src/host/array.ts";
import { RandomState } from "../../../src/host/random/numpy.ts";

const place = (i: number, shape: readonly number[]): number[] => {
  const at: number[] = [];
  for (let a = shape.length - 1, rest = i; a >= 0; rest = Math.floor(rest / shape[a]), a--) at.unshift(rest % shape[a]);
  return at;
};

/** Distance to the nearest zero by a rule for two places. */
function nearest(mask: Uint8Array, shape: readonly number[], rule: (d: readonly number[]) => number): number[] {
  const places = [...mask.keys()].map((i) => place(i, shape));
  return places.map((a) => {
    let least = Infinity;
    places.forEach((b, j) => {
      if (mask[j] === 0) least = Math.min(least, rule(a.map((v, k) => Math.abs(v - b[k]))));
    });
    return least;
  });
}

const cases: readonly (readonly [shape: number[], sampling: number[], zeros: number])[] = [
  [[37], [0.4], 0.1],
  [[11, 13], [1, 1], 0.04],
  [[5, 9, 7], [2.5, 0.7, 1.1], 0.02],
  [[6, 1, 8], [1, 3, 2], 0.1],
];

describe.each(cases)("of %j with voxels %j", (shape, sampling, zeros) => {
  const random = new RandomState(7);
  const mask = Uint8Array.from({ length: sizeOf(shape) }, (_, i) => (i === 3 || random.rand() < zeros ? 0 : 1));
  const image = { data: mask, shape };

  it("Euclidean distances and the zeros that they are to", () => {
    const expected = nearest(mask, shape, (d) => Math.hypot(...d.map((v, k) => v * sampling[k])));
    const found = distanceTransformEdt(image, { sampling });
    found.data.forEach((v, i) => expect(v).toBeCloseTo(expected[i], 12));
    const zerosAt = nearestZeros(image, { sampling }).data;
    found.data.forEach((v, i) => {
      const d = place(i, shape).map((p, k) => (p - zerosAt[k * mask.length + i]) * sampling[k]);
      expect(Math.hypot(...d)).toBeCloseTo(v, 12);
    });
  });

  it("steps", () => {
    expect(Array.from(distanceTransformCdt(image, "chessboard").data)).toEqual(nearest(mask, shape, (d) => Math.max(...d)));
    expect(Array.from(distanceTransformCdt(image, "taxicab").data)).toEqual(
      nearest(mask, shape, (d) => d.reduce((a, b) => a + b)),
    );
  });
});

describe("distances", () => {
  const full = { data: Uint8Array.of(1, 1, 1, 1), shape: [2, 2] };

  it("are infinite, or −1 steps, without a zero", () => {
    expect(Array.from(distanceTransformEdt(full).data)).toEqual([Infinity, Infinity, Infinity, Infinity]);
    expect(Array.from(nearestZeros(full).data)).toEqual(new Array(8).fill(-1));
    expect(Array.from(distanceTransformCdt(full).data)).toEqual([-1, -1, -1, -1]);
    const { distance, voxel } = siteDistances(new Uint8Array(4), Uint8Array.of(0, 1, 0, 1), [1, 2, 2], [1, 1, 1]);
    expect([...distance, ...voxel]).toEqual([Infinity, Infinity, 1, 3]);
  });

  it("are refused for other ranks and sizes", () => {
    expect(() => distanceTransformEdt({ data: new Uint8Array(1), shape: [1, 1, 1, 1] })).toThrow(ShapeError);
    expect(() => distanceTransformEdt({ data: new Uint8Array(70_000), shape: [70_000] })).toThrow(ShapeError);
    expect(() => distanceTransformEdt(full, { sampling: [1, 0] })).toThrow(ConfigError);
    expect(() => distanceTransformEdt(full, { sampling: [1, 1, 1] })).toThrow(ConfigError);
    expect(() => distanceTransformCdt(full, "cityblock" as "taxicab")).toThrow(ConfigError);
  });
});

describe("maskEdges", () => {
  it("has the voxels with a neighbor outside, also beyond the image", () => {
    const square = new Uint8Array(25).fill(1);
    const ring = Uint8Array.from(square, (_, i) => (i % 5 > 0 && i % 5 < 4 && i > 4 && i < 20 ? 0 : 1));
    expect(maskEdges(square, [1, 5, 5], 2)).toEqual(ring);
    expect(maskEdges(square, [1, 5, 5], 3)).toEqual(square);
    expect(Array.from(maskEdges(Uint8Array.of(1, 1, 1, 0, 1), [1, 1, 5], 1))).toEqual([1, 0, 1, 0, 1]);
    expect(Array.from(maskEdges(Uint8Array.of(1, 1, 1, 0, 1), [1, 1, 5], 3, true))).toEqual([0, 0, 1, 0, 1]);
    expect(maskEdges(square, [1, 5, 5], 3, true)).toEqual(new Uint8Array(25));
  });
});
