/** @file One draw for several arrays of an item: of other shapes than it was drawn for, they are refused or sound, and patches lie at the same places. */
import { describe, expect, test } from "vitest";
import * as T from "../../../src/data/transforms/index.ts";
import { ShapeError } from "../../../src/host/errors.ts";
import type { HostArray } from "../../../src/host/array.ts";

const array = (shape: readonly number[], at: (i: number) => number = (i) => i): HostArray<Float32Array> => ({
  data: Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => at(i)),
  shape,
});
const image = array([2, 8, 7, 6], (i) => Math.sin(i) * 4);
const run = (transform: T.Transform, other: HostArray, options: T.OnKeysOptions = {}): T.Item[] => {
  const t = T.onKeys(["image", "other"], transform, options);
  if (T.isRandomizable(t)) t.setRandomState(3);
  return [t.apply({ image, other })].flat();
};

describe("another spatial shape is refused, where places were drawn", () => {
  test.each<[string, () => T.Transform]>([
    ["RandSpatialCrop", () => new T.RandSpatialCrop({ roiSize: 3 })],
    ["RandSpatialCropSamples", () => new T.RandSpatialCropSamples({ roiSize: 3, numSamples: 2 })],
    ["RandScaleCrop", () => new T.RandScaleCrop({ roiScale: 0.5 })],
    ["RandCropByPosNegLabel", () => new T.RandCropByPosNegLabel({ spatialSize: 3, labelKey: "image" })],
    ["RandCropByLabelClasses", () => new T.RandCropByLabelClasses({ spatialSize: 3, labelKey: "image" })],
    ["RandWeightedCrop", () => new T.RandWeightedCrop({ spatialSize: 3, wKey: "image", weightMap: array([1, 8, 7, 6]) })],
    ["RandGridPatch", () => new T.RandGridPatch({ patchSize: [2, 2, 2] })],
    ["GridPatch", () => new T.GridPatch({ patchSize: [2, 2, 2] })],
    ["RandCoarseShuffle", () => new T.RandCoarseShuffle({ prob: 1, holes: 2, spatialSize: 2 })],
    ["RandCoarseDropout", () => new T.RandCoarseDropout({ prob: 1, holes: 2, spatialSize: 2 })],
    ["GaussianNoiseTransform", () => new T.GaussianNoiseTransform()],
  ])("%s", (_, make) => {
    for (const shape of [[2, 4, 3, 5], [2, 12, 9, 11]]) expect(() => run(make(), array(shape))).toThrow(ShapeError); // prettier-ignore
    expect(run(make(), array([2, 8, 7, 6])).length).toBeGreaterThan(0);
  });
});

test.each<[string, () => T.Transform]>([
  ["RandScaleIntensity", () => new T.RandScaleIntensity({ prob: 1, factors: 1, channelWise: true })],
  ["RandShiftIntensity", () => new T.RandShiftIntensity({ prob: 1, offsets: 1, channelWise: true })],
  ["GammaTransform", () => new T.GammaTransform({ gamma: [0.5, 2] })],
  ["RandomGamma", () => new T.RandomGamma()],
])("%s refuses other channels than it drew for", (_, make) => {
  expect(() => run(make(), array([5, 8, 7, 6]))).toThrow(/drawn for 2 channels/);
});

test("holes of further channels are filled and shuffled as those before them", () => {
  const five = array([5, 8, 7, 6]);
  const shuffled = run(new T.RandCoarseShuffle({ prob: 1, holes: 3, spatialSize: 2, maxSpatialSize: 4 }), five)[0].other;
  expect([...(shuffled as HostArray).data].sort((a, b) => a - b)).toEqual([...five.data]);
  for (const dropoutHoles of [true, false]) {
    const [item] = run(new T.RandCoarseDropout({ prob: 1, holes: 3, spatialSize: 3, dropoutHoles }), five);
    expect((item.other as HostArray).data.every(Number.isFinite)).toBe(true);
  }
});

test("a label is filled with a number, never with what is drawn", () => {
  const label = array([1, 8, 7, 6], (i) => i % 3);
  const dropped = (fillValue: number | null) =>
    run(new T.RandCoarseDropout({ prob: 1, holes: 3, spatialSize: 3, fillValue }), label, { labels: ["other"] })[0].other;
  expect(dropped(null)).toBe(label);
  expect((dropped(9) as HostArray).data.filter((v) => v === 9).length).toBeGreaterThan(0);
});

test.each<[string, () => T.Transform]>([
  ["GridPatch by sums", () => new T.GridPatch({ patchSize: [4, 3, 3], numPatches: 3, sortFn: "max" })],
  ["GridPatch below a threshold", () => new T.GridPatch({ patchSize: [4, 3, 3], threshold: 0 })],
  ["RandGridPatch by sums", () => new T.RandGridPatch({ patchSize: [4, 3, 3], numPatches: 3, sortFn: "min" })],
  ["RandGridPatch at random", () => new T.RandGridPatch({ patchSize: [4, 3, 3], numPatches: 3, sortFn: "random" })],
])("%s takes the same patches of all arrays, by the first one's sums", (_, make) => {
  const negative = array(image.shape, (i) => -image.data[i]);
  const items = run(make(), negative);
  expect(items.length).toBeGreaterThan(0);
  for (const item of items) {
    const [a, b] = [item.image as HostArray, item.other as HostArray];
    expect([...b.data]).toEqual(Array.from(a.data, (v) => -v));
  }
});
