/** @file A channel more for every case of a dataset, from files beside it (Node): what one network found, for another one to look at. */

import { DataError } from "../../host/errors.ts";
import type { Case, DatasetIndex } from "./dataset_index.ts";
import { labelMapsIn } from "./label_maps.node.ts";

/** A channel that follows those of the dataset. */
export interface ExtraChannel {
  /** Its name. */
  readonly name: string;
  /** Folders with a file `<id>.*` for each case, in one of them. */
  readonly folders: readonly string[];
}

/**
 * Cases with one more image file each, those without one in a list of their own.
 * @throws DataError for a folder that there is not, and for two files of one case
 */
function joined(cases: readonly Case[], { name, folders }: ExtraChannel): { readonly cases: Case[]; readonly missing: string[] } {
  const files = new Map<string, string>();
  for (const folder of folders) {
    for (const [id, path] of labelMapsIn(folder, name)) {
      const other = files.get(id);
      if (other !== undefined) throw new DataError(`${name}: case "${id}" has two files: ${other}, ${path}; keep one of them`);
      files.set(id, path);
    }
  }
  return {
    cases: cases.flatMap((item) => (files.has(item.id) ? [{ ...item, image: [...item.image, files.get(item.id)!] }] : [])),
    missing: cases.filter(({ id }) => !files.has(id)).map(({ id }) => id),
  };
}

/**
 * The cases with one more image file each.
 * @throws DataError for a folder that there is not, for cases without a file, and for two files of one case
 */
export function casesWithExtraChannel(cases: readonly Case[], channel: ExtraChannel): Case[] {
  const { cases: found, missing } = joined(cases, channel);
  if (missing.length === 0) return found;
  const some = `${missing.slice(0, 5).join(", ")}${missing.length > 5 ? " …" : ""}`;
  throw new DataError(
    `${channel.name}: ${missing.length} of ${cases.length} cases have no file in ${channel.folders.join(", ")}: ${some}`,
  );
}

/** The same for the training cases of an index; test cases that have no file are left out. @throws DataError */
export function withExtraChannel(index: DatasetIndex, channel: ExtraChannel): DatasetIndex {
  return {
    ...index,
    modality: [...index.modality, channel.name],
    training: casesWithExtraChannel(index.training, channel),
    test: joined(index.test, channel).cases,
  };
}
