/** @file The same DICOM series in Node and in a page: the voxels and the affine, as they come. */

import { readSeries } from "../../src/data/index.ts";

/** Reads the series of files. */
export async function readAll(
  files: readonly (readonly number[])[],
): Promise<{ voxels: number[]; shape: readonly number[]; affine: unknown }> {
  const images = files.map((bytes, i) => ({ name: `IM${i}`, blob: new Blob([Uint8Array.from(bytes)]) }));
  const { data, shape, affine } = await readSeries(images);
  return { voxels: [...data], shape, affine };
}
