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
  type Item,
  makeVolume,
  MapDataset,
  onKeys,
  PersistentDataset,
  RandFlip,
  ScaleIntensity,
  type Volume,
} from "../../../src/data/index.ts";
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

it("a function may wait too", async () => {
  const data = new MapDataset([{ id: 1 } as Item], async (item) => ({ ...item, later: await Promise.resolve(2) }));
  expect(await data.get(0, undefined as never)).toEqual({ id: 1, later: 2 });
});
