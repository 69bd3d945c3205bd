/** @file The checkpoints of a results folder of nnU-Net: a file for each fold. */

import { FormatError } from "../../host/errors.ts";

/** Reads a file of the folder by its path in it; undefined for one that there is not. Gives its bytes. */
export type ReadModelFile = (path: string) => Promise<Uint8Array | undefined>;

const usualFolds = 10;
const mostFolds = 100;

/** The checkpoints of the folds that are wanted, or of those that there are. @throws FormatError for ones that there are not */
export async function checkpointsOf(read: ReadModelFile, folds: readonly (number | "all")[] | undefined, checkpoint: string) {
  const found: { path: string; bytes: Uint8Array }[] = [];
  for (const fold of folds ?? Array.from({ length: mostFolds }, (_, i) => i)) {
    const path = `fold_${fold}/${checkpoint}`;
    const bytes = await read(path);
    if (bytes) found.push({ path, bytes });
    else if (folds) throw new FormatError(`the model folder has no ${path}`);
    // Of the first ones some may be wanting; those behind go on to the first that does.
    else if (typeof fold === "number" && fold >= usualFolds - 1) break;
  }
  if (found.length > 0) return found;
  const path = `fold_all/${checkpoint}`;
  const bytes = await read(path);
  if (bytes) return [{ path, bytes }];
  throw new FormatError(`the model folder has no fold_*/${checkpoint}`);
}
