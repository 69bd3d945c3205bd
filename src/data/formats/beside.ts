/** @file Files of one image: those that a header names, or that have its name with another ending. */

import { FormatError } from "../../host/errors.ts";
import type { ImageFile } from "./format.ts";

/** The last part of a path or URL. */
export const baseName = (name: string): string => name.slice(Math.max(name.lastIndexOf("/"), name.lastIndexOf("\\")) + 1);

/** A file that another one names. @throws FormatError if it is not there */
export async function besideFile(file: ImageFile, name: string, op = "readImage"): Promise<ImageFile> {
  const found = await file.beside?.(name);
  if (found) return found;
  const given = file.beside ? "is not in its folder" : "was not given";
  throw new FormatError(
    `${op}: ${file.name}: its voxels are in ${name}, which ${given}; give both files, or the path of the header`,
  );
}

/** The other file of a header, with another ending, packed or not. @throws FormatError if it is not there */
export async function besideHeader(file: ImageFile, ending: string): Promise<ImageFile> {
  const stem = baseName(file.name).replace(/\.(hdr|img)(\.gz)?$/i, "");
  const plain = [stem + ending, stem + ending.toUpperCase()];
  const packed = plain.flatMap((name) => [`${name}.gz`, `${name}.GZ`]);
  // Of two that are there the one that is packed as the header is.
  for (const name of /\.gz$/i.test(file.name) ? [...packed, ...plain] : [...plain, ...packed]) {
    const found = await file.beside?.(name);
    if (found) return found;
  }
  return besideFile(file, stem + ending);
}
