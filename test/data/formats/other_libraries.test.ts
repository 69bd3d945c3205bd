/** @file Small files of PIL, tifffile, NumPy and nibabel are read as these read them: `test/fixtures/data/make_image_files.py`. */

import { expect, test } from "vitest";
import { readImage } from "../../../src/data/formats/read_image.ts";
import { channelsLast, encodeBlock } from "../../../src/data/formats/voxel_block.ts";
import { filesOfRow, storedImages } from "./stored_images.ts";

test.each(storedImages.map((row) => [row.name, row] as const))("%s", async (_name, row) => {
  const volume = await readImage(filesOfRow(row));
  expect(volume.shape).toEqual(row.shape);
  const values = new Float64Array(encodeBlock(Float64Array.from(volume.data), channelsLast(volume.shape)).buffer);
  expect([...values]).toEqual(row.values);
  row.affine?.flat().forEach((v, i) => expect(volume.affine.flat()[i]).toBeCloseTo(v, 5));
});
