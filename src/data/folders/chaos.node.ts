/** @file CHAOS folders on a disk (Node). */

import { openAsBlob } from "node:fs";
import { readdir } from "node:fs/promises";
import { join, sep } from "node:path";
import { FormatError } from "../../host/errors.ts";
import { type ChaosCase, listChaos, readChaosCase, type ReadChaosOptions } from "./chaos.ts";

/**
 * The cases in a folder, such as CHAOS_Train_Sets, see listChaos; their paths are those of files.
 * @throws FormatError if there are none, or the folder cannot be read
 */
export async function loadChaos(dir: string): Promise<ChaosCase[]> {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true }).catch((cause: Error) => {
    throw new FormatError(`loadChaos: cannot read the folder ${dir}: ${cause.message}`, { cause });
  });
  return listChaos(entries.filter((e) => e.isFile()).map((e) => join(e.parentPath, e.name).replaceAll(sep, "/")));
}

/** Reads a case of loadChaos, see readChaosCase. */
export const loadChaosCase = (item: ChaosCase, options: Omit<ReadChaosOptions, "open">): ReturnType<typeof readChaosCase> =>
  readChaosCase(item, { ...options, open: async (path) => ({ name: path, blob: await openAsBlob(path) }) });
