/**
 * @file Folders of chest scans with nodules as datasets, wherever their files lie. Three layouts:
 *
 *     index.json, <id>.nii, <id>.mask.nii.gz                           what `voxgrad prepare-luna` writes
 *     annotations.csv (here or in CSVFILES), subset0/<id>.mhd …        LUNA16 as it is published
 *     <id>_clean.nrrd, <id>_mask.nrrd, <id>_bboxes.npy                 cleaned scans with masks, boxes as rows z, y, x, diameter
 *
 * Nodules and grids are known from lists and headers, so that no voxel is read before training wants it.
 */

import { expectArguments, expectFields } from "../../host/kinds.ts";
import { failing } from "../../host/bytes/budget.ts";
import { ConfigError, FormatError } from "../../host/errors.ts";
import { expectOptions } from "../../host/options.ts";
import { turnArray } from "../axis_codes.ts";
import { baseName } from "../formats/beside.ts";
import { whileReading } from "../formats/byte_source.ts";
import type { ImageFile, ImageGrid } from "../formats/format.ts";
import { hiddenImages } from "../formats/formats.ts";
import { readFiles, readGrid } from "../formats/read_image.ts";
import type { LabelClass } from "../labels.ts";
import { type Nodule, parseAnnotations } from "../nodules/annotations.ts";
import { maskOfNodules, toMillimeters } from "../nodules/mask_nodules.ts";
import { parseNoduleIndex } from "../nodules/nodule_dataset.ts";
import { voxelEdge } from "../nodules/prepare.ts";
import { type Affine, inMillimeters, makeVolume, spacingOf, type Volume } from "../volume.ts";
import type { Case, DatasetIndex, Split } from "./dataset_index.ts";
import { joinCase } from "./join_case.ts";

const labels: readonly LabelClass[] = [
  { name: "background", values: [0] },
  { name: "nodule", values: [1] },
];

const indexOf = (name: string, training: readonly Case[], fileEnding: string): DatasetIndex => ({
  name,
  modality: ["CT"],
  labels,
  fileEnding,
  training,
  test: [],
});

/** Opens a file by its path. */
export type OpenFile = (path: string) => Promise<ImageFile>;

/** What `lunaDataset` needs beside the paths. */
export interface LunaDatasetOptions {
  /** Opens one of the files. */
  readonly open: OpenFile;
  /** Where and how large the image of a file is; default as its header says. `path` is one of those that were given. */
  readonly gridOf?: (path: string) => Promise<ImageGrid>;
}

const scanFile = /\.(mhd|mha|nii|nii\.gz|nrrd)$/i;

/** Scans among files, by their ids; LUNA16's lungs, which have the same names, are none. */
export const scansAmong = (paths: readonly string[]): Map<string, string> =>
  new Map(
    paths
      .filter((path) => scanFile.test(path) && !/seg-lungs/i.test(path))
      .sort()
      .map((path) => [baseName(path).replace(scanFile, ""), path]),
  );

const clean = /_clean\.(nrrd|npy)$/;

/**
 * The dataset that files of one of the layouts above make; undefined for others. The cases have the paths that were given.
 * @throws FormatError naming the file and the field; ConfigError for a list without any of its scans
 * @param paths of all files of the folder and those in it, with "/"
 * @param folder what the dataset and messages are called by
 */
export async function lunaDataset(
  paths: readonly string[],
  options: LunaDatasetOptions,
  folder = "LUNA16",
): Promise<DatasetIndex | undefined> {
  expectOptions("lunaDataset", options, "open:function! gridOf:function");
  expectArguments("lunaDataset", "text", { folder });
  const index = await layoutIn(paths, options, folder);
  const hidden = hiddenImages(folder, paths.map(baseName));
  return index && hidden !== undefined ? { ...index, notes: [...(index.notes ?? []), hidden] } : index;
}

async function layoutIn(
  paths: readonly string[],
  options: LunaDatasetOptions,
  folder: string,
): Promise<DatasetIndex | undefined> {
  const there: Files = {
    folder,
    paths: paths.filter((path) => !baseName(path).startsWith(".")),
    open: options.open,
    gridOf: options.gridOf ?? (async (path) => readGrid(await options.open(path))),
  };
  const prepared = outermost(there.paths, /(^|\/)index\.json$/);
  const list = outermost(there.paths, /(^|\/)annotations\.csv$/);
  // Other files of a name so common may lie deeper in a raw folder.
  if (prepared !== undefined && (list === undefined || depth(prepared) <= depth(list))) return preparedFolder(there, prepared);
  if (list !== undefined) return rawFolder(there, list);
  return there.paths.some((path) => clean.test(path)) ? cleanedFolder(there) : undefined;
}

