/** @file The ways through datasets on disk (Node), whatever their layout: opening a folder, reading a case. */

import { expectArguments, expectKinds } from "../../host/kinds.ts";
import { existsSync, readdirSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { ConfigError, DataError, FormatError } from "../../host/errors.ts";
import { expectNames } from "../../host/options.ts";
import type { LabelClass } from "../labels.ts";
import type { Volume } from "../volume.ts";
import type { Case, DatasetIndex } from "./dataset_index.ts";
import { datasetJsonLayout } from "./decathlon.node.ts";
import type { FolderLayout, FolderOptions } from "./folder_layout.ts";
import { datasetIn, layouts } from "./known_layouts.node.ts";

/**
 * The dataset in a folder, whatever its layout: `dataset.json` (Decathlon, nnU-Net), LUNA16, CHAOS.
 * @param options what is wanted of it, by layout; those of other layouts have no effect
 * @returns the index with absolute paths
 * @throws FormatError for a folder of no layout, or a damaged one; ConfigError for options that the folder cannot satisfy
 * @param dir the dataset's folder
 */
export async function openDataset(dir: string, options: FolderOptions = {}): Promise<DatasetIndex> {
  expectNames(
    "openDataset",
    options,
    layouts.map((l) => l.name),
  );
  expectArguments("openDataset", "text", { dir });
  const root = resolve(dir);
  if (!existsSync(root)) throw new FormatError(`openDataset: ${dir} does not exist`);
  if (!statSync(root).isDirectory()) throw new FormatError(`openDataset: ${dir} is a file; give the folder that it lies in`);
  const index = await datasetIn(root, options);
  if (index) return index;
  throw new FormatError(`openDataset: cannot read ${dir}: expected ${layouts.map((l) => l.has).join(", or ")}${adviceOn(root)}`);
}

/** What a folder needs to become a dataset. */
function adviceOn(root: string): string {
  if (existsSync(join(root, "imagesTr")))
    return '; imagesTr is there, so this is enough: { "labels": { "background": 0, "liver": 1 } } in a dataset.json beside it';
  if (holdsDicom(root))
    return '; for patients\' folders of DICOM with structure sets or segmentations this is enough: { "labels": { "background": 0, "liver": 1 }, "structures": { "liver": ["Liver", "LIVER"] } } in a dataset.json beside them, and `voxgrad info` lists the structures of a folder';
  return '; of files in other folders a dataset.json can list { image, label } pairs as "training"';
}

// Folders that are looked into.
const looked = 3;

/** Whether the first folders in a folder have DICOM files, as far as they can be read. */
function holdsDicom(root: string): boolean {
  try {
    const folders = readdirSync(root, { withFileTypes: true }).filter((e) => e.isDirectory() && !e.name.startsWith("."));
    const paths = folders
      .slice(0, looked)
      .flatMap(({ name }) => readdirSync(join(root, name), { recursive: true, encoding: "utf8" }));
    return paths.some((path) => /\.(dcm|dicom|ima)$/i.test(path));
  } catch {
    return false;
  }
}

/**
 * Reads the image and, if there is one, the label of a case as its layout says, and checks that they belong together.
 * @returns image `[C, nx, ny, nz]`, label `[1, nx, ny, nz]`, in their stored element types
 * @throws FormatError for files that cannot be read, ShapeError and DataError for what does not fit together
 */
export async function readCase(item: Case, labels: readonly LabelClass[]): Promise<{ image: Volume; label?: Volume }> {
  expectKinds("readCase", { object: { item }, objects: { labels } });
  return layoutOf(item).read(item, labels);
}

/** Reads the label of a case alone. Throws `FormatError`, `DataError`, also for a case that has none. Shape `[1, nx, ny, nz]`. */
export async function readCaseLabel(item: Case, labels: readonly LabelClass[]): Promise<Volume> {
  expectKinds("readCaseLabel", { object: { item }, objects: { labels } });
  if (item.label === undefined) throw new DataError(`readCaseLabel: case "${item.id}" has no label`);
  const layout = layoutOf(item);
  return layout.readLabel ? layout.readLabel(item, labels) : (await layout.read(item, labels)).label!;
}

function layoutOf({ id, layout }: Case): FolderLayout {
  const name = layout?.name ?? datasetJsonLayout.name;
  const found = layouts.find((l) => l.name === name);
  if (found) return found;
  throw new ConfigError(`readCase: case "${id}" is of the layout "${name}", which is not known`);
}
