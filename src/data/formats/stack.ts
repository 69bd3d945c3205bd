/** @file Pictures as the slices of a volume, in the order of their names, with numbers in them counted as such. */

import type { TypedArray } from "../../host/array.ts";
import { FormatError } from "../../host/errors.ts";
import { makeVolume, type Volume } from "../volume.ts";
import { baseName } from "./beside.ts";
import type { ImageFile, ImageFormat, ReadImageOptions } from "./format.ts";

/** `slice2` before `slice10`. */
const byNumber = (a: ImageFile, b: ImageFile): number =>
  baseName(a.name).localeCompare(baseName(b.name), "en", { numeric: true }) || (a.name < b.name ? -1 : 1);

/**
 * The volume `[C, width, height, n]` of n pictures.
 * @throws FormatError if they differ in size, channels or element type, or have several slices themselves
 */
export async function stackOf(format: ImageFormat, files: readonly ImageFile[], options: ReadImageOptions): Promise<Volume> {
  const sorted = [...files].sort(byNumber);
  let out: TypedArray | undefined;
  let first: Volume | undefined;
  for (const [z, file] of sorted.entries()) {
    const slice = await format.read(file, options);
    first ??= slice;
    if (slice.shape[3] !== 1)
      throw new FormatError(
        `readImage: ${file.name} has ${slice.shape[3]} slices itself, and is one of ${sorted.length} files that were given as slices; give it alone`,
      );
    if (slice.shape.join() !== first.shape.join() || slice.meta.dtype !== first.meta.dtype) {
      throw new FormatError(
        `readImage: ${file.name} is [${slice.shape}] of ${slice.meta.dtype}, ${sorted[0].name} [${first.shape}] of ${first.meta.dtype}; slices of one volume are alike`,
      );
    }
    out ??= new (slice.data.constructor as new (length: number) => TypedArray)(slice.data.length * sorted.length);
    for (let i = 0, at = z; i < slice.data.length; i++, at += sorted.length) out[at] = slice.data[i];
  }
  const { shape, affine, meta } = first!;
  return makeVolume({ data: out!, shape: [...shape.slice(0, 3), sorted.length] }, affine, meta);
}
