/** @file Prepared items kept on disk or in memory: as bytes and back, damaged, full, and by what they belong to. */

import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { itemRandom } from "../../../src/data/datasets/dataset.ts";
import { folderItemStore } from "../../../src/data/datasets/folder_item_store.node.ts";
import { decodeItem, encodeItem } from "../../../src/data/datasets/item_codec.ts";
import { type ItemStore, memoryItemStore } from "../../../src/data/datasets/item_store.ts";
import { PersistentDataset } from "../../../src/data/datasets/persistent_dataset.ts";
import type { Item } from "../../../src/data/transforms/transform.ts";
import type { HostArray } from "../../../src/host/array.ts";
import { ConfigError, DataError, FormatError } from "../../../src/host/errors.ts";

const random = () => itemRandom(0, 0, 0);
const array = (shape: number[], from = 0) => ({
  data: Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => from + i),
  shape,
});

describe("PersistentDataset", () => {
  const item = { name: "é", big: [NaN, -Infinity], nested: { header: Uint8Array.of(1, 2, 3) }, image: array([2, 3]) };
  test("items as bytes and back; damage is refused", async () => {
    const bytes = encodeItem(item);
    expect(decodeItem(bytes, "x")).toEqual(item);
    expect(decodeItem(encodeItem([1, undefined, null]), "x")).toEqual([1, undefined, null]);
    expect(decodeItem(encodeItem(undefined), "x")).toBe(undefined);
    const own: Record<string, unknown> = { twice: [item, item] };
    expect(decodeItem(encodeItem(own), "x")).toEqual(own);
    own.own = [own];
    expect(() => encodeItem(own)).toThrow(/lies in itself/);
    await expect(new PersistentDataset([own], [], { store: memoryItemStore() }).get(0, random())).rejects.toThrow(
      /lies in itself/,
    );
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

  test("two words with the same bit turned, and bytes at any place of their memory", () => {
    const bytes = encodeItem(array([64], 1));
    const where = bytes.length - 64 * 4;
    for (let bit = 0; bit < 32; bit++)
      for (const apart of [4, 8, 64]) {
        const spoilt = bytes.slice();
        for (const at of [where, where + apart]) spoilt[at + (bit >> 3)] ^= 1 << (bit % 8);
        expect(() => decodeItem(spoilt, "a"), `bit ${bit}, ${apart} bytes apart`).toThrow(/checksum/);
      }
    const moved = new Uint8Array(bytes.length + 3);
    moved.set(bytes, 3);
    expect(decodeItem(moved.subarray(3), "a")).toEqual(array([64], 1));
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
    const held: unknown[] = [
      NaN,
      Infinity,
      -Infinity,
      null,
      new Map([[1, 2]]),
      new Map([[1, 3]]),
      new Set([1]),
      1n,
      BigInt64Array.of(2n),
    ];
    held.push(new Date(1), new Date(2), /a/, /b/g);
    for (const value of held) await new PersistentDataset<Item>([{ id: 0 }], [new With(value)], { store }).get(0, random());
    expect(store.files.size).toBe(held.length);
  });
  test("classes that a tool gave one name are told apart", async () => {
    const store = memoryItemStore();
    const add = (() => {
      class A {
        by = 1;
        apply = ({ x }: Item): Item => ({ x: (x as number) + this.by });
      }
      return new A();
    })();
    const times = (() => {
      class A {
        by = 1;
        apply = ({ x }: Item): Item => ({ x: (x as number) * this.by });
      }
      return new A();
    })();
    expect(add.constructor.name).toBe(times.constructor.name);
    const first = (transform: typeof add) => new PersistentDataset<Item>([{ x: 3 }], [transform], { store }).get(0, random());
    expect([await first(add), await first(times), await first(add)]).toEqual([{ x: 4 }, { x: 3 }, { x: 4 }]);
    expect(store.files.size).toBe(2);
  });
});
