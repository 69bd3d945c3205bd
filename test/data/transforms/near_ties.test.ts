/** @file Places halfway between two voxels go where MONAI 1.5 with torch 2.13 has them; what is sampled are the numbers of the voxels. */
import { expect, test } from "vitest";
import { Affine, RandAffine, Rotate, Spacing, SpatialResample, type Transform } from "../../../src/data/transforms/index.ts";
import { type HostArray, sizeOf } from "../../../src/host/array.ts";

const numbered = (shape: readonly number[]) => ({
  data: Float32Array.from({ length: sizeOf(shape) }, (_, i) => i),
  shape: [1, ...shape],
});
const sampled = (t: Transform, shape: readonly number[]) => Array.from((t.apply(numbered(shape)) as HostArray).data);

test("float64: every fourth voxel of a slice, every fourth and sixth of a volume", () => {
  const slice = [
    [4, 0, 1.5],
    [0, 4, 1.5],
    [0, 0, 1],
  ];
  expect(sampled(new SpatialResample({ dstAffine: slice, mode: "nearest", paddingMode: "reflection" }), [59, 7])).toEqual([
    9, 13, 37, 41, 65, 69, 93, 97, 121, 125, 149, 153, 177, 181, 212, 216, 233, 237, 268, 272, 296, 300, 317, 321, 352, 356, 380,
    384, 401, 405, 394, 398,
  ]);
  const volume = [
    [4, 0, 0, 1.5],
    [0, 6, 0, 2.5],
    [0, 0, 4, 1.5],
    [0, 0, 0, 1],
  ];
  expect(sampled(new SpatialResample({ dstAffine: volume, mode: "nearest", paddingMode: "reflection" }), [16, 10, 10])).toEqual([
    222, 226, 229, 292, 296, 299, 622, 626, 629, 692, 696, 699, 1022, 1026, 1029, 1092, 1096, 1099, 1422, 1426, 1429, 1492, 1496,
    1499, 1422, 1426, 1429, 1492, 1496, 1499,
  ]);
});

test("float64: voxels of half a size and more", () => {
  const image = { ...numbered([5, 20]), affine: [0.7, 2, 1, 1].map((v, r) => [0, 1, 2, 3].map((c) => (r === c ? v : 0))) };
  const t = new Spacing({ pixdim: [3, 3], mode: "nearest", paddingMode: "border" });
  expect(Array.from((t.apply(image) as HostArray).data)).toEqual([
    0, 1, 3, 4, 6, 8, 9, 10, 12, 14, 15, 17, 18, 19, 80, 81, 83, 84, 86, 88, 89, 90, 92, 94, 95, 97, 98, 99,
  ]);
});

test("float32: a turn by an eighth, and one whose center is halfway", () => {
  expect(sampled(new Rotate({ angle: Math.PI / 4, mode: "nearest", paddingMode: "reflection" }), [28, 4])).toEqual([
    20, 16, 16, 13, 24, 20, 17, 18, 24, 25, 22, 18, 29, 26, 26, 23, 34, 30, 27, 27, 38, 35, 31, 26, 39, 39, 34, 30, 43, 38, 38,
    33, 46, 42, 37, 36, 46, 45, 40, 36, 49, 44, 44, 40, 52, 48, 44, 45, 56, 52, 49, 46, 56, 57, 54, 50, 61, 58, 58, 55, 65, 62,
    59, 59, 66, 67, 63, 59, 71, 67, 67, 62, 75, 71, 66, 65, 75, 74, 69, 65, 78, 73, 73, 68, 81, 77, 72, 72, 85, 80, 76, 73, 84,
    84, 81, 77, 88, 85, 85, 82, 93, 89, 86, 87, 93, 94, 91, 87, 98, 95, 95, 91,
  ]);
  const angle = -0.15780876215424233;
  expect(sampled(new Rotate({ angle, keepSize: false, mode: "nearest", paddingMode: "reflection" }), [6, 6])).toEqual([
    0, 1, 2, 3, 4, 5, 5, 0, 1, 2, 9, 10, 11, 11, 6, 7, 8, 15, 16, 17, 17, 12, 13, 14, 15, 21, 22, 23, 18, 18, 19, 20, 27, 28, 29,
    24, 24, 25, 26, 33, 34, 35, 30, 30, 31, 32, 33, 34, 35,
  ]);
});

test("float32, by a grid of centered voxels: half a voxel, every second one, a quarter turn", () => {
  const at = (options: object) => sampled(new Affine({ mode: "nearest", paddingMode: "border", ...options }), [2, 7]);
  expect(at({ translateParams: [0, 0.5] })).toEqual([0, 1, 2, 4, 4, 6, 6, 7, 8, 9, 11, 11, 13, 13]);
  expect(at({ scaleParams: [1, 2] })).toEqual([0, 0, 1, 3, 5, 6, 6, 7, 7, 8, 10, 12, 13, 13]);
  const turned = at({ rotateParams: Math.PI / 2, translateParams: [0.5, 0.5] });
  expect(turned).toEqual([10, 10, 10, 3, 3, 3, 3, 11, 11, 11, 4, 4, 4, 4]);
});

test("float64, by a grid of centered voxels that RandAffine leaves as it is", () => {
  const t = new RandAffine({ prob: 0, spatialSize: [4, 5], mode: "nearest", paddingMode: "border" });
  expect(sampled(t, [9, 12])).toEqual([40, 40, 42, 42, 44, 52, 52, 54, 54, 56, 52, 52, 54, 54, 56, 76, 76, 78, 78, 80]);
});

test("a turn in float32 and in float64 parts over one voxel", () => {
  const turned = (options: object) =>
    sampled(new Rotate({ angle: 0.33, keepSize: false, mode: "nearest", paddingMode: "border", ...options }), [6, 3]);
  const single = [
    0, 0, 0, 1, 2, 3, 3, 3, 1, 2, 6, 6, 7, 5, 5, 9, 9, 10, 8, 8, 12, 12, 10, 11, 11, 15, 16, 14, 14, 14, 15, 16, 17, 17, 17,
  ];
  expect(turned({})).toEqual(single);
  expect(turned({ dtype: "float64" })).toEqual(single.with(17, 7));
  expect(() => turned({ dtype: "float16" })).toThrow('Rotate: dtype must be "float32" or "float64", got "float16"');
});
