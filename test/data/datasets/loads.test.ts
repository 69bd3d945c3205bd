/** @file Paths as items: transforms that wait for files work in every dataset, and in a loader. */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import {
  CacheDataset,
  Compose,
  DataLoader,
  type Dataset,
  deterministic,
  EnsureChannelFirst,
  EnsureType,
  type Item,
  makeVolume,
  MapDataset,
  onKeys,
  PersistentDataset,
  RandFlip,
  RandomState,
  RandShiftIntensity,
  ScaleIntensity,
  type Volume,
} from "../../../src/data/index.ts";
import { ConfigError } from "../../../src/host/errors.ts";
import { folderItemStore, LoadImageFile, SaveImageFile, writeImageFile } from "../../../src/data/index.node.ts";

const folder = mkdtempSync(join(tmpdir(), "voxgrad-loads-"));
afterAll(() => rmSync(folder, { recursive: true }));
const path = join(folder, "a.nii.gz");
it("files are read, changed and written by the transforms of a dataset", async () => {
  const voxels = Float32Array.from({ length: 24 }, (_, i) => i);
  await writeImageFile(path, makeVolume({ data: voxels, shape: [1, 2, 3, 4] }));
  const load = onKeys(["image"], new LoadImageFile());
  const chain = [load, onKeys(["image"], new ScaleIntensity()), onKeys(["image"], new RandFlip({ prob: 1, spatialAxis: 0 }))];
  const items: Item[] = [{ image: path }];
  const datasets: Dataset[] = [
    new MapDataset(items, chain),
    new MapDataset(items, new Compose(chain)),
    new CacheDataset(items, chain),
    new PersistentDataset(items, chain, { store: folderItemStore(join(folder, "kept")) }),
  ];
  for (const data of datasets) {
    for await (const batch of new DataLoader(data, { batchSize: 1 })) {
      const { data: values, shape } = batch.image as { data: Float32Array; shape: number[] };
      expect(shape).toEqual([1, 1, 2, 3, 4]);
      expect(Math.round(values[0] * 23)).toBe(12);
    }
  }
});

it("a chain that writes hands the volume on", async () => {
  const save = onKeys(["image"], new SaveImageFile({ outputDir: folder, separateFolder: false }));
  const data = new MapDataset([{ image: path }], [onKeys(["image"], new LoadImageFile()), save]);
  for await (const batch of new DataLoader(data, { batchSize: 1 }))
    expect((batch.image as Volume).shape).toEqual([1, 1, 2, 3, 4]);
  const back = await new LoadImageFile().applyAsync(join(folder, "a_trans.nii.gz"));
  expect(back.shape).toEqual([1, 2, 3, 4]);
});

it("images are floats and labels what their file has; several files are the channels of one image", async () => {
  const write = async (name: string, data: Uint8Array, origin = 0) => {
    const affine = [
      [1, 0, 0, origin],
      [0, 1, 0, 0],
      [0, 0, 1, 0],
      [0, 0, 0, 1],
    ];
    const file = join(folder, name);
    await writeImageFile(file, makeVolume({ data, shape: [1, 2, 3, 4] }, affine));
    return file;
  };
  const bytes = Uint8Array.from({ length: 24 }, (_, i) => 230 + i);
  const [a, b, label] = [
    await write("a8.nii", bytes),
    await write(
      "b8.nii",
      bytes.map((v) => v - 1),
    ),
    await write("l.nii", bytes),
  ];
  const shift = onKeys("image", new RandShiftIntensity({ offsets: [20.5, 20.5], prob: 1 }));
  const both = ["image", "label"];
  const load = onKeys(both, new LoadImageFile(), { labels: ["label"] });
  const first = onKeys(both, new EnsureChannelFirst());
  const chain = [load, first, onKeys("image", new EnsureType()), shift];
  const read = async (image: unknown, steps: typeof chain = chain) =>
    (await new MapDataset([{ image, label } as Item], steps).get(0, new RandomState(0))) as { image: Volume; label: Volume };
  const one = await read(a);
  expect(one.image.data).toEqual(Float32Array.from(bytes, (v) => v + 20.5));
  expect(one.label.data).toEqual(bytes);
  expect(one.label.meta.kind).toBe("label");
  const monai = onKeys(both, new LoadImageFile(), { labels: ["label"], compat: "monai" });
  expect((await read(a, [monai])).label.data).toBeInstanceOf(Float32Array);
  expect((await read(a, [onKeys("image", new LoadImageFile({ dtype: null }))])).image.data).toBeInstanceOf(Uint8Array);
  const { image } = await read([a, b], [load, first]);
  expect(image.shape).toEqual([2, 2, 3, 4]);
  expect(Array.from(image.data)).toEqual([...bytes, ...bytes.map((v) => v - 1)]);
  expect(image.meta.source).toBe(a);
  await expect(read([a, await write("moved.nii", bytes, 5)])).rejects.toThrow(
    /^LoadImageFile: the channel 1 \(.*moved.nii\) lies \[5,0,0\] voxels from the channel 0/,
  );
  await expect(read([])).rejects.toThrow("LoadImageFile: expected a path or a list of paths, got a list");
  await expect(read([a, 3])).rejects.toThrow("LoadImageFile: expected a path or a list of paths");
});

