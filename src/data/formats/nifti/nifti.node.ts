/**
 * @file NIfTI files by path (Node): read in pieces, so that a header is judged before the file is, and written atomically.
 */

import { open } from "node:fs/promises";
import { promisify } from "node:util";
import { createGunzip, gzip } from "node:zlib";
import { ConfigError, FormatError } from "../../../host/errors.ts";
import { inflatedLimit, isGzip } from "../../../host/bytes/inflate.ts";
import { writeFileAtomic } from "../../../host/files.node.ts";
import { decodeNifti, encodeNifti } from "./nifti.ts";
import type { NiftiDtype } from "./voxels.ts";
import type { Volume } from "../../volume.ts";

/**
 * Reads a `.nii` or `.nii.gz` file; compression is recognized by content. Element types as in readNifti.
 * @throws FormatError naming the file and the field, also if the file cannot be opened
 */
export async function readNiftiFile(path: string): Promise<Volume> {
  const file = await open(path).catch((cause: Error) => {
    throw new FormatError(`readNifti: cannot open ${path}: ${cause.message}`, { cause });
  });
  try {
    const info = await file.stat();
    if (!info.isFile()) throw new FormatError(`readNifti: ${path} is not a file`);
    const head = new Uint8Array(2);
    await file.read(head, 0, 2, 0);
    const stream = file.createReadStream({ start: 0, autoClose: false, highWaterMark: 1 << 20 });
    if (!isGzip(head)) return await decodeNifti(stream, { name: path, maxBytes: info.size });
    const unzipped = createGunzip({ chunkSize: 1 << 18 });
    stream.on("error", (error) => unzipped.destroy(error)).pipe(unzipped);
    try {
      return await decodeNifti(unzipped, { name: path, maxBytes: inflatedLimit(info.size) });
    } finally {
      stream.destroy();
      unzipped.destroy();
    }
  } finally {
    await file.close();
  }
}

/**
 * Writes a `.nii` or (by name) `.nii.gz` file in one step: under a temporary name, flushed, renamed.
 * @param options.dtype element type in the file; default the type of the data
 * @throws ConfigError if the name ends otherwise; DataError if `dtype` cannot hold a value
 */
export async function writeNiftiFile(path: string, volume: Volume, options: { readonly dtype?: NiftiDtype } = {}): Promise<void> {
  if (!/\.nii(\.gz)?$/.test(path)) throw new ConfigError(`writeNifti: ${path} must end in .nii or .nii.gz`);
  const bytes = encodeNifti(volume, options.dtype);
  await writeFileAtomic(path, path.endsWith(".gz") ? await promisify(gzip)(bytes) : bytes);
}
