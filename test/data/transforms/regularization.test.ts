/** @file `MixUp`, `CutMix`, `CutOut`: numpy's Beta numbers, one draw for images and labels, the same from the same seed, and what they refuse. MONAI's numbers are in test/conformance/more. */
import { describe, expect, test } from "vitest";
import { listDataCollate } from "../../../src/data/datasets/collate.ts";
import * as T from "../../../src/data/transforms/index.ts";
import { ConfigError, ShapeError } from "../../../src/host/errors.ts";
import { drawBeta } from "../../../src/host/random/beta.ts";
import { RandomState } from "../../../src/host/random/numpy.ts";

const items = Array.from({ length: 3 }, (_, n) => ({
  image: { data: Float32Array.from({ length: 24 }, (_v, i) => 100 * n + i), shape: [1, 4, 6] },
  label: { data: Uint8Array.from({ length: 24 }, () => n), shape: [1, 4, 6] },
}));
const batch = listDataCollate(items);

test.each<[number, number, [number[], number]]>([
  // numpy.random.RandomState(7).beta(a, b, 3), and random_sample() behind it.
  [1, 1, [[0.08912155549916569, 0.8742939571074294, 0.349383671764379], 0.6792299961209405]],
  [0.2, 0.7, [[3.690389037857229e-6, 0.025072786293163233, 0.575210133175851], 0.26843898010187117]],
  [3, 0.5, [[0.9648134202102704, 0.9990753630158554, 0.9880737937048913], 0.9312060196890217]],
  [2.5, 1, [[0.6903921402654213, 0.6309221138720223, 0.7865423034848097], 0.06593634690590511]],
])("Beta(%d, %d) is numpy's", (a, b, [numbers, after]) => {
  const random = new RandomState(7);
  drawBeta(random, a, b, 3).forEach((v, i) => expect(v).toBeCloseTo(numbers[i], 14));
  expect(random.rand()).toBe(after);
});

test("Beta of parameters so small that powers vanish is 0 or 1, and of none refused", () => {
  for (const v of drawBeta(new RandomState(0), 1e-5, 1e-5, 20)) expect(Math.min(v, 1 - v)).toBeLessThan(1e-9);
  expect(() => drawBeta(new RandomState(0), 0, 1, 1)).toThrow(ConfigError);
});

describe("a batch of a loader", () => {
  test("is cut alike in image and label map", () => {
    const t = T.onKeys(["image", "label"], new T.CutMix({ batchSize: 3 }), { labels: ["label"] }) as T.Randomizable &
      T.KeyTransform;
    let moved = 0;
    for (let step = 0; step < 8; step++) {
      t.setRandomState(new RandomState([5, 0, step]));
      const out = t.apply(batch) as typeof batch;
      out.label.data.forEach((n, i) => expect(out.image.data[i]).toBe(100 * n + (i % 24)));
      moved += out.label.data.filter((n, i) => n !== batch.label.data[i]).length;
      t.setRandomState(new RandomState([5, 0, step]));
      expect(t.apply(batch)).toEqual(out);
    }
    expect(moved).toBeGreaterThan(0);
    expect(batch.label.data[0]).toBe(0);
  });

  test("goes on from a state", () => {
    const [one, other] = [new T.MixUp({ batchSize: 3, alpha: 2 }), new T.MixUp({ batchSize: 3, alpha: 2 })];
    one.setRandomState(3).apply(batch.image);
    other.setState(JSON.parse(JSON.stringify(one.getState())) as T.TransformState);
    expect(other.apply(batch.image)).toEqual(one.apply(batch.image));
  });
});

describe("refuses", () => {
  test.each<[string, () => unknown, new (m: string) => Error, RegExp]>([
    ["an alpha of 0", () => new T.MixUp({ batchSize: 2, alpha: 0 }), ConfigError, /alpha must be above 0, got 0/],
    ["no batch", () => new T.CutOut({ batchSize: 0.5 }), ConfigError, /batchSize must be an integer/],
    ["a missing size", () => new T.CutMix({} as never), ConfigError, /"batchSize" is missing/],
    [
      "another batch",
      () => new T.CutMix({ batchSize: 2 }).apply(batch.image),
      ShapeError,
      /a batch \[2, C, …spatial\], got shape \[3, 1, 4, 6\]/,
    ],
    [
      "labels of images",
      () => new T.CutMix({ batchSize: 4 }).apply({ data: new Float32Array(8), shape: [4, 2] }),
      ShapeError,
      /…spatial/,
    ],
    [
      "class numbers",
      () => T.onKeys(["image", "label"], new T.MixUp({ batchSize: 3 }), { labels: ["label"] }).apply(batch),
      ConfigError,
      /other classes; give labels as one-hot/,
    ],
    ["to apply what was not drawn", () => new T.MixUp({ batchSize: 3 }).applyDrawn(batch.image), ConfigError, /call randomize/],
    [
      "another size than was drawn for",
      () => {
        const t = new T.CutOut({ batchSize: 3 });
        t.randomize(batch.image);
        t.applyDrawn({ data: new Float32Array(60), shape: [3, 1, 4, 5] });
      },
      ShapeError,
      /drawn for spatial shape \[4, 6\]/,
    ],
  ])("%s", (_, run, kind, why) => {
    expect(run).toThrow(kind);
    expect(run).toThrow(why);
  });
});
