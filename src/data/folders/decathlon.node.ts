/**
 * @file Decathlon and nnU-Net folders on disk (Node): the index of a dataset, its folds, and the voxels of a case.
 */

import { expectArguments, expectFields } from "../../host/kinds.ts";
import { existsSync, readdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { isFolder, readJson } from "../../host/files.node.ts";
import { expectNames } from "../../host/options.ts";
import { fileAt, filesBelow } from "../formats/files.node.ts";
import type { ImageFile } from "../formats/format.ts";
import { readImageBeside } from "./beside_tiff.node.ts";
import { joinCase } from "./join_case.ts";
import type { LabelClass } from "../labels.ts";
import type { Case, DatasetIndex, Split } from "./dataset_index.ts";
import { parseDataset } from "./decathlon.ts";
import { readDrawnCase } from "./drawn.ts";
import { type ExtraChannel, withExtraChannel } from "./extra_channel.node.ts";
import type { FolderLayout } from "./folder_layout.ts";
import { parseSplits } from "./splits.ts";
import type { Volume } from "../volume.ts";

/**
 * Reads `dataset.json` of a Decathlon or nnU-Net folder and checks that every file it promises exists.
 * @returns the index with absolute paths
 * @throws FormatError naming file and field
 * @param dir the folder of `dataset.json`
 */
export async function loadDataset(dir: string): Promise<DatasetIndex> {
  expectArguments("loadDataset", "text", { dir });
  const root = resolve(dir);
  const source = join(root, "dataset.json");
  const folder = {
    root,
    has: (path: string) => existsSync(join(root, path)),
    list: (name: string) => (isFolder(join(root, name)) ? readdirSync(join(root, name)) : []),
  };
  const index = parseDataset(await readJson(source, "loadDataset"), folder, source);
  const absolute = (c: Case): Case => ({
    ...c,
    image: c.image.map((p) => join(root, p)),
    ...(c.label && { label: join(root, c.label) }),
  });
  return { ...index, training: index.training.map(absolute), test: index.test.map(absolute) };
}

/**
 * Reads the folds of a dataset.
 * @param path a dataset's folder (its `splits_final.json` is taken) or the file itself
 * @throws FormatError for a file that is none, DataError if a case is on both sides of a fold
 */
export async function loadSplits(path: string): Promise<Split[]> {
  expectArguments("loadSplits", "text", { path });
  const source = path.endsWith(".json") ? resolve(path) : join(resolve(path), "splits_final.json");
  return parseSplits(await readJson(source, "loadSplits"), source);
}

/**
 * Reads the image and, if there is one, the label of a case and checks that they belong together, see joinCase.
 * @returns image `[C, nx, ny, nz]`, label `[1, nx, ny, nz]`, in their stored element types
 * @throws FormatError for files that cannot be read, ShapeError and DataError as joinCase
 */
export async function loadCase(item: Case, labels: readonly LabelClass[]): Promise<{ image: Volume; label?: Volume }> {
  expectFields("loadCase", "item", item, { id: "text", image: "texts", label: "text?", choices: "objects?", drawn: "object?" });
  expectArguments("loadCase", "objects", { labels });
  if (item.drawn) return readDrawnCase(item, item.drawn, labels, filesOf);
  const images = await Promise.all(item.image.map((path, i) => readImageBeside(path, item.choices?.[i])));
  const label = item.label === undefined ? undefined : await readImageBeside(item.label);
  return joinCase(item.id, images, label, labels);
}

const filesOf = async (path: string): Promise<ImageFile[]> => (isFolder(path) ? filesBelow(path) : [await fileAt(path)]);

/** Folders with a `dataset.json`, as a layout. */
export const datasetJsonLayout: FolderLayout = {
  name: "datasetJson",
  has: "a dataset.json (Decathlon, nnU-Net)",
  async open(dir, options) {
    if (!existsSync(join(dir, "dataset.json"))) return undefined;
    expectNames("loadDataset", options, "extraChannel");
    const index = await loadDataset(dir);
    const { extraChannel } = options as { readonly extraChannel?: ExtraChannel };
    return extraChannel ? withExtraChannel(index, extraChannel) : index;
  },
  read: loadCase,
  readLabel: async (item, labels) => (item.drawn ? (await loadCase(item, labels)).label! : readImageBeside(item.label!)),
};
