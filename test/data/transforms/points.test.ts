/** @file Points, boxes, soft clipping, EnsureType, distances without background; values are MONAI's. */
import { describe, expect, test } from "vitest";
import type { HostArray } from "../../../src/host/array.ts";
import * as T from "../../../src/data/transforms/index.ts";

const ints = (shape: number[], ...data: number[]): HostArray => ({ data: Int32Array.from(data), shape });
const floats = (shape: number[], ...data: number[]): HostArray => ({ data: Float32Array.from(data), shape });
const moved = [
  [1, 0, 0, 10],
  [0, 1, 0, -4],
  [0, 0, 1, 0],
  [0, 0, 0, 1],
];

describe("ApplyTransformToPoints", () => {
  const points = ints([2, 2, 3], 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24);
  test("to voxels and back", () => {
    const inside = new T.ApplyTransformToPoints({ affine: moved }).apply(points);
    expect(inside).toEqual(ints([2, 2, 3], -8, 8, 6, -2, 14, 12, 4, 20, 18, 10, 26, 24));
    expect(new T.ApplyTransformToPoints({ affine: moved, invertAffine: false }).apply(inside)).toEqual(points);
  });
  test("space of the other handedness", () => {
    const t = new T.ApplyTransformToPoints({ affineLpsToRas: true });
    expect(t.apply(points, moved)).toEqual(ints([2, 2, 3], -12, 0, 6, -18, -6, 12, -24, -12, 18, -30, -18, 24));
  });
  test("an affine of three axes serves two, and points may have their own", () => {
    const flat = ints([1, 3, 2], 2, 2, 2, 4, 4, 6);
    const twice = moved.map((row, r) => row.map((v, c) => (c === 3 ? Number(r === 3) : 2 * v)));
    expect(new T.ApplyTransformToPoints({ affine: twice }).apply(flat)).toEqual(ints([1, 3, 2], 1, 1, 1, 2, 2, 3));
    expect(new T.ApplyTransformToPoints({ affine: twice }).apply({ ...flat, affine: twice } as never)).toEqual(flat);
  });
  test.each<[string, () => unknown, RegExp]>([
    ["no affine", () => new T.ApplyTransformToPoints().apply(points), /there is no affine/],
    ["other points", () => new T.ApplyTransformToPoints({ affine: moved }).apply(ints([2, 2], 1, 2, 3, 4)), /\[C, N, 2 or 3\]/],
    ["another matrix", () => new T.ApplyTransformToPoints({ affine: [[1]] }).apply(points), /3×3 or 4×4/],
  ])("refuses %s", (_, run, why) => expect(run).toThrow(why));
});

describe("boxes", () => {
  const box = ints([1, 4], 10, 20, 20, 20);
  test("corners of a box by its center, and the box around them", () => {
    const corners = new T.ConvertBoxToPoints({ mode: "ccwh" }).apply(box);
    expect(corners).toEqual(ints([1, 4, 2], 0, 10, 20, 10, 20, 30, 0, 30));
    expect(new T.ConvertPointsToBoxes().apply(corners)).toEqual(ints([1, 4], 0, 10, 20, 30));
  });
  test.each<[T.BoxMode, number[]]>([
    ["xyzxyz", [1, 2, 3, 5, 8, 6]],
    ["xxyyzz", [1, 5, 2, 8, 3, 6]],
    ["xyxyzz", [1, 2, 5, 8, 3, 6]],
    ["xyzwhd", [1, 2, 3, 4, 6, 3]],
    ["cccwhd", [3, 5, 4.5, 4, 6, 3]],
  ])("%s there and back", (mode, row) => {
    const corners = floats([1, 6], 1, 2, 3, 5, 8, 6);
    expect(T.convertBoxMode(corners, null, mode)).toEqual(floats([1, 6], ...row));
    expect(T.convertBoxMode(floats([1, 6], ...row), mode)).toEqual(corners);
  });
  test("refuse other rows and modes", () => {
    expect(() => T.convertBoxMode(box, "cccwhd")).toThrow(/boxes of 6 numbers/);
    expect(() => T.convertBoxMode(box, "what" as T.BoxMode)).toThrow(/unknown box mode/);
  });
});

test("softClip goes over smoothly at the ends that it has", () => {
  const x = floats([4], 0, 0.5, 1, 4);
  const out = T.softClip(x, { maxv: 1 });
  [-0.31326, 0.02592, 0.30685, 0.95141].forEach((v, i) => expect(out.data[i]).toBeCloseTo(v, 4));
  expect(Array.from(T.softClip(x, { minv: 0.5, maxv: 1, sharpnessFactor: 1e4 }).data)).toEqual([
    0.5,
    expect.closeTo(0.5, 3),
    expect.closeTo(1, 3),
    1,
  ]);
  expect(() => T.softClip(x, { sharpnessFactor: 0 })).toThrow(/above 0/);
});

test("EnsureType makes arrays of numbers in records and lists", () => {
  const t = new T.EnsureType();
  expect(t.apply([[1, 2], [3, 4]])).toEqual(ints([2, 2], 1, 2, 3, 4)); // prettier-ignore
  expect(t.apply({ dims: 3, mean: [0.5], path: "a", none: null })).toEqual({
    dims: ints([], 3),
    mean: floats([1], 0.5),
    path: "a",
    none: null,
  });
  expect(t.apply([true, false])).toEqual({ data: Uint8Array.of(1, 0), shape: [2] });
  expect(new T.EnsureType({ wrapSequence: false, dtype: "float32" }).apply([1, 2])).toEqual([floats([], 1), floats([], 2)]);
  expect(() => t.apply([[1], [2, 3]])).toThrow(/differ in length/);
});

test("distances in a channel without background are SciPy's", () => {
  const out = new T.DistanceTransformEDT({ sampling: [2, 1, 0.5] }).apply({
    data: new Uint8Array(24).fill(1),
    shape: [1, 2, 3, 4],
  });
  [2, 2.06155281, 2.23606798, 2.5].forEach((v, i) => expect(out.data[i]).toBeCloseTo(v, 7));
  expect(out.data[23]).toBeCloseTo(4.71699057, 7);
});
