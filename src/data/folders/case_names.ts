/** @file Names of cases, by which their results are called: what disks take for one name, and names that are told apart. */

import { ConfigError } from "../../host/errors.ts";
import { endingOf as imageEnding } from "../formats/formats.ts";
import type { Case } from "./dataset_index.ts";

/** One text for all names that are one on the disks of Windows and macOS, which tell apart neither cases of letters nor ways of writing an accent. */
export const diskName = (name: string): string => name.normalize("NFC").toLowerCase();

/** Throws `ConfigError` for two cases whose files would be one on such a disk, whatever the disk at hand does: results are carried to others. */
export function expectNamesApart(op: string, ids: readonly string[]): void {
  const names = new Map<string, string>();
  for (const id of ids) {
    const other = names.get(diskName(id));
    if (other !== undefined && other !== id)
      throw new ConfigError(
        `${op}: the names of the cases "${other}" and "${id}" differ in upper and lower case or accents alone, so that their results would be one file on many disks; rename one of them`,
      );
    names.set(diskName(id), id);
  }
}

/** Cases by their folders where disks take the names of several for one, as in `patient1/t1.nii.gz`. `below` gives the path of an image as names are to be made of it. */
export function namedApart<C extends Case>(cases: C[], below: (image: string) => string = (image) => image): C[] {
  const unique = (list: readonly C[]) => new Set(list.map((c) => diskName(c.id))).size === list.length;
  if (unique(cases)) return cases;
  const renamed = (path: (image: string) => string) =>
    cases.map((c) => ({ ...c, id: path(below(c.image[0])).replaceAll("/", "_") || c.id }));
  const byFolder = renamed((image) => image.slice(0, Math.max(0, image.lastIndexOf("/"))));
  if (unique(byFolder)) return byFolder;
  const byPath = renamed((image) => image.slice(0, image.length - (imageEnding(image)?.ending.length ?? 0)));
  return unique(byPath) ? byPath : cases;
}