it("results of sources of one name do not replace each other", async () => {
  const volume = (source?: string) =>
    makeVolume({ data: new Float32Array(24), shape: [1, 2, 3, 4] }, undefined, source === undefined ? {} : { source });
  const outputDir = join(folder, "results");
  const save = new SaveImageFile({ outputDir, outputPostfix: "seg" });
  await save.applyAsync(volume("cases/a/t1.nii.gz"));
  await save.applyAsync(volume("cases/a/t1.nii.gz"));
  await expect(save.applyAsync(volume("cases/b/t1.nii.gz"))).rejects.toThrow(
    /t1_seg.nii.gz has the result of cases\/a\/t1.nii.gz already, which that of cases\/b\/t1.nii.gz would replace; set dataRootDir/,
  );
  await save.applyAsync(volume());
  await expect(save.applyAsync(volume())).rejects.toThrow(/set meta.source/);
  const apart = new SaveImageFile({ outputDir, outputPostfix: "seg", dataRootDir: "cases", separateFolder: false });
  for (const id of ["a", "b"]) {
    await apart.applyAsync(volume(`cases/${id}/t1.nii.gz`));
    expect(apart.pathOf(volume(`cases/${id}/t1.nii.gz`))).toBe(join(outputDir, id, "t1_seg.nii.gz"));
  }
  expect(apart.pathOf(volume("cases/t1.nii.gz"))).toBe(join(outputDir, "t1_seg.nii.gz"));
  expect(() => apart.pathOf(volume("elsewhere/t1.nii.gz"))).toThrow("does not lie in dataRootDir, cases");
});

it("element types of files have our names and NumPy's, and a wrong one is told before anything is computed", async () => {
  const data = Float32Array.from({ length: 24 }, (_, i) => i);
  const volume = makeVolume({ data, shape: [1, 2, 3, 4] }, undefined, { source: "x" });
  for (const outputDtype of ["u8", "uint8"]) {
    for (const outputExt of [".nii", ".mha"]) {
      const save = new SaveImageFile({ outputDir: join(folder, outputDtype), outputDtype, outputExt });
      await save.applyAsync(volume);
      const back = await new LoadImageFile({ dtype: null }).applyAsync(save.pathOf(volume));
      expect(back.data).toEqual(Uint8Array.from(data));
      expect((await new LoadImageFile({ dtype: "int16" }).applyAsync(save.pathOf(volume))).data).toEqual(Int16Array.from(data));
    }
  }
  for (const dtype of ["uint", "bool", "float16"]) {
    expect(() => new SaveImageFile({ outputDtype: dtype })).toThrow(
      `SaveImageFile: dtype is "${dtype}"; expected one of f64, f32`,
    );
    expect(() => new LoadImageFile({ dtype })).toThrow(`LoadImage: dtype is "${dtype}"`);
  }
  expect(() => new SaveImageFile({ outputExt: "nii.gz.part" })).toThrow("none of the endings of a format");
});

it("functions stand in a chain between transforms", async () => {
  const double = deterministic((item: Item): Item => ({ ...item, twice: 2 * (item.n as number) }));
  const both = (item: Item): Item[] => [item, { ...item, n: -(item.n as number) }];
  const later = async (item: Item): Promise<Item> => ({ ...item, later: await Promise.resolve(item.n) });
  const chain = new Compose<Item>([double, both, new Compose([(item: Item) => ({ ...item, last: item.n })])]);
  const two = [
    { n: 3, twice: 6, last: 3 },
    { n: -3, twice: 6, last: -3 },
  ];
  expect(chain.apply({ n: 3 })).toEqual(two);
  expect(chain.inverse(chain.setRandomState(1).apply({ n: 3 }) as Item)).toBeDefined();
  expect(await chain.applyAsync({ n: 3 })).toEqual(two);
  const waits = new Compose<Item>([chain, later]);
  expect(() => waits.apply({ n: 3 })).toThrow("Compose: the function later works asynchronously; use applyAsync, or a dataset");
  const found = two.map((item) => ({ ...item, later: item.n }));
  expect(await waits.applyAsync({ n: 3 })).toEqual(found);
  expect(await new MapDataset([{ n: 3 } as Item], waits).get(0, new RandomState(0))).toEqual(found);
  let calls = 0;
  const counted = deterministic((item: Item) => (calls++, item));
  const cached = new CacheDataset([{ n: 3 } as Item], new Compose<Item>([counted, both]));
  for (let i = 0; i < 3; i++) await cached.get(0, new RandomState(0));
  expect(calls).toBe(1);
  const forgets = new Compose<Item>([(() => {}) as never]);
  expect(() => forgets.apply({})).toThrow("Compose: a function gave nothing; return the value");
  await expect(forgets.applyAsync({})).rejects.toThrow(ConfigError);
});

it("a function may wait too", async () => {
  const data = new MapDataset([{ id: 1 } as Item], async (item) => ({ ...item, later: await Promise.resolve(2) }));
  expect(await data.get(0, undefined as never)).toEqual({ id: 1, later: 2 });
});
