/** @file TIFF stacks with their voxel size in a file beside them, as nnU-Net's `Tiff3DIO` has it (Node). */

import { existsSync } from "node:fs";
import { FormatError } from "../../host/errors.ts";
import { readJson } from "../../host/files.node.ts";
import type { ReadImageOptions } from "../formats/format.ts";
import { readImageFile } from "../formats/images.node.ts";
import { makeVolume, type Volume } from "../volume.ts";

const tiff = /(_\d{4})?\.tiff?$/i;

/**
 * Reads an image file; that of a TIFF with `<id>.json` beside it (the channel's number left out) has the `spacing` that stands there, of the axes z, y, x in mm.
 * @throws FormatError for files that cannot be read, and for a spacing that is none
 */
export async function readImageBeside(path: string, options: ReadImageOptions = {}): Promise<Volume> {
  const volume = await readImageFile(path, options);
  const beside = tiff.test(path) ? path.replace(tiff, ".json") : path;
  if (beside === path || !existsSync(beside)) return volume;
  const { spacing } = (await readJson(beside, "readImage")) as { readonly spacing?: unknown };
  if (spacing === undefined) return volume;
  const good = Array.isArray(spacing) && spacing.length === 3 && spacing.every((s) => typeof s === "number" && s > 0);
  if (!good)
    throw new FormatError(`${beside}: spacing is ${JSON.stringify(spacing)}; expected three numbers above 0, for z, y and x`);
  const [z, y, x] = spacing as number[];
  const affine = [
    [x, 0, 0, 0],
    [0, y, 0, 0],
    [0, 0, z, 0],
    [0, 0, 0, 1],
  ];
  return makeVolume(volume, affine, { ...volume.meta, units: "mm", notes: [] });
}
