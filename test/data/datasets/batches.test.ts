/** @file Batches that keep what is no array, items in memory, moving windows, samplers and partitions. */

import { describe, expect, test } from "vitest";
import { CacheDataset, SmartCacheDataset } from "../../../src/data/datasets/cache_dataset.ts";
import { decollate, listDataCollate, padListDataCollate } from "../../../src/data/datasets/collate.ts";
import { deterministic, itemRandom } from "../../../src/data/datasets/dataset.ts";
import { memoryItemStore } from "../../../src/data/datasets/item_store.ts";
import { MapDataset } from "../../../src/data/datasets/map_dataset.ts";
import { expectNoLeak, partitionDataset, partitionDatasetClasses } from "../../../src/data/datasets/partition.ts";
import { classBalancedWeights, WeightedRandomSampler } from "../../../src/data/datasets/samplers.ts";
import { DataLoader } from "../../../src/data/loading/loader.ts";
import type { Item } from "../../../src/data/transforms/transform.ts";
import { identityAffine, makeVolume, type Volume } from "../../../src/data/volume.ts";
import { ConfigError, DataError, ShapeError } from "../../../src/host/errors.ts";

const random = () => itemRandom(0, 0, 0);
const array = (shape: number[], from = 0) => ({
  data: Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => from + i),
  shape,
});

describe("batches", () => {
  test("names and affines come back, arrays as views", () => {
    const volume = (k: number) => makeVolume(array([1, 2, 1, 1], k), identityAffine, { source: `${k}.nii` });
    const batch = listDataCollate([
      { image: volume(0), name: "a", age: 3 },
      { image: volume(5), name: "b", age: 4 },
    ]);
    expect(Object.keys(batch)).toEqual(["image", "age"]);
    const [, second] = decollate(batch);
    expect(second.name).toBe("b");
    const image = second.image as Volume;
    expect([...image.data]).toEqual([5, 6]);
    expect([image.affine, image.meta.source, image.data.buffer === batch.image.data.buffer]).toEqual([
      identityAffine,
      "5.nii",
      true,
    ]);
    const predicted = decollate({ scores: { data: Float32Array.of(7, 8), shape: [2, 1] } }, batch);
    expect(predicted.map((p) => [p.name, (p.scores as Volume).data[0]])).toEqual([
      ["a", 7],
      ["b", 8],
    ]);
  });
  test("lists give each sample its entry, single values go to all", () => {
    const samples = decollate({ image: array([2, 1, 2]), id: [7, 8], patient: ["a", "b"], site: "x", scale: array([], 3) });
    expect(samples.map(({ id, patient, site }) => [id, patient, site])).toEqual([
      [7, "a", "x"],
      [8, "b", "x"],
    ]);
    expect(samples.map(({ image }) => [...(image as Volume).data])).toEqual([
      [0, 1],
      [2, 3],
    ]);
    expect((samples[1].scale as Volume).data[0]).toBe(3);
    expect(() => decollate({ image: array([2, 1, 2]), id: [7] })).toThrow(ShapeError);
    expect(decollate({ site: "x" })).toEqual([]);
    expect(() => decollate(array([2, 1, 2]) as never)).toThrow(/bare array/);
  });
  test("ragged batches: an error that says what to do, or padding that decollate takes off", () => {
    const items = [{ image: array([1, 2, 3]) }, { image: array([1, 3, 2], 10) }];
    expect(() => listDataCollate(items)).toThrow(/padListDataCollate/);
    const batch = padListDataCollate({ value: -1 })(items);
    expect(batch.image.shape).toEqual([2, 1, 3, 3]);
    expect([...batch.image.data.subarray(9)]).toEqual([10, 11, -1, 12, 13, -1, 14, 15, -1]);
    expect(decollate(batch).map(({ image }) => [...(image as Volume).data])).toEqual(items.map(({ image }) => [...image.data]));
    expect(() => padListDataCollate()([{ image: array([1, 2]) }, { image: array([2, 2]) }])).toThrow(ShapeError);
  });
  test("items with other entries than the first are an error, whatever their order", () => {
    const [bare, labeled] = [{ image: array([1, 2]) }, { image: array([1, 2]), label: array([1, 2]) }];
    for (const more of [labeled, { ...bare, age: 3 }] as Item[]) {
      for (const items of [
        [bare, more],
        [more, bare],
        [{ ...bare, label: "none", age: "" }, more],
      ] as Item[][])
        // prettier-ignore
        for (const collate of [listDataCollate, padListDataCollate()]) expect(() => collate(items)).toThrow(/the same keys/);
    }
  });
  test("whole numbers keep their digits", () => {
    const numbers = (...values: number[]) => listDataCollate(values.map((id) => ({ id }))).id.data;
    expect(numbers(20261129001, 3)).toEqual(Float64Array.of(20261129001, 3));
    expect(numbers(0.1, 3)).toEqual(Float32Array.of(0.1, 3));
  });
  test("paths are an error", async () => {
    for (const items of [["a.nii.gz"], [{ image: "a.nii.gz" }]] as unknown as Item[][]) {
      await expect(new DataLoader(items).epoch(0).next()).rejects.toThrow(ConfigError);
    }
  });
});

