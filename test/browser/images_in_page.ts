/** @file What a page does with images as Node does, or as only a page does: a DICOM series, JPEG by the browser's decoder, items kept in its private files. */

import {
  decodeItem,
  deterministic,
  encodeItem,
  opfsItemStore,
  PersistentDataset,
  readImage,
  readSeries,
} from "../../src/data/index.ts";

/** Reads the series of files: the voxels and the affine, as they come. */
export async function readAll(
  files: readonly (readonly number[])[],
): Promise<{ voxels: number[]; shape: readonly number[]; affine: unknown }> {
  const images = files.map((bytes, i) => ({ name: `IM${i}`, blob: new Blob([Uint8Array.from(bytes)]) }));
  const { data, shape, affine } = await readSeries(images);
  return { voxels: [...data], shape, affine };
}

/** Reads a picture, given in base 64. */
export async function readPicture(text: string): Promise<{ voxels: number[]; shape: readonly number[] }> {
  const { data, shape } = await readImage(Uint8Array.from(atob(text), (c) => c.charCodeAt(0)));
  return { voxels: [...data], shape };
}

/**
 * Makes items, keeps them in a folder of the origin's private files, and asks a second dataset for them: how often they were made, what both gave, and
 * what the store says of an item that is not there.
 */
export async function keepItems(): Promise<{ made: number; values: number[][]; missing: boolean; files: string[] }> {
  const root = await navigator.storage.getDirectory();
  const store = opfsItemStore(await root.getDirectoryHandle("items", { create: true }));
  let made = 0;
  const double = deterministic((item: { x: Float32Array }) => (made++, { x: item.x.map((v) => 2 * v) }));
  const source = [0, 1, 2].map((k) => ({ x: Float32Array.of(k, k + 0.5) }));
  const open = () => new PersistentDataset(source, [double], { store, version: "1" });
  const values: number[][] = [];
  for (const dataset of [open(), open()]) {
    for (let i = 0; i < dataset.length; i++) {
      const item = (await dataset.get(i, undefined as never)) as { x: Float32Array };
      values.push([...item.x]);
    }
  }
  await store.write("item", encodeItem({ y: [1, "two"] }));
  const back = decodeItem((await store.read("item"))!, "item") as { y: unknown[] };
  values.push(back.y as number[]);
  const files: string[] = [];
  for await (const name of (await root.getDirectoryHandle("items")).keys()) files.push(name);
  return { made, values, missing: (await store.read("none")) === undefined, files };
}
