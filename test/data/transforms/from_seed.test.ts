/** @file Transforms whose parts draw for themselves give what MONAI's give from the same seed: smooth fields, elastic deformations. Values are MONAI's. */
import { describe, expect, test } from "vitest";
import type { HostArray } from "../../../src/host/array.ts";
import { RandomState } from "../../../src/host/random/numpy.ts";
import * as T from "../../../src/data/transforms/index.ts";

const ramp: HostArray = { data: Float32Array.from({ length: 120 }, (_, i) => i), shape: [1, 5, 6, 4] };
const noise: HostArray = {
  data: Float32Array.from(new RandomState(5).rand(126), (v) => Math.fround(Math.fround(v) * 4) - 1),
  shape: [2, 7, 9],
};
const places = [0, 17, 38, 59, 77, 101, 119];
const field = { prob: 0.9, spatialSize: [5, 6, 4], randSize: [2, 2, 2] };
const bent = { prob: 0.9, rotateRange: 0.2, paddingMode: "zeros" } as const;

const rows: [string, T.RandomTransform, HostArray, number[]][] = [
  [
    "RandSmoothFieldAdjustContrast",
    new T.RandSmoothFieldAdjustContrast(field),
    ramp,
    [0, 44.937744140625, 16.909221649169922, 26.78988265991211, 74.13758087158203, 99.568756103516, 119],
  ],
  [
    "RandSmoothFieldAdjustIntensity",
    new T.RandSmoothFieldAdjustIntensity(field),
    ramp,
    [0, 1.7017499208450317, 14.13977336883545, 27.476205825805664, 17.870182037353516, 23.440109252929688, 48.90955352783203],
  ],
  ["RandSmoothDeform", new T.RandSmoothDeform(field), ramp, [0, 16, 17, 63, 26, 74, 119]],
  [
    "Rand2DElastic",
    new T.Rand2DElastic({ ...bent, spacing: [3, 3], magnitudeRange: [1, 2] }),
    noise,
    [
      -0.1273079514503479, 0.0159895196557045, 0.6953486800193787, 1.5269737243652344, 0.4973803162574768, 0.36074337363243103,
      -0.005031231790781021,
    ],
  ],
  [
    "Rand3DElastic",
    new T.Rand3DElastic({ ...bent, sigmaRange: [1, 2], magnitudeRange: [5, 9] }),
    ramp,
    [
      0.012907350435853004, 17.701465606689453, 37.62356185913086, 56.170536041259766, 76.90526580810547, 99.41732788085938,
      85.90245056152344,
    ],
  ],
];

test.each(rows)("%s from seed 1", (_, transform, image, expected) => {
  transform.setRandomState(1);
  const out = transform.apply(image) as HostArray;
  expect(out.shape).toEqual(image.shape);
  places.forEach((at, i) => expect(out.data[at]).toBeCloseTo(expected[i], 3));
});

describe("state of a transform with parts", () => {
  const make = () => new T.RandAffine({ prob: 1, rotateRange: [0.3, 0.2, 0.1] });
  test.each([["a seed", 3] as const, ["a source", new RandomState(3)] as const])("goes on from %s", (_, seed) => {
    const first = make();
    first.setRandomState(seed);
    first.apply(ramp);
    const second = make();
    second.setState(JSON.parse(JSON.stringify(first.getState())) as T.TransformState);
    expect(second.apply(ramp)).toEqual(first.apply(ramp));
  });

  test("one source serves all parts, so that a part does not repeat what decided whether to act", () => {
    const random = new RandomState(3);
    make().setRandomState(random).apply(ramp);
    const drawn = new RandomState(3);
    drawn.rand(7);
    expect(random.rand()).toBe(drawn.rand());
  });
});

describe("smooth fields refuse", () => {
  test.each<[string, () => unknown, RegExp]>([
    ["a flat range", () => new T.RandSmoothFieldAdjustContrast({ ...field, gamma: 0.5 }), /two different numbers/],
    ["other axes", () => new T.RandSmoothDeform({ ...field, randSize: [2, 2] }), /3 axes, randSize 2/],
    ["a field without size", () => new T.RandSmoothDeform({ ...field, randSize: [] }), /randSize must be sizes/],
    ["another option", () => new T.RandSmoothDeform({ ...field, mode: "area" } as never), /no option "mode"/],
    [
      "images of another size",
      () => new T.RandSmoothFieldAdjustIntensity({ ...field, prob: 1 }).apply(noise),
      /images of size \[5, 6, 4\]/,
    ],
  ])("%s", (_, run, why) => expect(run).toThrow(why));
});
