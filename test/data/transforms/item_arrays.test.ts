/** @file `onKeys`: arrays of the item that a transform looks at without transforming them. */
import { describe, expect, test } from "vitest";
import * as T from "../../../src/data/transforms/index.ts";
import { makeVolume } from "../../../src/data/volume.ts";
import type { HostArray } from "../../../src/host/array.ts";

const array = (shape: number[], at: (i: number) => number = (i) => i): HostArray => ({
  data: Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => at(i)),
  shape,
});

describe("onKeys: arrays of the item that a transform looks at", () => {
  const image = array([1, 2, 3], (i) => i + 1);

  test("MaskIntensity takes its maskKey", () => {
    const mask = array([1, 2, 3], (i) => i % 2);
    const masked = T.onKeys("image", new T.MaskIntensity({ maskKey: "mask" }));
    expect([...((masked.apply({ image, mask }) as T.Item).image as HostArray).data]).toEqual([0, 2, 0, 4, 0, 6]);
    expect(() => masked.apply({ image })).toThrow(/MaskIntensity: the item has no array under "mask"/);
    const fixed = T.onKeys("image", new T.MaskIntensity({ maskData: mask }));
    expect((fixed.apply({ image }) as T.Item).image).toMatchObject({ data: Float32Array.of(0, 2, 0, 4, 0, 6) });
  });

  test("ResampleToMatch takes its keyDst, labels by the nearest voxel", () => {
    const affine = [2, 2, 2].map((v, r) => [0, 1, 2, 3].map((c) => (c === r ? v : 0)));
    const target = makeVolume(array([1, 3, 3, 3]), [...affine, [0, 0, 0, 1]]);
    const item = {
      image: makeVolume(array([1, 5, 5, 5], (i) => i)),
      label: makeVolume(array([1, 5, 5, 5], (i) => i % 4)),
      target,
    };
    const match = new T.ResampleToMatch({ keyDst: "target" });
    const out = T.onKeys(["image", "label"], match, { labels: ["label"] }).apply(item) as typeof item;
    expect([out.image.shape, out.label.shape]).toEqual([target.shape, target.shape]);
    expect(out.image.affine).toEqual(target.affine);
    expect(out.label.data.every(Number.isInteger)).toBe(true);
    expect(out.image.data).toEqual(new T.ResampleToMatch({ imgDst: target }).apply(item.image).data);
    expect(() => match.apply(item.image)).toThrow(/keyDst "target" is an entry of items; use it under onKeys/);
  });

  test("RandShiftIntensity takes its factorKey", () => {
    const shift = new T.RandShiftIntensity({ offsets: [1, 1], prob: 1, factorKey: "factor" });
    const out = T.onKeys("image", shift).apply({ image, factor: 10 }) as T.Item;
    expect([...(out.image as HostArray).data]).toEqual([11, 12, 13, 14, 15, 16]);
    expect(() => T.onKeys("image", shift).apply({ image })).toThrow(/no number under "factor"/);
  });

  test("label crops take indices that were found before", () => {
    const label = array([1, 2, 3], () => 0);
    const found = { fg: { data: Int32Array.of(5), shape: [1] }, bg: [0] };
    const options = { spatialSize: [1, 1], pos: 1, neg: 0, fgIndicesKey: "fg", bgIndicesKey: "bg" };
    const crop = T.onKeys(["image"], new T.RandCropByPosNegLabel(options));
    expect(crop.apply({ image, label, ...found })).toMatchObject([{ image: { data: Float32Array.of(6) } }]);
    expect(() => crop.apply({ image, label })).toThrow(/no indices under "fg"/);
    const classes = new T.RandCropByLabelClasses({ spatialSize: [1, 1], ratios: [0, 1], indicesKey: "indices" });
    const byClass = T.onKeys(["image"], classes);
    expect(byClass.apply({ image, label, indices: [[0], [3]] })).toMatchObject([{ image: { data: Float32Array.of(4) } }]);
    expect(() => byClass.apply({ image, label })).toThrow(/no list of indices under "indices"/);
  });
});
