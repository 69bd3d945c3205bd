/** @file Files: whole-file writes that a crash cannot leave half done (temporary name in the same folder, flush, rename), folders that can be written, and JSON. */

import { expectArguments } from "./kinds.ts";
import { randomBytes } from "node:crypto";
import { accessSync, constants, existsSync, lstatSync, statSync } from "node:fs";
import { mkdir, open, readdir, readFile, rename, rm, stat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { ConfigError, FormatError, VoxgradError } from "./errors.ts";

/** Writes `bytes`, or pieces as they come, to `path`, replacing a file of that name in one step; on an error the old file is untouched. */
export async function writeFileAtomic(path: string, bytes: Uint8Array | string | AsyncIterable<Uint8Array>): Promise<void> {
  expectArguments("writeFileAtomic", "text", { path });
  const inPieces = typeof bytes === "object" && bytes !== null && Symbol.asyncIterator in bytes;
  if (typeof bytes !== "string" && !inPieces) expectArguments("writeFileAtomic", "bytes", { bytes });
  await writeFilesTogether([{ name: path, bytes }]);
}

interface NamedContent {
  /** The path. */
  readonly name: string;
  /** All of it, or pieces as they come. */
  readonly bytes: Uint8Array | string | AsyncIterable<Uint8Array>;
}

/**
 * Writes files that mean something only together, as a header and its data: none takes its place before all are on the disk. On an error none is
 * new, and those that were there are untouched; only a rename that is refused behind another one that replaced a file comes too late for that.
 */
export async function writeFilesTogether(files: readonly NamedContent[]): Promise<void> {
  // Short whatever a file is called, whose name may be as long as names can be.
  const parts = files.map((file) => ({ ...file, temporary: temporaryIn(dirname(file.name)) }));
  const made: string[] = [];
  let at = "";
  try {
    for (const { name, bytes, temporary } of parts) {
      at = name;
      const file = await open(temporary, "wx");
      try {
        await file.writeFile(bytes);
        await file.sync();
      } finally {
        await file.close();
      }
    }
    for (const { name, temporary } of parts) {
      at = name;
      const isNew = !existsSync(name);
      await rename(temporary, name);
      if (isNew) made.push(name);
    }
  } catch (error) {
    // The first error is the one to tell.
    for (const path of [...parts.map((part) => part.temporary), ...made]) await rm(path, { force: true }).catch(() => undefined);
    // What made the pieces says what was wrong.
    throw error instanceof VoxgradError ? error : naming(at, error);
  }
  for (const folder of new Set(files.map(({ name }) => dirname(name)))) await syncFolder(folder);
}

/**
 * Makes `folder`, which must not be there, with `files` by their paths in it: whenever the process ends, there is no such folder or all of it, and what was begun
 * beside it is removed by a later call.
 * @throws ConfigError for a folder that is there, another call's of the meantime too
 */
export async function createFolder(folder: string, files: readonly NamedContent[]): Promise<void> {
  const isThere = () => new ConfigError(`${folder} is there; choose another name`);
  const parent = dirname(resolve(folder));
  await makeFolder(parent);
  const temporary = temporaryIn(parent);
  try {
    await mkdir(temporary).catch((error: unknown) => {
      throw naming(folder, error);
    });
    await sweepFolder(parent, (await stat(temporary)).mtimeMs);
    const inside = files.map(({ name, bytes }) => ({ name: join(temporary, name), bytes }));
    for (const { name } of inside) await makeFolder(dirname(name));
    await writeFilesTogether(inside);
    if (existsSync(folder)) throw isThere();
    await rename(temporary, folder).catch((error: unknown) => {
      throw existsSync(folder) ? isThere() : naming(folder, error);
    });
  } catch (error) {
    await rm(temporary, { recursive: true, force: true }).catch(() => undefined); // the first error is the one to tell
    throw error;
  }
  await syncFolder(parent);
}

const temporaryIn = (folder: string): string => join(folder, `.${randomBytes(8).toString("hex")}.tmp`);
const temporaryName = /^\.[0-9a-f]{16}\.tmp$/;
/** Nothing is written for so long without a byte. */
const staleMs = 3_600_000;

/**
 * Removes what writes of processes that were killed left in a folder and those in it; what may still be written to stays.
 * @param now the time as the folder's file system has it, in milliseconds: a server's clock is another than that of who writes there
 */
export async function sweepTemporaries(folder: string, now: number): Promise<void> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  const inner = entries.filter((e) => e.isDirectory()).map((e) => join(folder, e.name));
  for (const place of [folder, ...inner]) await sweepFolder(place, now);
}

async function sweepFolder(folder: string, now: number): Promise<void> {
  const names = await readdir(folder).catch(() => []);
  for (const name of names.filter((n) => temporaryName.test(n))) await removeStale(join(folder, name), now);
}

