/** @file What tells a file of a disk from what it was before it was edited: size and time, as make has it. */

import { readdir, readFile, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { filesAt, filesBelow } from "../formats/files.node.ts";
import { imageStem } from "../formats/formats.ts";

/** Longer texts are no paths. */
const longestPath = 4096;
/** Headers that are text are shorter. */
const longestHeader = 1 << 20;
const header = /\.(nhdr|mhd)$/i;

/**
 * Size and time of the file at `path` and of those beside it that an image of its name is read with: those that share its name (`.hdr` and `.img`,
 * `<id>.json` of a TIFF) and those that its header names. Of a folder those of its files, or of all below where it has none. Undefined where there is neither.
 */
export async function contentStamp(path: string): Promise<string | undefined> {
  if (path.length > longestPath || path.includes("\0")) return undefined;
  const info = await stat(path).catch(() => undefined);
  if (!info) return undefined;
  if (info.isFile()) return stampOf(await filesWith(path, info.size));
  if (!info.isDirectory()) return undefined;
  const own = await filesAt(path).catch(() => []);
  return stampOf((own.length > 0 ? own : await filesBelow(path).catch(() => [])).map(({ name }) => name));
}

/** The file and those beside it. */
async function filesWith(path: string, size: number): Promise<string[]> {
  const folder = dirname(path);
  // A channel's number is none of the case's name.
  const stem = imageStem(path).replace(/_\d{4}$/, "");
  const text = header.test(path) && size <= longestHeader ? await readFile(path, "latin1") : "";
  const counted = text.includes("%");
  const belongs = (name: string) => name.startsWith(`${stem}.`) || counted || text.includes(name);
  const all = await readdir(folder).catch(() => []);
  const names = all.filter((name) => name !== basename(path) && belongs(name)).sort();
  return [path, ...names.map((name) => join(folder, name))];
}

async function stampOf(paths: readonly string[]): Promise<string> {
  const each = await Promise.all(
    paths.map(async (path) => {
      const info = await stat(path).catch(() => undefined);
      return info?.isFile() ? `${basename(path)} ${info.size} ${info.mtimeMs}` : "";
    }),
  );
  return each.filter((s) => s !== "").join("\n");
}
