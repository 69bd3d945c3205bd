/** @file NIfTI files by path (Node): read in pieces, so that a header is judged before the file is, and written atomically. */

import { promisify } from "node:util";
import { gzip } from "node:zlib";
import { ConfigError } from "../../../host/errors.ts";
import { writeFileAtomic } from "../../../host/files.node.ts";
import { expectOptions } from "../../../host/options.ts";
import { fileAt } from "../files.node.ts";
import { encodeNifti, readNiftiOf } from "./nifti.ts";
import type { NiftiDtype } from "./voxels.ts";
import type { Volume } from "../../volume.ts";

/**
 * Reads a `.nii` or `.nii.gz` file; compression is recognized by content. Element types as in readNifti.
 * @throws FormatError naming the file and the field, also if the file cannot be opened
 * @param path of the file
 */
export async function readNiftiFile(path: string): Promise<Volume> {
  return readNiftiOf(await fileAt(path, "readNifti"));
}

/**
 * Writes a volume `[C, x, y, z]` as `.nii` or (by name) `.nii.gz` file in one step: under a temporary name, flushed, renamed.
 * @param options.dtype element type in the file; default the type of the data
 * @throws ConfigError if the name ends otherwise; DataError if `dtype` cannot hold a value
 * @param path of the file; its ending says whether it is compressed
 */
export async function writeNiftiFile(path: string, volume: Volume, options: { readonly dtype?: NiftiDtype } = {}): Promise<void> {
  expectOptions("writeNiftiFile", options, "dtype");
  if (!/\.nii(\.gz)?$/.test(path)) throw new ConfigError(`writeNifti: ${path} must end in .nii or .nii.gz`);
  const bytes = encodeNifti(volume, options.dtype);
  await writeFileAtomic(path, path.endsWith(".gz") ? await promisify(gzip)(bytes) : bytes);
}
