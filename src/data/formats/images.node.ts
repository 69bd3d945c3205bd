/** @file Images by path (Node): files, pairs and folders. */

import { expectArguments } from "../../host/kinds.ts";
import { FormatError, VoxgradError } from "../../host/errors.ts";
import { writeFilesTogether } from "../../host/files.node.ts";
import { expectOptions } from "../../host/options.ts";
import type { Volume } from "../volume.ts";
import { fileAt, imageFilesAt } from "./files.node.ts";
import type { ImageGrid, ReadImageOptions, WriteImageOptions } from "./format.ts";
import { readFiles, readGrid, readNames, writeImage, writeNames } from "./read_image.ts";

/**
 * Reads the image of a file, with those that its header names in the same folder, or of a folder that holds one volume: a series of slices, or a header
 * and its data. A folder without images of its own, or of which a series is chosen, stands for all folders in it. Formats and element types as in readImage.
 * @throws FormatError naming the file and the field, also if it cannot be opened; ConfigError for a folder of several images
 * @param path of the file or folder
 */
export async function readImageFile(path: string, options: ReadImageOptions = {}): Promise<Volume> {
  expectOptions("readImageFile", options, readNames);
  expectArguments("readImageFile", "text", { path });
  return readFiles(await imageFilesAt(path, options), options);
}

/**
 * Writes a volume `[C, x, y, z]` as the ending of the path says, see writeImage; each file in one step, the data of a header before it, and none if one cannot be written.
 * @throws ConfigError for an ending of no format, FormatError for a file that cannot be written, DataError for values that `dtype` cannot hold
 */
export async function writeImageFile(path: string, volume: Volume, options: WriteImageOptions = {}): Promise<void> {
  expectOptions("writeImageFile", options, writeNames);
  expectArguments("writeImageFile", "text", { path });
  const files = await writeImage(path, volume, options);
  try {
    await writeFilesTogether(files.toReversed());
  } catch (cause) {
    if (cause instanceof VoxgradError) throw cause;
    throw Object.assign(new FormatError(`writeImageFile: ${(cause as Error).message}`), { cause });
  }
}

/**
 * The size and the place of the image in a file, without its voxels where the format's header tells them.
 * @throws FormatError naming the file and the field, also where the voxels cannot all be there
 * @param path of the file or folder
 */
export async function readImageGrid(path: string): Promise<ImageGrid> {
  expectArguments("readImageGrid", "text", { path });
  const { shape, affine, units } = await readGrid(await fileAt(path));
  return { shape, affine, ...(units && { units }) };
}
