/**
 * @file How many points filters and control grids have, against the formulas and results of batchgeneratorsv2 and MONAI 1.5; arrays without a place in
 * space; and element types that a transform with a probability gives.
 */
import { describe, expect, test } from "vitest";
import * as T from "../../../src/data/transforms/index.ts";
import { createControlGrid } from "../../../src/data/transforms/spatial/grids.ts";
import { sizeOf } from "../../../src/host/array.ts";

/** 0, 1, 2 … */
const counted = (...shape: number[]) => ({ data: Float32Array.from({ length: sizeOf(shape) }, (_, i) => i), shape });

describe("GaussianBlurTransform's weights reach over 6 sigma + ½, rounded half to even, then to the nearest odd number", () => {
  // 3.5 → 4 → 3; 4.1 → 4 → 5; 5 → 5; 6.5 → 6 → 7; 9.5 → 10 → 9
  test.each([
    [0.5, 3],
    [0.6, 5],
    [0.75, 5],
    [1, 7],
    [1.5, 9],
  ])("sigma %d: %d", (sigma, length) => {
    const impulse = { data: new Float32Array(21), shape: [1, 21] };
    impulse.data[10] = 1;
    const blur = new T.GaussianBlurTransform({ blurSigma: [sigma, sigma] });
    blur.setRandomState(1);
    expect(blur.apply(impulse).data.filter((v) => v > 0)).toHaveLength(length);
  });
});

test.each([
  [8, 3, 6],
  [9, 3, 7],
  [10, 2.5, 8],
  [7, 2, 7],
])("a control grid over %d voxels in steps of %d has %d points around its middle", (size, spacing, points) => {
  const grid = createControlGrid([size], [spacing]);
  expect(grid.shape).toEqual([2, points]);
  const wanted = Array.from({ length: points }, (_, i) => (i - (points - 1) / 2) * spacing);
  expect(Array.from(grid.data)).toEqual([...wanted, ...wanted.map(() => 1)]);
});

test("Orientation takes an array without an affine for one in RAS", () => {
  const turned = new T.Orientation({ axcodes: "LPS" }).apply(counted(1, 2, 3, 4));
  expect(turned.shape).toEqual([1, 2, 3, 4]);
  expect([...turned.data.subarray(0, 6)]).toEqual([20, 21, 22, 23, 16, 17]);
  const moved = new T.Orientation({ axcodes: "PIR" }).apply(counted(1, 2, 3, 4));
  expect(moved.shape).toEqual([1, 3, 4, 2]);
  expect([...moved.data.subarray(0, 6)]).toEqual([11, 23, 10, 22, 9, 21]);
  const plane = new T.Orientation({ axcodes: "AR" }).apply(counted(1, 2, 3));
  expect([...plane.data]).toEqual([0, 3, 1, 4, 2, 5]);
});

test("dtype is that of the result whether or not it acts, and null keeps the image's", () => {
  const image = { data: Float64Array.of(1, 2, 3, 4), shape: [1, 4] };
  for (const prob of [0, 1]) {
    const made = (dtype: "float32" | null) => {
      const t = new T.RandScaleIntensity({ factors: 0.5, prob, dtype });
      t.setRandomState(2);
      return t.apply(image).data;
    };
    expect(made("float32")).toBeInstanceOf(Float32Array);
    if (prob === 0) expect(made(null)).toBeInstanceOf(Float64Array);
  }
});
