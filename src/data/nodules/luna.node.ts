/** @file LUNA16 in Node: folders of scans and their list become a folder for `NoduleDataset`. */

import { expectArguments } from "../../host/kinds.ts";
import { existsSync } from "node:fs";
import { open, readdir, readFile } from "node:fs/promises";
import { join, sep } from "node:path";
import { sizeOf } from "../../host/array.ts";
import { ConfigError, FormatError } from "../../host/errors.ts";
import { makeFolder, readJson, writeFileAtomic } from "../../host/files.node.ts";
import { expectOptions } from "../../host/options.ts";
import { contentStamp } from "../datasets/content_stamp.node.ts";
import { itemKey } from "../datasets/item_key.ts";
import { expectNamesApart } from "../folders/case_names.ts";
import { scansAmong } from "../folders/luna.ts";
import { encodeNifti } from "../formats/nifti/nifti.ts";
import { writeNiftiFile } from "../formats/nifti/nifti.node.ts";
import { makeVolume, type Volume } from "../volume.ts";
import { type Nodule, parseAnnotations } from "./annotations.ts";
import type { NoduleCropOptions } from "./crop_place.ts";
import {
  type IndexedScan,
  cropNames,
  type NoduleIndex,
  NoduleDataset,
  parseNoduleIndex,
  type ReadRange,
} from "./nodule_dataset.ts";
import { noduleMask, prepareScan, type PrepareNodulesOptions } from "./prepare.ts";

/** What `prepareLuna` needs beside its folders. */
export interface PrepareLunaOptions extends PrepareNodulesOptions {
  /** Reads a scan with its affine in RAS. `path` is that of the scan's header; the volume is `[1, nx, ny, nz]`. */
  readonly readVolume: (path: string) => Promise<Volume>;
  /** Called for each scan that has been written. It gets the scan's `id`, and how many are `done` of `total`. */
  readonly onScan?: (id: string, done: number, total: number) => void;
}

const unreadable =
  (path: string) =>
  (cause: Error): never => {
    throw new FormatError(`prepareLuna: cannot read ${path}: ${cause.message}`, { cause });
  };

/** Scans of a folder and the folders in it, such as LUNA16's subset0 … subset9, by their ids. */
async function findScans(folder: string): Promise<Map<string, string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(unreadable(folder));
  return scansAmong(entries.filter((e) => e.isFile()).map((e) => join(e.parentPath, e.name).replaceAll(sep, "/")));
}

/**
 * Writes `<id>.nii` (bytes), `<id>.mask.nii.gz` and `index.json` for all scans of `folder` that have nodules in `annotations`. Scans that are
 * in the index of an earlier call stay as they are, so that a call that was interrupted goes on; those whose file, nodules or options (all but `readVolume`)
 * are others than then are prepared anew.
 * @throws ConfigError if no scan of the list is there, and for two whose files would be one on a disk that ignores case; FormatError for an `index.json` that is not one of these
 * @param out folder that is written
 */
export async function prepareLuna(
  folder: string,
  annotations: string,
  out: string,
  options: PrepareLunaOptions,
): Promise<NoduleIndex> {
  expectOptions("prepareLuna", options, "spacing window:numbers readVolume onScan");
  expectArguments("prepareLuna", "text", { folder, annotations, out });
  const nodules = parseAnnotations(await readFile(annotations, "utf8").catch(unreadable(annotations)), annotations);
  const found = await findScans(folder);
  const wanted = [...nodules].filter(([id]) => found.has(id));
  if (wanted.length === 0)
    throw new ConfigError(
      `prepareLuna: none of the ${nodules.size} scans of ${annotations} is among the ${found.size} in ${folder}`,
    );
  const path = join(out, "index.json");
  const before = existsSync(path) ? parseNoduleIndex(await readJson(path, "prepareLuna"), path).scans : [];
  const scans = new Map(before.map((scan) => [scan.id, scan]));
  expectNamesApart("prepareLuna", [...scans.keys(), ...wanted.map(([id]) => id)]);
  await makeFolder(out);
  const writeIndex = (without?: string) =>
    writeFileAtomic(path, JSON.stringify({ version: 1, scans: [...scans.values()].filter((scan) => scan.id !== without) }));
  for (const [i, [id, list]] of wanted.entries()) {
    const source = found.get(id)!;
    const { spacing = null, window = null } = options;
    const made = await itemKey("prepareLuna", { source, list, spacing, window }, { stamp: contentStamp });
    if (scans.get(id)?.made !== made) {
      // Whenever the call ends, no row tells of another file than the one beside it. The scan keeps its place, by which folds are cut.
      const forget = async () => void (scans.has(id) && (await writeIndex(id)));
      scans.set(id, { ...(await prepareOne(id, source, list, out, options, forget)), made });
      await writeIndex();
    }
    options.onScan?.(id, i + 1, wanted.length);
  }
  return { version: 1, scans: [...scans.values()] };
}

async function prepareOne(
  id: string,
  path: string,
  list: readonly Nodule[],
  out: string,
  options: PrepareLunaOptions,
  forget: () => Promise<void>,
): Promise<IndexedScan> {
  const { readVolume, onScan: _, ...rest } = options;
  const { image, nodules } = prepareScan(await readVolume(path), list, rest);
  const shape = image.shape.slice(1);
  const bytes = encodeNifti(image);
  const mask = { data: noduleMask(nodules, [0, 0, 0], shape, image.affine), shape: image.shape };
  await forget();
  await writeNiftiFile(join(out, `${id}.mask.nii.gz`), makeVolume(mask, image.affine, image.meta));
  await writeFileAtomic(join(out, `${id}.nii`), bytes);
  const rounded = nodules.map(({ center, radius, box }) => ({
    center: center.map((c) => Math.round(c * 100) / 100) as [number, number, number],
    radius: Math.round(radius * 100) / 100,
    box,
  }));
  return { id, file: `${id}.nii`, offset: bytes.length - sizeOf(shape), shape, affine: image.affine, nodules: rounded };
}

/** Reads parts of the files of a folder. */
function rangesOf(folder: string): ReadRange {
  return async (file, start, end) => {
    const handle = await open(join(folder, file), "r");
    try {
      const bytes = new Uint8Array(end - start);
      let at = 0;
      while (at < bytes.length) {
        const { bytesRead } = await handle.read(bytes, at, bytes.length - at, start + at);
        if (bytesRead === 0)
          throw new ConfigError(`openNodules: ${join(folder, file)} ends before byte ${end}; prepare the scan again`);
        at += bytesRead;
      }
      return bytes;
    } finally {
      await handle.close();
    }
  };
}

/** The crops of a folder that `prepareLuna` wrote. @throws FormatError if there is no index; ConfigError for options out of range */
export async function openNodules(folder: string, options: NoduleCropOptions = {}): Promise<NoduleDataset> {
  expectOptions("openNodules", options, cropNames);
  expectArguments("openNodules", "text", { folder });
  const path = join(folder, "index.json");
  return new NoduleDataset(parseNoduleIndex(await readJson(path, "openNodules"), path), rangesOf(folder), options);
}
