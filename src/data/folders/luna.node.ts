/** @file Folders of chest scans with nodules on a disk (Node), see `luna.ts`. The headers of raw scans are kept, so that a folder of hundreds opens at once. */

import { expectArguments } from "../../host/kinds.ts";
import { existsSync } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { basename, join, relative, resolve, sep } from "node:path";
import { isRecord } from "../../host/bytes/json.ts";
import { readJson, writeFileAtomic } from "../../host/files.node.ts";
import { expectNames } from "../../host/options.ts";
import { fileAt } from "../formats/files.node.ts";
import { readImageGrid } from "../formats/images.node.ts";
import type { Affine, Volume } from "../volume.ts";
import type { Case, DatasetIndex } from "./dataset_index.ts";
import type { FolderLayout } from "./folder_layout.ts";
import { lunaDataset, readNoduleCase, readNoduleLabel } from "./luna.ts";

/** Keeps the headers of raw scans, in the folder itself. */
export const lunaCacheFile = "voxgrad-nodules.json";

const marks = ["index.json", "annotations.csv", join("CSVFILES", "annotations.csv")];

/**
 * The dataset in a folder of one of the layouts of `lunaDataset`, with absolute paths; undefined for other folders.
 * @throws FormatError naming the file and the field; ConfigError for a list without any of its scans
 * @param dir the dataset's folder
 */
export async function loadLuna(dir: string): Promise<DatasetIndex | undefined> {
  expectArguments("loadLuna", "text", { dir });
  const root = resolve(dir);
  if (!existsSync(root)) return undefined;
  const marked = marks.some((name) => existsSync(join(root, name)));
  const entries = await readdir(root, { recursive: marked, withFileTypes: true });
  const paths = entries.filter((e) => e.isFile()).map((e) => join(e.parentPath, e.name).replaceAll(sep, "/"));
  const grids = await KeptGrids.open(root);
  const index = await lunaDataset(paths, { open: fileAt, gridOf: (path) => grids.of(path) }, basename(root));
  await grids.keep();
  return index;
}

interface KnownScan {
  readonly bytes: number;
  readonly changed: number;
  readonly shape: readonly number[];
  readonly affine: Affine;
}

/** Grids of the scans of a folder, from a list of those whose headers were read before. */
class KeptGrids {
  private readonly root: string;
  private readonly known: Readonly<Record<string, KnownScan>>;
  private readonly next: Record<string, KnownScan> = {};

  private constructor(root: string, known: Readonly<Record<string, KnownScan>>) {
    this.root = root;
    this.known = known;
  }

  static async open(root: string): Promise<KeptGrids> {
    const json = await readJson(join(root, lunaCacheFile), "loadLuna").catch(() => undefined);
    const kept = isRecord(json) && json.version === 1 && isRecord(json.scans);
    return new KeptGrids(root, kept ? (json.scans as Record<string, KnownScan>) : {});
  }

  async of(path: string): Promise<KnownScan> {
    const { size: bytes, mtimeMs: changed } = await stat(path);
    const name = relative(this.root, path);
    const before = this.known[name] as KnownScan | undefined;
    const same = before?.bytes === bytes && before.changed === changed;
    return (this.next[name] = same ? before : { bytes, changed, ...(await readImageGrid(path)) });
  }

  /** A folder that cannot be written to is read again next time. */
  async keep(): Promise<void> {
    const { root, known, next } = this;
    if (Object.keys(next).length === 0 || JSON.stringify(next) === JSON.stringify(known)) return;
    await writeFileAtomic(join(root, lunaCacheFile), JSON.stringify({ version: 1, scans: next })).catch(() => {});
  }
}

/**
 * The label of a case of `loadLuna` alone, see `readNoduleLabel`.
 * @throws FormatError, DataError
 * @returns `[1, nx, ny, nz]`
 */
export const loadNoduleLabel = (item: Case): Promise<Volume> => readNoduleLabel(item, fileAt);

/**
 * Reads a case of `loadLuna`, see `readNoduleCase`.
 * @throws FormatError, ShapeError and DataError as loadCase
 * @returns `image` and `label` `[1, nx, ny, nz]`
 */
export const loadNoduleCase = (item: Case): Promise<{ image: Volume; label?: Volume }> => readNoduleCase(item, fileAt);

/** Folders of chest scans with nodules, as a layout. */
export const lunaLayout: FolderLayout = {
  name: "luna",
  has: "annotations.csv, <id>_clean.nrrd or the index.json of prepare-luna (LUNA16)",
  async open(dir, options) {
    const index = await loadLuna(dir);
    if (index) expectNames("loadLuna", options, "");
    return index;
  },
  read: loadNoduleCase,
  readLabel: loadNoduleLabel,
};