/** Removes a file, or a folder that is as old with all that is in it. */
async function removeStale(path: string, now: number): Promise<void> {
  const inside = await readdir(path, { recursive: true }).catch(() => []);
  const timeOf = async (name: string) =>
    stat(join(path, name)).then(
      (s) => s.mtimeMs,
      () => Infinity,
    );
  const last = Math.max(...(await Promise.all(["", ...inside].map(timeOf))));
  if (now - last > staleMs) await rm(path, { recursive: true, force: true }).catch(() => undefined);
}

/** Adds `text` to the end of `path`; on an error, as of a full disk, the file keeps none of it. */
export async function appendWhole(path: string, text: string): Promise<void> {
  try {
    const file = await open(path, "a");
    try {
      const { size } = await file.stat();
      await file.appendFile(text).catch(async (error: unknown) => {
        await file.truncate(size).catch(() => undefined); // the first error is the one to tell
        throw error;
      });
    } finally {
      await file.close();
    }
  } catch (error) {
    throw naming(path, error);
  }
}

/** Makes `path`, which must not be there, with `text` in it; on an error there is no such file, unless there was one. */
export async function createFile(path: string, text: string): Promise<void> {
  try {
    const file = await open(path, "wx");
    try {
      await file.writeFile(text).finally(() => file.close());
    } catch (error) {
      await rm(path, { force: true }).catch(() => undefined); // the first error is the one to tell
      throw error;
    }
  } catch (error) {
    throw naming(path, error);
  }
}

/** The bytes of a file; undefined if there is none. Any other error names the file. */
export async function readIfThere(path: string): Promise<Uint8Array | undefined> {
  return readFile(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw naming(path, error, "read");
  });
}

/** An error of the system with the name of the file that was to be written or read: a full disk says only that it is full, one that fails that it does. */
function naming(path: string, error: unknown, verb: "read" | "write" = "write"): unknown {
  const { code, syscall } = error as NodeJS.ErrnoException;
  if (code === undefined || !(error instanceof Error)) return error;
  return Object.assign(new Error(`cannot ${verb} ${path}: ${error.message}`, { cause: error }), {
    code,
    syscall: syscall ?? verb,
  });
}

/** Makes the rename itself durable; Windows cannot open folders, and there the rename has to do. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r").catch(() => undefined);
  await handle?.sync().catch(() => undefined);
  await handle?.close().catch(() => undefined);
}

/** Text in UTF-8, or in UTF-16 with its byte-order mark, as PowerShell writes files. The mark is no part of it. */
function decodeText(bytes: Uint8Array): string {
  const [a, b] = bytes;
  const encoding = a === 0xff && b === 0xfe ? "utf-16le" : a === 0xfe && b === 0xff ? "utf-16be" : "utf-8";
  return new TextDecoder(encoding).decode(bytes);
}

/** What a JSON file holds. @throws FormatError naming the operation and the file */
export async function readJson(path: string, op: string): Promise<unknown> {
  const bytes = await readFile(path).catch((cause: Error) => {
    throw new FormatError(`${op}: cannot read ${path}: ${cause.message}`, { cause });
  });
  const text = decodeText(bytes);
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new FormatError(`${op}: ${path} is not JSON: ${(cause as Error).message}`, { cause });
  }
}

/** Whether a path is a link, to something or to nothing. */
function isLink(path: string): boolean {
  try {
    return lstatSync(path).isSymbolicLink();
  } catch {
    return false;
  }
}

/** Whether a path is that of a folder, or of a link to one. */
export const isFolder = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;

/** Makes a folder and those above it, one by one: Node's recursive `mkdir` never ends where a system has no place for any, as /proc. @throws ConfigError */
export async function makeFolder(folder: string): Promise<void> {
  const missing: string[] = [];
  for (let at = resolve(folder); !existsSync(at) && dirname(at) !== at; at = dirname(at)) missing.unshift(at);
  for (const path of missing)
    await mkdir(path).catch((cause: NodeJS.ErrnoException) => {
      if (cause.code !== "EEXIST") throw new ConfigError(`cannot make the folder ${path}: ${cause.message}`, { cause });
    });
  if (!isFolder(folder)) throw new ConfigError(`cannot make the folder ${folder}: something else has this name`);
}

/** Throws `ConfigError` unless `folder` is one that files can be written into, or can be made. */
export function expectFolder(folder: string): void {
  let there = resolve(folder);
  while (!existsSync(there) && !isLink(there) && dirname(there) !== there) there = dirname(there);
  if (!existsSync(there))
    throw new ConfigError(
      `cannot write into ${folder}: ${there} is a link to what is not there, such as a disk that is not mounted`,
    );
  if (!statSync(there).isDirectory())
    throw new ConfigError(`cannot write into ${folder}: ${there} is a file; choose another folder`);
  try {
    accessSync(there, constants.W_OK | constants.X_OK);
  } catch (cause) {
    throw new ConfigError(`cannot write into ${folder}: ${(cause as Error).message}`, { cause });
  }
}
