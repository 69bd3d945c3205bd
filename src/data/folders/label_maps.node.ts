/** @file The label maps of a folder by case (Node), whichever tool wrote them. */

import { readdirSync } from "node:fs";
import { join } from "node:path";
import { DataError } from "../../host/errors.ts";
import { hiddenImages, imageStem, isImageName } from "../formats/formats.ts";

/** The voxels of these lie beside a header, which has the case's name. */
const dataOfHeader = /\.img(\.gz)?$/i;
/** Python's nnU-Net keeps probabilities in these, beside the label map of the same name. */
const archive = /\.npz$/i;

/**
 * The paths of a folder's label maps by case: the name without the ending of its format.
 * @param what wants them, for messages
 * @param say is told of files that are left out
 * @throws DataError for a folder that cannot be read, and for two files of one case
 */
export function labelMapsIn(folder: string, what: string, say?: (text: string) => void): Map<string, string> {
  const found = new Map<string, string>();
  const all = namesIn(folder, what);
  const hidden = hiddenImages(folder, all);
  if (hidden !== undefined) say?.(hidden);
  const names = all.filter((n) => isImageName(n) && !n.startsWith("."));
  const lower = new Set(names.map((n) => n.toLowerCase()));
  const apart = (name: string) => dataOfHeader.test(name) && lower.has(name.toLowerCase().replace(dataOfHeader, ".hdr"));
  for (const name of names.filter((n) => !apart(n)).sort((a, b) => Number(archive.test(a)) - Number(archive.test(b)))) {
    const id = imageStem(name);
    const other = found.get(id);
    if (other === undefined) found.set(id, join(folder, name));
    else if (!archive.test(name))
      throw new DataError(`${what}: case "${id}" has two files: ${other}, ${join(folder, name)}; keep one of them`);
  }
  return found;
}

function namesIn(folder: string, what: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch (cause) {
    throw new DataError(`${what}: the folder ${folder} cannot be read: ${(cause as Error).message}`, { cause });
  }
}
