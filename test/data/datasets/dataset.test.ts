/** @file Datasets: caching up to the first random transform, patches, grids and the shuffle buffer, against MONAI's numbers. */

import { describe, expect, test } from "vitest";
import { listDataCollate } from "../../../src/data/datasets/collate.ts";
import { CacheDataset } from "../../../src/data/datasets/cache_dataset.ts";
import { firstRandom, itemRandom, type ItemTransform } from "../../../src/data/datasets/dataset.ts";
import { MapDataset } from "../../../src/data/datasets/map_dataset.ts";
import { PatchDataset } from "../../../src/data/datasets/patch_dataset.ts";
import { ShuffleBuffer } from "../../../src/data/datasets/shuffle_buffer.ts";
import { type GridPadMode, GridPatchDataset, PatchIter, PatchIterd } from "../../../src/data/datasets/grid_patch_dataset.ts";
import { iterPatchPosition } from "../../../src/data/datasets/patch_position.ts";
import { Compose } from "../../../src/data/transforms/compose.ts";
import type { Item } from "../../../src/data/transforms/transform.ts";
import { ConfigError, DataError, ShapeError } from "../../../src/host/errors.ts";

const array = (values: number[], shape: number[] = [values.length]) => ({ data: Float32Array.from(values), shape });
const all = async <T>(from: AsyncIterable<T>): Promise<T[]> => {
  const out: T[] = [];
  for await (const x of from) out.push(x);
  return out;
};
const random = () => itemRandom(0, 0, 0);

describe("CacheDataset", () => {
  test("transforms up to the first random one run once", async () => {
    let loads = 0;
    const load = { apply: (x: Item) => (loads++, { ...x, loaded: true }) };
    const noise = (x: Item, r: { rand(): number }) => ({ ...x, noise: r.rand() });
    const data = new CacheDataset<Item>([{ id: 0 }, { id: 1 }, { id: 2 }], [load, noise, load], { cacheNum: 2 });
    expect(data.cached).toBe(2);
    const first = (await data.get(0, itemRandom(0, 0, 0))) as Item;
    const again = (await data.get(0, itemRandom(0, 1, 0))) as Item;
    expect(first).toMatchObject({ id: 0, loaded: true });
    expect(first.noise).not.toBe(again.noise);
    expect(loads).toBe(3);
    await data.get(2, random());
    await data.get(2, random());
    expect(loads).toBe(7);
  });
  test("sizes and first random index as in MONAI", () => {
    const items = Array.from({ length: 10 }, (_, id) => ({ id }));
    expect(new CacheDataset(items, [], { cacheNum: 4 }).cached).toBe(4);
    expect(new CacheDataset(items, [], { cacheRate: 0.55 }).cached).toBe(5);
    const fixed = { apply: (x: Item) => x };
    expect(firstRandom([fixed, (x: Item) => x, fixed])).toBe(1);
    expect(firstRandom([fixed, fixed])).toBe(2);
    expect(() => new CacheDataset(items, [], { cacheRate: 2 })).toThrow(ConfigError);
  });
  test("a failed load is tried again", async () => {
    let fail = true;
    const data = new CacheDataset<Item>([{ id: 0 }], {
      apply: (x: Item) => {
        if (fail) throw new DataError("disk");
        return x;
      },
    });
    await expect(data.get(0, random())).rejects.toThrow("disk");
    fail = false;
    expect(await data.get(0, random())).toEqual({ id: 0 });
  });
});

describe("PatchDataset", () => {
  const twice: ItemTransform = (x) => [x, x];
  test("gives the patches of an image, each transformed", async () => {
    const tag = (x: Item, r: { rand(): number }) => ({ ...x, tag: r.rand() });
    const data = new PatchDataset<Item>([{ id: 7 }], { patchFunc: twice, samplesPerImage: 2, transform: tag });
    const [a, b] = await data.get(0, random());
    expect([a.id, b.id]).toEqual([7, 7]);
    expect(a.tag).not.toBe(b.tag);
    expect(data.samplesPerItem).toBe(2);
  });
  test("a wrong number of patches is named", async () => {
    const data = new PatchDataset<Item>([{ id: 7 }], { patchFunc: twice, samplesPerImage: 4 });
    await expect(data.get(0, random())).rejects.toThrow(/gave 2 patches for image 0; samplesPerImage says 4/);
    await expect(new PatchDataset(new MapDataset<Item>([{}], twice), { patchFunc: twice }).get(0, random())).rejects.toThrow(
      ConfigError,
    );
  });
});

