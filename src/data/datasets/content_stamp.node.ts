/** @file What tells a file of a disk from what it was before it was edited: size and time, as make has it. */

import { readdir, readFile, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { imageStem } from "../formats/formats.ts";

/** Longer texts are no paths. */
const longestPath = 4096;
/** Headers that are text are shorter. */
const longestHeader = 1 << 20;
const header = /\.(nhdr|mhd)$/i;
/** Errors by which a text is no path of ours; any other, as of a drive that does not answer, says nothing of the file. */
const noFile = new Set(["ENOENT", "ENOTDIR", "EACCES", "EPERM", "ENAMETOOLONG", "ELOOP", "EINVAL"]);

/** What a call of the system gave; `instead` where there is no file. */
const unlessNoFile = <T, I>(call: Promise<T>, instead: I): Promise<T | I> =>
  call.catch((error: NodeJS.ErrnoException) => {
    const { code = "" } = (error.cause as NodeJS.ErrnoException | undefined) ?? error;
    if (noFile.has(code)) return instead;
    throw error;
  });

/**
 * Size and time of the file at `path` and of those beside it that an image of its name is read with: those that share its name (`.hdr` and `.img`,
 * `<id>.json` of a TIFF) and those that its header names. Of a folder those of all files below. Undefined where there is neither.
 * @throws what the system says of a disk that fails: without its file an item would be kept by another name
 */
export async function contentStamp(path: string): Promise<string | undefined> {
  if (path.length > longestPath || path.includes("\0")) return undefined;
  const info = await unlessNoFile(stat(path), undefined);
  if (!info) return undefined;
  if (info.isFile()) return stampOf(await filesWith(path, info.size));
  if (!info.isDirectory()) return undefined;
  return stampOfFolder(path);
}

/** Stamps of folders that took long, as of a whole dataset that each of its items names: they hold for ten times as long. */
const walks = new Map<string, { readonly stamp: string; readonly until: number }>();
/** Milliseconds from which on it is long. */
const longWalk = 200;

async function stampOfFolder(path: string): Promise<string> {
  const begun = performance.now();
  const known = walks.get(path);
  if (known && begun < known.until) return known.stamp;
  const stamp = await stampOf((await filesBelow(path)).sort());
  const took = performance.now() - begun;
  walks.delete(path);
  if (took >= longWalk) walks.set(path, { stamp, until: performance.now() + 10 * took });
  for (const oldest of [...walks.keys()].slice(0, -mostListings)) walks.delete(oldest);
  return stamp;
}

/** All that is below a folder but what is hidden. One folder that must not be read, or is gone meanwhile, leaves the others what they are. */
async function filesBelow(folder: string): Promise<string[]> {
  const entries = await unlessNoFile(readdir(folder, { withFileTypes: true }), []);
  const found = entries.map((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return filesBelow(path);
    return entry.name.startsWith(".") ? [] : [path];
  });
  return (await Promise.all(found)).flat();
}

/** The file and those beside it. */
async function filesWith(path: string, size: number): Promise<string[]> {
  const folder = dirname(path);
  // A channel's number is none of the case's name.
  const stem = imageStem(path).replace(/_\d{4}$/, "");
  const text = header.test(path) && size <= longestHeader ? await readFile(path, "latin1") : "";
  const counted = text.includes("%");
  const all = await namesIn(folder);
  const alike = beginning(all, `${stem}.`);
  const others = text === "" ? alike : all.filter((name) => counted || text.includes(name) || alike.includes(name));
  return [path, ...others.filter((name) => name !== basename(path)).map((name) => join(folder, name))];
}

/** Those of sorted names that begin so. */
function beginning(names: readonly string[], start: string): readonly string[] {
  let [low, high] = [0, names.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (names[middle] < start) low = middle + 1;
    else high = middle;
  }
  let end = low;
  while (end < names.length && names[end].startsWith(start)) end++;
  return names.slice(low, end);
}

interface Listing {
  readonly names: readonly string[];
  /** The folder's time, which changes with what comes and goes in it. */
  readonly changed: number;
  /** When it was listed. */
  readonly listed: number;
}

/** The latest few: a folder of thousands of files would be listed for each of them. */
const listings = new Map<string, Listing>();
const mostListings = 8;
/** Disks tell times in steps of up to two seconds: of what changed within them a folder's time says nothing. */
const coarsest = 3000;

/** The names in a folder, sorted. */
async function namesIn(folder: string): Promise<readonly string[]> {
  const changed = (await unlessNoFile(stat(folder), undefined))?.mtimeMs;
  const known = listings.get(folder);
  if (known && known.changed === changed && known.listed - changed > coarsest) return known.names;
  const listed = Date.now();
  const names = (await unlessNoFile(readdir(folder), [])).sort();
  listings.delete(folder);
  if (changed !== undefined) listings.set(folder, { names, changed, listed });
  for (const oldest of [...listings.keys()].slice(0, -mostListings)) listings.delete(oldest);
  return names;
}

async function stampOf(paths: readonly string[]): Promise<string> {
  const each = await Promise.all(
    paths.map(async (path) => {
      const info = await unlessNoFile(stat(path), undefined);
      return info?.isFile() ? `${basename(path)} ${info.size} ${info.mtimeMs}` : "";
    }),
  );
  return each.filter((s) => s !== "").join("\n");
}