interface Files extends Required<LunaDatasetOptions> {
  readonly folder: string;
  readonly paths: readonly string[];
}

/** Folders above a file, but LUNA16's own for its lists. */
const depth = (path: string): number => path.replace(/(^|\/)CSVFILES\//, "$1").split("/").length;

/** Of the paths that match, that in the fewest folders. */
const outermost = (paths: readonly string[], wanted: RegExp): string | undefined =>
  paths.filter((path) => wanted.test(path)).sort((a, b) => depth(a) - depth(b))[0];

const folderOf = (path: string): string => path.slice(0, path.length - baseName(path).length);
const textOf = async ({ open }: Files, path: string): Promise<string> =>
  whileReading(path, (await open(path)).blob.text(), "lunaDataset");

function jsonOf(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new FormatError(`lunaDataset: ${path} is not JSON: ${(cause as Error).message}`, { cause });
  }
}

async function preparedFolder(files: Files, path: string): Promise<DatasetIndex> {
  const { scans } = parseNoduleIndex(jsonOf(await textOf(files, path), path), path);
  const root = folderOf(path);
  const training = scans.map(({ id, file, shape, affine, nodules }): Case => {
    if (!affine) throw new FormatError(`lunaDataset: ${path}: scan "${id}" has no affine; prepare the folder again`);
    const edge = voxelEdge(affine);
    return {
      id,
      image: [root + file],
      label: `${root}${id}.mask.nii.gz`,
      layout: { name: "luna" },
      grid: { shape: [1, ...shape], affine },
      nodules: nodules.map(({ center, radius }) => ({ center: toMillimeters(affine, center), diameter: 2 * radius * edge })),
    };
  });
  return indexOf(files.folder, training, ".nii");
}

async function rawFolder(files: Files, list: string): Promise<DatasetIndex> {
  const nodules = parseAnnotations(await textOf(files, list), list);
  const found = scansAmong(files.paths);
  if (![...nodules.keys()].some((id) => found.has(id)))
    throw new ConfigError(
      `lunaDataset: none of the ${nodules.size} scans of ${list} is among the ${found.size} in ${files.folder}`,
    );
  const training: Case[] = [];
  for (const [id, path] of found) {
    const { shape, affine, units } = await files.gridOf(path);
    const layout = { name: "luna", balls: true };
    const grid = { shape, affine, ...(units && { units }) };
    training.push({ id, image: [path], label: list, layout, grid, nodules: nodules.get(id) ?? [] });
  }
  const missing = [...nodules.keys()].filter((id) => !found.has(id)).length;
  const splits = subsetSplits(training);
  return {
    ...indexOf(files.folder, training, ".mhd"),
    ...(splits && { splits }),
    ...(missing > 0 && { notes: [`${missing} of ${nodules.size} scans of ${baseName(list)} are not there and are left out`] }),
  };
}