describe("ShuffleBuffer", () => {
  test("order of MONAI, iteration by iteration", async () => {
    const buffer = new ShuffleBuffer([0, 1, 2, 3, 4, 5, 6, 7, 8, 9], { bufferSize: 4, seed: 1 });
    expect(await all(buffer)).toEqual([0, 4, 1, 3, 2, 8, 7, 6, 5, 9]);
    expect(await all(buffer)).toEqual([2, 0, 1, 6, 4, 7, 8, 5, 3, 9]);
  });
  test("several passes, and options out of range", async () => {
    expect((await all(new ShuffleBuffer([1, 2, 3], { epochs: 2 }))).sort()).toEqual([1, 1, 2, 2, 3, 3]);
    expect(() => new ShuffleBuffer([], { bufferSize: 0 })).toThrow(ConfigError);
    expect(() => new ShuffleBuffer([], { epochs: -1 })).toThrow(ConfigError);
    expect(() => new ShuffleBuffer(new ShuffleBuffer([]))).toThrow(ConfigError);
  });
});

describe("PatchIter", () => {
  const image = array(
    Array.from({ length: 16 }, (_, i) => i),
    [1, 4, 4],
  );
  const run = (patchSize: number[], mode?: GridPadMode, startPos?: number[]) =>
    [...new PatchIter({ patchSize, mode, startPos }).patches(image)].map(({ patch, coords }) => ({
      values: [...patch.data],
      shape: patch.shape,
      at: [...coords.data],
    }));

  test("sizes and starts are whole voxels", () => {
    for (const startPos of [
      [0, 0.5],
      [0, NaN],
      [0, "1"],
    ] as number[][]) {
      expect(() => run([3, 3], "edge", startPos)).toThrow(ConfigError);
      expect(() => iterPatchPosition([4], [3], { startPos })).toThrow(ConfigError);
    }
    for (const size of [2.5, -1, NaN]) {
      expect(() => run([size])).toThrow(ConfigError);
      expect(() => iterPatchPosition([4], [size])).toThrow(ConfigError);
    }
  });

  test("edge padding fills the last patches", () => {
    const patches = run([3, 3], "edge");
    expect(patches.map((p) => p.at)).toEqual([
      [0, 1, 0, 3, 0, 3],
      [0, 1, 0, 3, 3, 6],
      [0, 1, 3, 6, 0, 3],
      [0, 1, 3, 6, 3, 6],
    ]);
    expect(patches[1].values).toEqual([3, 3, 3, 7, 7, 7, 11, 11, 11]);
    expect(patches[3].values).toEqual([15, 15, 15, 15, 15, 15, 15, 15, 15]);
  });
  test("0 takes the axis; wrap and constant; no padding leaves partial patches out", () => {
    expect(run([2, 0]).map((p) => p.at)).toEqual([
      [0, 1, 0, 2, 0, 4],
      [0, 1, 2, 4, 0, 4],
    ]);
    expect(run([3, 0])[1].values).toEqual([12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7]);
    expect(run([3, 0], "constant")[1].values.slice(4)).toEqual([0, 0, 0, 0, 0, 0, 0, 0]);
    expect(run([3, 3], null)).toHaveLength(1);
    expect(run([9, 9], null)[0].shape).toEqual([1, 4, 4]);
    expect(run([2, 2], "constant", [0, -1, 0])[0].values).toEqual([0, 0, 0, 1]);
  });
  test("null takes an axis whole, as 0 does; what is no size is refused", () => {
    const image = { data: Float32Array.from({ length: 12 }, (_, i) => i), shape: [1, 3, 4] };
    const all = (patchSize: (number | null)[]) => [...new PatchIter({ patchSize }).patches(image)];
    expect(all([null, 2])).toEqual(all([0, 2]));
    expect(all([null, 2])).toHaveLength(2);
    expect([...new PatchIter({ patchSize: [null, 2] }).patches({ data: new Float32Array(0), shape: [0, 3, 4] })]).toEqual([]);
    for (const wrong of [-1, 1.5, "2" as never]) expect(() => new PatchIter({ patchSize: [2, wrong] })).toThrow(ConfigError);
  });

  test("neighbors overlap by a share of the patch or by voxels, where MONAI's iter_patch has them", () => {
    const image = array(
      Array.from({ length: 20 }, (_, i) => i),
      [1, 4, 5],
    );
    const at = (options: object) => {
      const patches = [...new PatchIter({ patchSize: [2, 3], ...options }).patches(image)];
      const sum = patches.flatMap(({ patch }) => [...patch.data]).reduce((a, b) => a + b, 0);
      return [patches.map(({ coords }) => [coords.data[2], coords.data[4]].join(" ")).join(", "), sum];
    };
    const columns = (...rows: number[]) => rows.flatMap((r) => [0, 2, 4].map((c) => `${r} ${c}`)).join(", ");
    expect(at({ overlap: [0.5, 0.4] })).toEqual([columns(0, 1, 2, 3), 676]);
    expect(at({ overlap: 1 })).toEqual([columns(0, 1, 2, 3), 676]);
    expect(at({ overlap: 0.5, mode: null })).toEqual(["0 0, 0 2, 1 0, 1 2, 2 0, 2 2", 342]);
    expect(at({ overlap: 0.5, mode: "edge", patchSize: [3, 0], startPos: [0, -1] })).toEqual(["-1 0, 1 0, 3 0", 490]);
    expect(() => at({ overlap: [2, 0] })).toThrow("PatchIter: neighbors overlap by a whole patch");
    expect(() => at({ overlap: [1] })).toThrow("PatchIter: overlap has 1 entries for 2 axes");
  });
  test("an axis taken whole, channels too, is cut before its start, as MONAI's is", () => {
    expect(run([2, 0], "edge", [0, 0, 1])[1]).toEqual({
      values: [9, 10, 11, 13, 14, 15],
      shape: [1, 2, 3],
      at: [0, 1, 2, 4, 1, 5],
    });
    expect(run([2, 0], null, [0, 0, 1])).toEqual([]);
    const two = array([1, 2, 3, 4], [2, 2]);
    const [patch] = new PatchIter({ patchSize: [2], startPos: [1] }).patches(two);
    expect(patch).toMatchObject({ patch: { shape: [1, 2] }, coords: { data: Int32Array.of(1, 3, 0, 2) } });
    expect([...patch.patch.data]).toEqual([3, 4]);
    expect(run([2, 2], "edge", [1, 0, 0])).toEqual([]);
  });
  test("errors", () => {
    expect(() => run([3, 3, 3])).toThrow(ShapeError);
    expect(() => run([-1, 2])).toThrow(ConfigError);
    expect(() => run([2, 2], null, [-1, 0])).toThrow(ConfigError);
  });
  test("GridPatchDataset over items", async () => {
    const patchIter = new PatchIterd({ keys: ["image", "label"], patchSize: [2, 2] });
    const data = new GridPatchDataset([{ id: "a", image, label: image }], { patchIter });
    const patches = (await data.get(0, random())) as { image: typeof image; id: string; patchCoords: typeof image }[];
    expect(patches).toHaveLength(4);
    expect(patches[3]).toMatchObject({ id: "a", patchCoords: { shape: [3, 2] } });
    expect([...patches[3].image.data]).toEqual([10, 11, 14, 15]);
    const bare = new GridPatchDataset([{ image }], {
      patchIter: new PatchIterd({ keys: ["image"], patchSize: [2, 2] }),
      withCoordinates: false,
    });
    expect(Object.keys((await bare.get(0, random()))[0])).toEqual(["image"]);
    expect(() => [...patchIter.patches({ image })]).toThrow(DataError);
    expect(() => [...patchIter.patches({ image, label: array([0], [1, 1, 1]) })]).toThrow(ShapeError);
  });
});

