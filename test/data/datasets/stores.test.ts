/** @file Batches that keep what is no array, stores of prepared items, moving windows, samplers and partitions. */

import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { CacheDataset, SmartCacheDataset } from "../../../src/data/datasets/cache_dataset.ts";
import { decollate, listDataCollate, padListDataCollate } from "../../../src/data/datasets/collate.ts";
import { deterministic, itemRandom } from "../../../src/data/datasets/dataset.ts";
import { folderItemStore } from "../../../src/data/datasets/folder_item_store.node.ts";
import { decodeItem, encodeItem } from "../../../src/data/datasets/item_codec.ts";
import { type ItemStore, memoryItemStore } from "../../../src/data/datasets/item_store.ts";
import { MapDataset } from "../../../src/data/datasets/map_dataset.ts";
import { expectNoLeak, partitionDataset, partitionDatasetClasses } from "../../../src/data/datasets/partition.ts";
import { PersistentDataset } from "../../../src/data/datasets/persistent_dataset.ts";
import { classBalancedWeights, WeightedRandomSampler } from "../../../src/data/datasets/samplers.ts";
import { DataLoader } from "../../../src/data/loading/loader.ts";
import type { Item } from "../../../src/data/transforms/transform.ts";
import type { HostArray } from "../../../src/host/array.ts";
import { identityAffine, makeVolume, type Volume } from "../../../src/data/volume.ts";
import { ConfigError, DataError, FormatError, ShapeError } from "../../../src/host/errors.ts";

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

