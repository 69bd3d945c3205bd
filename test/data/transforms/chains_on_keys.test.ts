/** @file Chains under keys: one draw for all arrays, labels that are not interpolated, and caches that know that they draw. */

import { expect, test } from "vitest";
import { CacheDataset } from "../../../src/data/datasets/cache_dataset.ts";
import { itemRandom } from "../../../src/data/datasets/dataset.ts";
import {
  Compose,
  NormalizeIntensity,
  OneOf,
  onKeys,
  RandFlip,
  RandGaussianNoise,
  RandSpatialCropSamples,
  Spacing,
  type Transform,
} from "../../../src/data/transforms/index.ts";
import type { HostArray } from "../../../src/host/array.ts";
import { makeVolume, type Volume } from "../../../src/data/volume.ts";

const affine = [
  [1, 0, 0, 0],
  [0, 1, 0, 0],
  [0, 0, 1, 0],
  [0, 0, 0, 1],
];
const ramp = (): Volume => makeVolume({ data: Float32Array.from({ length: 64 }, (_, i) => i), shape: [1, 4, 4, 4] }, affine);
const both = ["image", "label"];

test.each<[string, () => Transform]>([
  ["OneOf", () => new OneOf([new RandFlip({ prob: 0.5, spatialAxis: 0 }), new RandFlip({ prob: 0.5, spatialAxis: 1 })])],
  ["Compose", () => new Compose([new RandFlip({ prob: 0.5, spatialAxis: 0 })])],
])("%s draws once for image and label, from the dataset's source, anew in each epoch", async (_, chain) => {
  const data = new CacheDataset([{ image: ramp(), label: ramp() }], onKeys(both, chain()));
  const seen = new Set<string>();
  for (let epoch = 0; epoch < 12; epoch++) {
    const [item, again] = (await Promise.all([0, 0].map(() => data.get(0, itemRandom(0, epoch, 0))))) as {
      image: Volume;
      label: Volume;
    }[];
    const [image, label, repeated] = [item.image, item.label, (again as typeof item).image].map((x) =>
      String((x as Volume).data),
    );
    expect(label).toBe(image);
    expect(repeated).toBe(image);
    seen.add(image);
  }
  expect(seen.size).toBeGreaterThan(1);
});

test("labels in a chain are taken from the nearest voxel, and are known as labels behind it", async () => {
  const label = makeVolume({ data: Float32Array.from({ length: 64 }, (_, i) => (i % 3) * 10), shape: [1, 4, 4, 4] }, affine);
  const chain = onKeys(["label"], new Compose([new Spacing({ pixdim: [0.7, 0.7, 0.7] })]), { labels: ["label"] });
  const found = (chain.apply({ label }) as { label: Volume }).label;
  expect(new Set(found.data)).toEqual(new Set([0, 10, 20]));
  expect(found.meta.kind).toBe("label");
});

test("functions in a chain count as random for caches, and get what is under each key", async () => {
  let calls = 0;
  const plus = (x: HostArray): HostArray => ({ ...x, data: Float32Array.from(x.data, (v) => v + ++calls) });
  const image = { data: new Float32Array(1), shape: [1, 1] };
  const data = new CacheDataset([{ image }], [onKeys("image", new Compose([plus]))]);
  const values = [0, 1].map(async (epoch) => (await data.get(0, itemRandom(0, epoch, 0))) as { image: HostArray });
  expect((await Promise.all(values)).map((v) => v.image.data[0])).toEqual([1, 2]);
  const later = onKeys("image", new Compose([(x: HostArray) => Promise.resolve(plus(x))])) as Transform<object>;
  expect(((await later.applyAsync!({ image })) as { image: HostArray }).image.data[0]).toBe(3);
});

test("samples of a chain are items, awaited too", async () => {
  const crop = new RandSpatialCropSamples({ roiSize: 2, numSamples: 3, randomSize: false });
  const chain = onKeys(both, new Compose([crop])) as Transform<object>;
  const items = (await chain.applyAsync!({ image: ramp(), label: ramp() })) as { image: Volume; label: Volume }[];
  expect(items).toHaveLength(3);
  for (const { image, label } of items) expect(label.data).toEqual(image.data);
});

test("a chain in a list is kept by caches if none of its steps draws", async () => {
  const source = [{ image: ramp() }];
  const steps = (t: Transform) => [onKeys("image", new Compose([t]))];
  const kept = new CacheDataset(source, steps(new NormalizeIntensity()));
  const drawn = new CacheDataset(source, steps(new RandGaussianNoise({ prob: 1 })));
  const data = async (of: CacheDataset, epoch: number) =>
    ((await of.get(0, itemRandom(0, epoch, 0))) as { image: Volume }).image.data;
  expect(await data(kept, 1)).toBe(await data(kept, 0));
  expect(await data(drawn, 1)).not.toEqual(await data(drawn, 0));
});
