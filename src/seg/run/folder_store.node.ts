/** @file A run in a folder of the disk. */

import { expectArguments } from "../../host/kinds.ts";
import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { readFile, rm, stat } from "node:fs/promises";
import { hostname } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { appendWhole, createFile, makeFolder, readIfThere, sweepTemporaries, writeFileAtomic } from "../../host/files.node.ts";
import { ConfigError } from "../../host/errors.ts";
import type { RunStore } from "./store.ts";

const lockFile = "run.lock";

interface Holder {
  readonly pid: number;
  readonly host: string;
  /** Of the lock, as a process may come back to a folder whose lock it lost. */
  readonly id?: string;
}

/** The locks of this process, also those that it is about to take. */
const held = new Set<string>();

/** A process that was killed leaves its lock; on this machine it can be seen that it is gone. */
function isAlive({ pid, host, id = "" }: Holder): boolean {
  if (host !== hostname()) return true;
  if (pid === process.pid) return held.has(id);
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

async function lock(path: string, folder: string): Promise<() => Promise<void>> {
  const id = randomUUID();
  const mine = JSON.stringify({ pid: process.pid, host: hostname(), id } satisfies Holder);
  held.add(id);
  try {
    await take(path, folder, mine);
  } catch (error) {
    held.delete(id);
    throw error;
  }
  await sweepOnce(folder, path);
  return async () => {
    held.delete(id);
    await rm(path, { force: true });
  };
}

/** Folders that this process has swept: it takes that of its results for each case, and there may be thousands in it. */
const swept = new Set<string>();

/** `made` is a file that was written just now. */
async function sweepOnce(folder: string, made: string): Promise<void> {
  if (swept.has(folder)) return;
  swept.add(folder);
  const info = await stat(made).catch(() => undefined);
  if (info) await sweepTemporaries(folder, info.mtimeMs);
}

async function take(path: string, folder: string, mine: string): Promise<void> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const isMade = await createNew(path, mine);
    if (isMade) return;
    const text = await readFile(path, "utf8").catch(() => "");
    const holder = holderIn(text);
    if (holder && isAlive(holder)) {
      throw new ConfigError(
        `${folder} is in use by process ${holder.pid} on ${holder.host}; wait for it, or delete ${path} if there is none`,
      );
    }
    await removeDead(path, text);
  }
  throw new ConfigError(`${folder} is being taken by another process; delete ${path} and ${path}.dead if there is none`);
}

/** Undefined for what a crash cut short, what is gone, or what is not yet written. */
function holderIn(text: string): Holder | undefined {
  try {
    return JSON.parse(text) as Holder;
  } catch {
    return undefined;
  }
}

async function createNew(path: string, text: string): Promise<boolean> {
  try {
    await createFile(path, text);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

/** One process at a time, which looks once more: another one may have removed the dead lock and have one of its own by now. */
async function removeDead(path: string, text: string): Promise<void> {
  const turn = `${path}.dead`;
  if (!(await createNew(turn, ""))) return setTimeout(50);
  try {
    if (!holderIn(text)) await setTimeout(50);
    const now = await readFile(path, "utf8").catch(() => undefined);
    if (now === text) await rm(path, { force: true });
  } finally {
    await rm(turn, { force: true });
  }
}

// What is done under it takes milliseconds.
const patience = 60_000;

/**
 * Runs `task` while no other process runs one under the same lock of the folder; it waits for its turn, and ends with what `folderStore`'s lock throws if
 * none comes in a minute.
 * @param file name of the lock
 */
export async function inTurn<T>(folder: string, file: string, task: () => Promise<T>): Promise<T> {
  await makeFolder(folder);
  const unlock = await lockWithin(join(folder, file), folder, patience);
  try {
    return await task();
  } finally {
    await unlock();
  }
}

async function lockWithin(path: string, folder: string, milliseconds: number): Promise<() => Promise<void>> {
  const end = performance.now() + milliseconds;
  for (;;) {
    try {
      return await lock(path, folder);
    } catch (error) {
      if (!(error instanceof ConfigError) || performance.now() > end) throw error;
      await setTimeout(20);
    }
  }
}

/** Keeps a run in `folder`, which is made when the first file is written. */
export function folderStore(folder: string): RunStore {
  expectArguments("folderStore", "text", { folder });
  const made = new Set<string>();
  const at = async (file: string): Promise<string> => {
    const path = join(folder, file);
    const parent = dirname(path);
    if (!made.has(parent)) await makeFolder(parent);
    made.add(parent);
    return path;
  };
  return {
    name: folder,
    read: (file) => readIfThere(join(folder, file)),
    write: async (file, content) => writeFileAtomic(await at(file), content),
    writePieces: async (file, pieces) => writeFileAtomic(await at(file), pieces),
    append: async (file, text) => appendWhole(await at(file), text),
    has: async (file) => existsSync(join(folder, file)),
    lock: async () => lock(await at(lockFile), folder),
  };
}