describe("listDataCollate", () => {
  test("stacks, flattens lists, leaves names out", () => {
    const item = (v: number) => ({ image: array([v, v], [1, 2]), weight: v, id: "x" });
    const batch = listDataCollate([[item(1), item(2)], item(3)]);
    expect(batch).toEqual({ image: array([1, 1, 2, 2, 3, 3], [3, 1, 2]), weight: array([1, 2, 3]) });
  });
  test("element types: kept when equal, float32 when not", () => {
    const u8 = { image: { data: Uint8Array.of(1), shape: [1] } };
    expect(listDataCollate([u8, u8]).image.data).toBeInstanceOf(Uint8Array);
    expect(listDataCollate([u8, { image: array([2]) }]).image.data).toEqual(Float32Array.of(1, 2));
  });
  test("errors name the key and both shapes", () => {
    expect(() => listDataCollate([{ image: array([1]) }, { image: array([1, 2]) }])).toThrow(
      /"image" has shape \[1\] in item 0 .* \[2\] in item 1/,
    );
    expect(() => listDataCollate([{ image: array([1]) }, {}])).toThrow(/item 1 has no array under "image"/);
    expect(() => listDataCollate([array([1]) as never])).toThrow(/bare array/);
    expect(() => listDataCollate([])).toThrow(ConfigError);
    for (const items of [[{ image: "a/b.nii.gz", label: "a/c.nii.gz" }], [{ image: "b.nii", label: 1 }], [{}]])
      expect(() => listDataCollate(items)).toThrow(/the items have no array.*loaders take items of arrays/);
    expect(listDataCollate([{ score: 2, name: "b" }]).score.shape).toEqual([1]);
  });
});

test("MapDataset and Compose: draws depend on seed, epoch and index only", async () => {
  const data = new MapDataset<Item>([{ id: 0 }, { id: 1 }], new Compose<Item>([{ apply: (x) => ({ ...x, seen: true }) }]));
  expect(await data.get(1, random())).toEqual({ id: 1, seen: true });
  const draw = (seed: number, epoch: number, index: number) => itemRandom(seed, epoch, index).rand();
  expect(draw(1, 2, 3)).toBe(draw(1, 2, 3));
  expect(new Set([draw(1, 2, 3), draw(1, 2, 4), draw(1, 3, 3), draw(2, 2, 3)]).size).toBe(4);
});
