/** @file CHAOS folders on a disk (Node). */

import { openAsBlob } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { join, sep } from "node:path";
import { FormatError } from "../../host/errors.ts";
import { type ChaosCase, listChaos, readChaosCase, type ReadChaosOptions } from "./chaos.ts";
import { chaosDataset, type ChaosDatasetOptions, type ChaosReading } from "./chaos_dataset.ts";
import type { Case } from "./dataset_index.ts";
import type { FolderLayout } from "./folder_layout.ts";

/**
 * The cases in a folder, such as CHAOS_Train_Sets, see listChaos; their paths are those of files.
 * @throws FormatError if there are none, or the folder cannot be read
 * @param dir of one kind of set, with its folders MR, CT or both
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

const isFolder = (path: string): Promise<boolean> =>
  stat(path).then(
    (s) => s.isDirectory(),
    () => false,
  );

/** Whether MR or CT is in a folder, or in one of those in it, as CHAOS_Train_Sets/Train_Sets/MR is. */
async function holdsChaos(dir: string, depth = 2): Promise<boolean> {
  for (const name of ["MR", "CT"]) {
    const patients = await readdir(join(dir, name)).catch(() => []);
    if (patients.some((p) => /^\d+$/.test(p))) return true;
  }
  if (depth === 0) return false;
  for (const name of await readdir(dir).catch(() => []))
    if (!name.startsWith(".") && (await isFolder(join(dir, name))) && (await holdsChaos(join(dir, name), depth - 1))) return true;
  return false;
}

/** Files of a folder with an ending, in the order of their names. Throws `FormatError`. */
async function filesOf(dir: string, ending: RegExp): Promise<string[]> {
  const names = await readdir(dir).catch((cause: Error) => {
    throw new FormatError(`readCase: cannot read the folder ${dir}: ${cause.message}`, { cause });
  });
  const found = names.filter((n) => ending.test(n) && !n.startsWith("."));
  if (found.length === 0) throw new FormatError(`readCase: ${dir} has no ${ending.source.slice(2, 5)} file`);
  return found.sort().map((n) => `${dir}/${n}`);
}

async function readChaos({ id, patient = id, image, label, layout }: Case): ReturnType<typeof readChaosCase> {
  const { sequence, classes } = layout as ChaosReading;
  const [first, second] = await Promise.all(image.map((dir) => filesOf(dir, /\.dcm$/i)));
  const ground = label === undefined ? {} : { ground: await filesOf(label, /\.png$/i) };
  const item: ChaosCase = { id, patient, sequence, image: first, ...(second ? { outPhase: second } : {}), ...ground };
  return loadChaosCase(item, { classes, phases: second ? "both" : "in" });
}

/** Folders of CHAOS, as a layout; its options are those of `chaosDataset`. */
export const chaosLayout: FolderLayout = {
  name: "chaos",
  has: "MR/<patient>/… or CT/<patient>/… as in CHAOS",
  open: async (dir, options) =>
    (await holdsChaos(dir)) ? chaosDataset(await loadChaos(dir), options as ChaosDatasetOptions, dir) : undefined,
  read: readChaos,
};
