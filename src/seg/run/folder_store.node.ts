/** @file A run in a folder of the disk. */

import { existsSync } from "node:fs";
import { appendFile, mkdir, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { writeFileAtomic } from "../../host/files.node.ts";
import type { RunStore } from "./store.ts";

/** Keeps a run in `folder`, which is made when the first file is written. */
export function folderStore(folder: string): RunStore {
  const made = new Set<string>();
  const at = async (file: string): Promise<string> => {
    const path = join(folder, file);
    const parent = dirname(path);
    if (!made.has(parent)) await mkdir(parent, { recursive: true });
    made.add(parent);
    return path;
  };
  return {
    name: folder,
    read: (file) =>
      readFile(join(folder, file)).catch((error: NodeJS.ErrnoException) => {
        if (error.code === "ENOENT") return undefined;
        throw error;
      }),
    write: async (file, content) => writeFileAtomic(await at(file), content),
    append: async (file, text) => appendFile(await at(file), text),
    has: async (file) => existsSync(join(folder, file)),
  };
}