/** LUNA16's folds: a subset each. */
function subsetSplits(cases: readonly Case[]): Split[] | undefined {
  // The last of them: the dataset may lie in a folder of such a name.
  const subsets = cases.map((c) => /^(?:.*\/)?(subset\d+)\//.exec(c.image[0])?.[1]);
  const names = [...new Set(subsets)].sort();
  if (names.length < 2 || names.includes(undefined)) return undefined;
  const part = (name: string | undefined, inside: boolean) =>
    cases.filter((_, i) => (subsets[i] === name) === inside).map((c) => c.id);
  return names.map((name) => ({ train: part(name, false), val: part(name, true) }));
}

async function cleanedFolder(files: Files): Promise<DatasetIndex> {
  const there = new Set(files.paths);
  const training: Case[] = [];
  for (const image of files.paths.filter((path) => clean.test(path)).sort()) {
    const stem = image.replace(clean, "");
    const grid = await files.gridOf(image);
    const { affine, turned } = xyzGrid(grid);
    const mask = ["nrrd", "npy"].map((ending) => `${stem}_mask.${ending}`).find((path) => there.has(path));
    const list = `${stem}_bboxes.npy`;
    const boxes = there.has(list) ? await readBoxes(files, list) : undefined;
    training.push({
      id: baseName(stem),
      image: [image],
      ...(mask !== undefined ? { label: mask } : boxes && { label: list }),
      grid: { ...grid, shape: turned ? [grid.shape[0], ...grid.shape.slice(1).toReversed()] : grid.shape, affine },
      ...(boxes && { nodules: boxes.map((box) => noduleOf(box, inMillimeters({ ...grid, affine }).affine)) }),
      layout: { name: "luna", zyx: turned, balls: mask === undefined && boxes !== undefined },
    });
  }
  return indexOf(files.folder, training, ".nrrd");
}

/** Files without a place in space have NumPy's order: z, y, x of a patient on the back, whose left is at high x. */
function xyzGrid({ affine }: { readonly affine: Affine }): { affine: Affine; turned: boolean } {
  const spacing = spacingOf(affine);
  const plain = affine.every((row, r) => row.every((v, c) => v === (r !== c ? 0 : r === 3 ? 1 : spacing[r])));
  if (!plain) return { affine, turned: false };
  const [z, y, x] = spacing;
  return {
    affine: [
      [-x, 0, 0, 0],
      [0, -y, 0, 0],
      [0, 0, z, 0],
      [0, 0, 0, 1],
    ],
    turned: true,
  };
}

/** Rows of boxes: z, y, x and diameter, or z, y, x and sizes of three axes, in voxels. Rows of zeros are none. */
async function readBoxes(files: Files, path: string): Promise<number[][]> {
  const fail = failing(`lunaDataset: ${path}`);
  const volume = await readAt(path, files.open).catch((error: unknown) => {
    // NumPy stores no boxes as an array of none.
    if (error instanceof FormatError && /the array is empty/.test(error.message)) return undefined;
    throw error;
  });
  if (!volume) return [];
  const shape = (volume.meta.fields?.shape ?? []) as readonly number[];
  const columns = shape.at(-1) ?? 0;
  if (shape.length > 2 || (columns !== 4 && columns !== 6))
    throw fail(`the array is (${shape}); expected rows of 4 (z, y, x, diameter) or 6 numbers (z, y, x and three sizes)`);
  const values = Array.from(volume.data);
  const rows = Array.from({ length: values.length / columns }, (_, r) => values.slice(r * columns, (r + 1) * columns));
  return rows.filter((row) => row.some((v) => v !== 0));
}

function noduleOf([z, y, x, ...sizes]: readonly number[], affine: Affine): Nodule {
  const edge = voxelEdge(affine);
  return { center: toMillimeters(affine, [x, y, z]), diameter: Math.max(...sizes) * edge };
}

function toXyz(volume: Volume): Volume {
  const { affine, turned } = xyzGrid(volume);
  if (!turned) return volume;
  return makeVolume(turnArray(volume, { axes: [2, 1, 0], flips: [false, false, false] }), affine, volume.meta);
}

/** Masks number their nodules; here a voxel is of a nodule or not. */
function zeroOrOne(mask: Volume): Volume {
  const data = new Uint8Array(mask.data.length);
  for (let i = 0; i < data.length; i++) data[i] = Number(mask.data[i] !== 0);
  return makeVolume({ data, shape: mask.shape }, mask.affine, mask.meta);
}

const readAt = async (path: string, open: OpenFile): Promise<Volume> => readFiles([await open(path)], {});

const readXyz = async (path: string, { layout }: Case, open: OpenFile): Promise<Volume> => {
  const volume = await readAt(path, open);
  return layout?.zyx === true ? toXyz(volume) : volume;
};

/** What of a list of nodules is the label: no file, but their balls on the image's grid. */
const isListed = ({ layout }: Case): boolean => layout?.balls === true;

/**
 * The label of a case of `lunaDataset` alone: its mask, else the balls of its list.
 * @throws FormatError, DataError
 * @param open opens a file of the case
 * @returns `[1, nx, ny, nz]`
 */
export async function readNoduleLabel(item: Case, open: OpenFile): Promise<Volume> {
  expectArguments("readNoduleLabel", "object", { item });
  expectFields("readNoduleLabel", "item", item, isListed(item) ? { grid: "object", nodules: "objects" } : { label: "text" });
  if (isListed(item)) return maskOfNodules(item.grid!, item.nodules!);
  return zeroOrOne(await readXyz(item.label!, item, open));
}

/**
 * Reads a case of `lunaDataset`.
 * @throws FormatError, ShapeError and DataError as loadCase
 * @param open opens a file of the case
 * @returns `image` and `label` `[1, nx, ny, nz]`
 */
export async function readNoduleCase(item: Case, open: OpenFile): Promise<{ image: Volume; label?: Volume }> {
  expectFields("readNoduleCase", "item", item, { id: "text", image: "texts" });
  const image = await readXyz(item.image[0], item, open);
  if (item.label === undefined) return { image };
  return joinCase(item.id, [image], await readNoduleLabel(item, open), labels);
}