describe("caches", () => {
  test("items kept in memory are read by their names", async () => {
    const store = memoryItemStore();
    await store.write("a.item", Uint8Array.of(1, 2));
    expect(await store.read("a.item")).toEqual(Uint8Array.of(1, 2));
    expect([await store.read("b.item"), [...store.files.keys()]]).toEqual([undefined, ["a.item"]]);
  });

  test("by bytes, and of functions that are marked", async () => {
    let loads = 0;
    const load = deterministic((item: Item): Item => (loads++, { ...item, image: array([25]) }));
    const data = new CacheDataset<Item>([{ id: 0 }, { id: 1 }, { id: 2 }], load, { maxBytes: 250 });
    for (let pass = 0; pass < 3; pass++) for (let i = 0; i < 3; i++) await data.get(i, random());
    expect(loads).toBe(5);
    expect(data.nameOf(1)).toBe("1");
  });
  test("items that lie in themselves, and arrays that are there twice, count once", async () => {
    const shared = array([25]);
    const load = deterministic(({ id }: Item): Item => {
      const item: Record<string, unknown> = { id, image: shared, again: shared };
      item.own = item;
      return item;
    });
    const data = new CacheDataset<Item>([{ id: 0 }, { id: 1 }], load, { maxBytes: 250 });
    const [a, b] = [await data.get(0, random()), await data.get(1, random())];
    expect([await data.get(0, random()), await data.get(1, random())]).toEqual([a, b]);
    expect(await data.get(1, random())).toBe(b);
  });
  test("a window that moves on with the epoch, whoever asks", async () => {
    let loads = 0;
    const load = { apply: (x: number) => (loads++, x) };
    const data = new SmartCacheDataset<number>([0, 1, 2, 3, 4], load, { cacheNum: 4, replaceRate: 0.25, shuffle: false });
    const epoch = async (e: number) => Promise.all([0, 1, 2, 3].map((i) => data.get(i, random(), e)));
    expect([await epoch(0), await epoch(1), await epoch(2)]).toEqual([
      [0, 1, 2, 3],
      [1, 2, 3, 4],
      [2, 3, 4, 0],
    ]);
    expect(loads).toBe(6);
    expect(await epoch(7)).toEqual(data.indices(7));
    const shuffled = new SmartCacheDataset<number>([0, 1, 2, 3, 4], [], { cacheNum: 3, seed: 1 });
    const loader = new DataLoader(new MapDataset<any>(shuffled as any, (id: number) => ({ id })), { batchSize: 3 });
    for (const e of [0, 3]) expect([...(await loader.epoch(e).next()).value!.id.data]).toEqual(shuffled.indices(e));
    expect(() => new SmartCacheDataset([1], [], { replaceRate: 0 })).toThrow(ConfigError);
  });
});

test("samplers", async () => {
  const weights = classBalancedWeights([0, 0, 0, 1]);
  expect(weights).toEqual([1 / 3, 1 / 3, 1 / 3, 1]);
  const sampler = new WeightedRandomSampler(weights, { numSamples: 4000, seed: 5 });
  const rare = sampler.indices(1).filter((i) => i === 3).length;
  expect(rare).toBeGreaterThan(1850);
  expect(rare).toBeLessThan(2150);
  expect(sampler.indices(1)).toEqual(sampler.indices(1));
  expect(new WeightedRandomSampler([1, 1, 1], { replacement: false }).indices(0).sort()).toEqual([0, 1, 2]);
  const ids = [0, 1, 2, 3].map((id) => ({ id }));
  const loader = new DataLoader(ids, { batchSize: 4000, sampler });
  expect(await loader.batchesPerEpoch()).toBe(1);
  expect([...(await loader.epoch(1).next()).value!.id.data]).toEqual(sampler.indices(1));
  expect(() => new DataLoader(ids, { shuffle: true, sampler })).toThrow(ConfigError);
  expect(() => new WeightedRandomSampler([0, 0])).toThrow(ConfigError);
});

test("partitions, and a patient in two parts", () => {
  const classes = ["b", "a", "b", "a"];
  expect(partitionDatasetClasses([0, 1, 2, 3], classes, { numPartitions: 2 })).toEqual([[1, 0], [3, 2]]); // prettier-ignore
  expect(partitionDataset([1, 2, 3, 4, 5], { numPartitions: 2, evenDivisible: true, dropLast: true })).toEqual([
    [1, 3],
    [2, 4],
  ]);
  expect(() => partitionDataset([1], { numPartitions: 2 })).toThrow(ConfigError);
  expect(() => partitionDataset([1, 2], { numPartitions: 2, dropLast: true })).toThrow(ConfigError);
  expect(() => expectNoLeak({ train: ["p1_visit1"], test: ["p2_visit1", "p1_visit2"] })).toThrow(/patient "p1".*train and test/);
  expect(() => expectNoLeak({ train: ["a"], test: ["a"] })).toThrow(DataError);
  expectNoLeak({ train: ["p1_visit1", "p1_visit2"], test: ["p2_visit1"] });
});
