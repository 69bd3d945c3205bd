/** @file A run in a folder of the disk. */

import { expectArguments } from "../../host/kinds.ts";
import { existsSync } from "node:fs";
import { mkdir, readFile, rm } from "node:fs/promises";
import { hostname } from "node:os";
import { dirname, join } from "node:path";
import { appendWhole, createFile, writeFileAtomic } from "../../host/files.node.ts";
import { ConfigError } from "../../host/errors.ts";
import type { RunStore } from "./store.ts";

const lockFile = "run.lock";

interface Holder {
  readonly pid: number;
  readonly host: string;
}

const held = new Set<string>();

/** A process that was killed leaves its lock; on this machine it can be seen that it is gone. */
function isAlive({ pid, host }: Holder, path: string): boolean {
  if (host !== hostname()) return true;
  if (pid === process.pid) return held.has(path);
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

async function lock(path: string, folder: string): Promise<() => Promise<void>> {
  const mine = JSON.stringify({ pid: process.pid, host: hostname() } satisfies Holder);
  for (let attempt = 0; ; attempt++) {
    try {
      await createFile(path, mine);
      held.add(path);
      return async () => {
        held.delete(path);
        await rm(path, { force: true });
      };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    }
    const text = await readFile(path, "utf8").catch(() => "");
    let holder: Holder | undefined;
    try {
      holder = JSON.parse(text) as Holder;
    } catch {
      // cut short by a crash, or gone meanwhile
    }
    if ((holder && isAlive(holder, path)) || attempt > 2) {
      throw new ConfigError(
        `${folder} is in use by process ${holder?.pid ?? "?"} on ${holder?.host ?? "this machine"}; wait for it, or delete ${path} if there is none`,
      );
    }
    await rm(path, { force: true });
  }
}

/** Keeps a run in `folder`, which is made when the first file is written. */
export function folderStore(folder: string): RunStore {
  expectArguments("folderStore", "text", { folder });
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
    writePieces: async (file, pieces) => writeFileAtomic(await at(file), pieces),
    append: async (file, text) => appendWhole(await at(file), text),
    has: async (file) => existsSync(join(folder, file)),
    lock: async () => lock(await at(lockFile), folder),
  };
}