describe("PersistentDataset", () => {
  const item = { name: "é", big: [NaN, -Infinity], nested: { header: Uint8Array.of(1, 2, 3) }, image: array([2, 3]) };
  test("items as bytes and back; damage is refused", () => {
    const bytes = encodeItem(item);
    expect(decodeItem(bytes, "x")).toEqual(item);
    const others = [
      { a: new Map() },
      [new Date()],
      { f: () => 1 },
      1n,
      new Blob([]),
      BigInt64Array.of(1n),
      new DataView(new ArrayBuffer(8)),
    ];
    for (const other of others) expect(() => encodeItem(other)).toThrow(DataError);
    for (const bad of [bytes.subarray(0, 40), bytes.subarray(1), Uint8Array.of()])
      expect(() => decodeItem(bad, "x")).toThrow(FormatError);
  });
  test("a folder keeps what was prepared; other options or a damaged file prepare again", async () => {
    const folder = await mkdtemp(join(tmpdir(), "voxgrad-"));
    let loads = 0;
    class Load {
      readonly add: number;
      constructor(add: number) {
        this.add = add;
      }
      apply({ id }: Item): Item {
        loads++;
        return { id, image: array([2], (id as number) + this.add) };
      }
    }
    const open = (add: number, store = folderItemStore(folder)) =>
      new PersistentDataset<Item>([{ id: 0 }, { id: 1 }], [new Load(add), (x, r) => ({ ...x, draw: r.rand() })], { store });
    try {
      for (let run = 0; run < 2; run++)
        for (let i = 0; i < 2; i++) expect(await open(5).get(i, random())).toMatchObject({ image: array([2], i + 5) });
      expect(loads).toBe(2);
      await open(6).get(0, random());
      expect(loads).toBe(3);
      for (const file of await readdir(folder)) await writeFile(join(folder, file), "voxgrad item 2 00000000\n5 5\n");
      await open(5).get(0, random());
      expect(loads).toBe(4);
      // Somebody clears the folder during a run.
      const running = open(5);
      for (let i = 0; i < 2; i++) {
        await rm(folder, { recursive: true });
        expect(await running.get(i, random())).toMatchObject({ image: array([2], i + 5) });
      }
      const memory = memoryItemStore();
      await open(1, memory as never).get(0, random());
      expect(memory.files.size).toBe(1);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

describe("a store that is damaged or full", () => {
  const images: Item[] = [0, 1, 2].map((i) => ({ id: i, image: array([8], i) }));
  const double = { apply: ({ id, image }: Item): Item => ({ id, image: array([8], 2 * (image as HostArray).data[0]) }) };

  test("of a file with any bit turned, or cut anywhere, nothing is taken", async () => {
    const store = memoryItemStore();
    const get = () => new PersistentDataset<Item>(images, [double], { store }).get(1, random());
    const want = await get();
    const [[name, bytes]] = store.files;
    expect(decodeItem(bytes, name)).toEqual(want);
    for (let i = 0; i < bytes.length; i++) {
      for (const spoilt of [bytes.with(i, bytes[i] ^ (1 << (i % 8))), bytes.slice(0, i)]) {
        expect(() => decodeItem(spoilt, name)).toThrow(FormatError);
        if (i % 16 > 0) continue;
        store.files.set(name, spoilt);
        expect(await get()).toEqual(want);
        expect(store.files.get(name)).toEqual(bytes);
      }
    }
  });

  test.each(["ENOSPC", "EDQUOT", "QuotaExceededError"])("%s: it goes on without keeping, and says so once", async (code) => {
    const store = memoryItemStore();
    let writes = 0;
    const full = Object.assign(new Error("no space left"), code.startsWith("E") ? { code } : { name: code });
    const write: ItemStore["write"] = (name, bytes) => (writes++ === 0 ? store.write(name, bytes) : Promise.reject(full));
    const told: Error[] = [];
    const data = new PersistentDataset<Item>(images, [double], { store: { ...store, write }, onFull: (e) => told.push(e) });
    for (const i of [0, 1, 2, 1, 0]) expect(await data.get(i, random())).toMatchObject({ image: array([8], 2 * i) });
    expect([told, writes, store.files.size]).toEqual([[full], 2, 1]);
  });

  test("what else is wrong with a store is an error", async () => {
    const write = () => Promise.reject(Object.assign(new Error("not allowed"), { code: "EACCES" }));
    const data = new PersistentDataset<Item>(images, [double], { store: { ...memoryItemStore(), write } });
    await expect(data.get(0, random())).rejects.toThrow("not allowed");
  });
});

describe("what is kept belongs to contents, not to names", () => {
  const loaded: string[] = [];
  const load = { apply: (item: Item): Item => (loaded.push("x"), item) };
  const loads = async (items: Item[], store: ItemStore): Promise<number> => {
    loaded.length = 0;
    const data = new PersistentDataset<Item>(items, [load], { store });
    for (let i = 0; i < data.length; i++) await data.get(i, random());
    return loaded.length;
  };
  test("an edited file, a file beside it, a slice of a folder: prepared anew, others are not", async () => {
    const folder = await mkdtemp(join(tmpdir(), "voxgrad-"));
    const put = async (name: string, text: string) => {
      await mkdir(dirname(join(folder, name)), { recursive: true });
      await writeFile(join(folder, name), text);
    };
    try {
      await put("a.nii", "1");
      await put("b.hdr", "1");
      await put("b.img", "1");
      await put("c.mhd", "ElementDataFile = LIST\nvoxels1\nvoxels2\n");
      await put("voxels2", "1");
      await put("d_0000.tif", "1");
      await put("d.json", "1");
      await put("e/1.dcm", "1");
      await put("f/below/1.dcm", "1");
      await put("g.nhdr", "data file: slice%03d.raw 1 2 1\n");
      await put("slice002.raw", "1");
      const names = ["a.nii", "b.hdr", "c.mhd", "d_0000.tif", "e", "f", "g.nhdr"];
      const items = names.map((name) => ({ image: { at: [join(folder, name)] }, text: "no path" }));
      const store = folderItemStore(join(folder, "kept"));
      expect([await loads(items, store), await loads(items, store)]).toEqual([7, 0]);
      for (const name of ["a.nii", "b.img", "voxels2", "d.json", "e/1.dcm", "f/below/1.dcm", "slice002.raw"]) {
        await put(name, "edited");
        // Every name of a folder may be one of a pattern's.
        const others = dirname(name) === "." && name !== "slice002.raw" ? 1 : 0;
        expect([name, await loads(items, store), await loads(items, store)]).toEqual([name, 1 + others, 0]);
      }
      // The same length, a later time.
      await utimes(join(folder, "e/1.dcm"), 1e9, 1e9);
      expect(await loads(items, store)).toBe(1);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
  test("files by name, size and time; a blob without these is refused", async () => {
    const store = memoryItemStore();
    const file = (name: string, text: string, lastModified: number) => ({ image: new File([text], name, { lastModified }) });
    const items = [file("a", "1", 1), file("b", "1", 1), file("a", "12", 1), file("a", "1", 2)];
    class Names {
      apply = ({ image }: Item): Item => ({ name: (image as unknown as File).name });
    }
    const data = new PersistentDataset<Item>(items as never, [new Names()], { store });
    expect(await Promise.all(items.map(async (_, i) => ((await data.get(i, random())) as Item).name))).toEqual([
      "a",
      "b",
      "a",
      "a",
    ]);
    expect(store.files.size).toBe(4);
    await expect(loads([{ image: new Blob(["1"]) }] as never, store)).rejects.toThrow(ConfigError);
  });
  test("transforms that differ by what JSON does not show", async () => {
    const store = memoryItemStore();
    class With {
      readonly held: unknown;
      constructor(held: unknown) {
        this.held = held;
      }
      apply = (item: Item): Item => item;
    }
    const held = [NaN, Infinity, -Infinity, null, new Map([[1, 2]]), new Map([[1, 3]]), new Set([1]), 1n, BigInt64Array.of(2n)];
    for (const value of held) await new PersistentDataset<Item>([{ id: 0 }], [new With(value)], { store }).get(0, random());
    expect(store.files.size).toBe(held.length);
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
