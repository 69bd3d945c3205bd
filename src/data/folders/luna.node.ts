/**
 * @file Folders of chest scans with nodules as datasets (Node). Three layouts:
 *
 *     index.json, <id>.nii, <id>.mask.nii.gz                           what `voxgrad prepare-luna` writes
 *     annotations.csv (here or in CSVFILES), subset0/<id>.mhd …        LUNA16 as it is published
 *     <id>_clean.nrrd, <id>_mask.nrrd, <id>_bboxes.npy                 cleaned scans with masks, boxes as rows z, y, x, diameter
 *
 * Nodules and grids are known from lists and headers, so that no voxel is read before training wants it.
 */

import { expectArguments, expectFields } from "../../host/kinds.ts";
import { existsSync } from "node:fs";
import { readdir, readFile, stat } from "node:fs/promises";
import { basename, join, relative, resolve, sep } from "node:path";
import { failing } from "../../host/bytes/budget.ts";
import { isRecord } from "../../host/bytes/json.ts";
import { ConfigError, FormatError } from "../../host/errors.ts";
import { readJson, writeFileAtomic } from "../../host/files.node.ts";
import { expectNames } from "../../host/options.ts";
import { turnArray } from "../axis_codes.ts";
import { readImageFile, readImageGrid } from "../formats/images.node.ts";
import type { LabelClass } from "../labels.ts";
import { type Nodule, parseAnnotations } from "../nodules/annotations.ts";
import { findScans } from "../nodules/luna.node.ts";
import { maskOfNodules, toMillimeters } from "../nodules/mask_nodules.ts";
import { parseNoduleIndex } from "../nodules/nodule_dataset.ts";
import { type Affine, makeVolume, spacingOf, type Volume } from "../volume.ts";
import type { Case, DatasetIndex, Split } from "./dataset_index.ts";
import type { FolderLayout } from "./folder_layout.ts";
import { joinCase } from "./join_case.ts";

const labels: readonly LabelClass[] = [
  { name: "background", values: [0] },
  { name: "nodule", values: [1] },
];

const indexOf = (root: string, training: readonly Case[], fileEnding: string): DatasetIndex => ({
  name: basename(root),
  modality: ["CT"],
  labels,
  fileEnding,
  training,
  test: [],
});

/** Keeps the headers of raw scans, so that a folder of hundreds opens at once. */
export const lunaCacheFile = "voxgrad-nodules.json";

/**
 * The dataset in a folder of one of the layouts above; undefined for other folders.
 * @throws FormatError naming the file and the field; ConfigError for a list without any of its scans
 * @param dir the dataset's folder
 */
export async function loadLuna(dir: string): Promise<DatasetIndex | undefined> {
  expectArguments("loadLuna", "text", { dir });
  const root = resolve(dir);
  if (existsSync(join(root, "index.json"))) return preparedFolder(root);
  const list = ["", "CSVFILES"].map((folder) => join(root, folder, "annotations.csv")).find(existsSync);
  if (list !== undefined) return rawFolder(root, list);
  const names = existsSync(root) ? (await readdir(root)).sort() : [];
  return names.some((name) => clean.test(name)) ? cleanedFolder(root, names) : undefined;
}

async function preparedFolder(root: string): Promise<DatasetIndex> {
  const path = join(root, "index.json");
  const { scans } = parseNoduleIndex(await readJson(path, "loadLuna"), path);
  const training = scans.map(({ id, file, shape, affine, nodules }): Case => {
    if (!affine) throw new FormatError(`loadLuna: ${path}: scan "${id}" has no affine; prepare the folder again`);
    const edge = Math.cbrt(spacingOf(affine).reduce((product, s) => product * s, 1));
    return {
      id,
      image: [join(root, file)],
      label: join(root, `${id}.mask.nii.gz`),
      layout: { name: "luna" },
      grid: { shape: [1, ...shape], affine },
      nodules: nodules.map(({ center, radius }) => ({ center: toMillimeters(affine, center), diameter: 2 * radius * edge })),
    };
  });
  return indexOf(root, training, ".nii");
}

interface KnownScan {
  readonly bytes: number;
  readonly changed: number;
  readonly shape: readonly number[];
  readonly affine: Affine;
}

async function rawFolder(root: string, list: string): Promise<DatasetIndex> {
  const nodules = parseAnnotations(await readFile(list, "utf8"), list);
  const found = await findScans(root);
  if (![...nodules.keys()].some((id) => found.has(id)))
    throw new ConfigError(`loadLuna: none of the ${nodules.size} scans of ${list} is among the ${found.size} in ${root}`);
  const cache = join(root, lunaCacheFile);
  const known = await readKnown(cache);
  const next: Record<string, KnownScan> = {};
  const training: Case[] = [];
  for (const [id, path] of found) {
    const { size: bytes, mtimeMs: changed } = await stat(path);
    const name = relative(root, path);
    const before = known[name];
    const same = before?.bytes === bytes && before.changed === changed;
    next[name] = same ? before : { bytes, changed, ...(await readImageGrid(path)) };
    const { shape, affine } = next[name];
    const layout = { name: "luna", balls: true };
    training.push({ id, image: [path], label: list, layout, grid: { shape, affine }, nodules: nodules.get(id) ?? [] });
  }
  // A folder that cannot be written to is read again next time.
  if (JSON.stringify(next) !== JSON.stringify(known))
    await writeFileAtomic(cache, JSON.stringify({ version: 1, scans: next })).catch(() => {});
  const missing = [...nodules.keys()].filter((id) => !found.has(id)).length;
  const splits = subsetSplits(root, training);
  return {
    ...indexOf(root, training, ".mhd"),
    ...(splits && { splits }),
    ...(missing > 0 && { notes: [`${missing} of ${nodules.size} scans of ${basename(list)} are not there and are left out`] }),
  };
}

async function readKnown(cache: string): Promise<Record<string, KnownScan>> {
  const json = await readJson(cache, "loadLuna").catch(() => undefined);
  return isRecord(json) && json.version === 1 && isRecord(json.scans) ? (json.scans as Record<string, KnownScan>) : {};
}

/** LUNA16's folds: a subset each. */
function subsetSplits(root: string, cases: readonly Case[]): Split[] | undefined {
  const subsets = cases.map((c) => /^subset\d+$/.exec(relative(root, c.image[0]).split(sep)[0])?.[0]);
  const names = [...new Set(subsets)].sort();
  if (names.length < 2 || names.includes(undefined)) return undefined;
  const part = (name: string | undefined, inside: boolean) =>
    cases.filter((_, i) => (subsets[i] === name) === inside).map((c) => c.id);
  return names.map((name) => ({ train: part(name, false), val: part(name, true) }));
}

const clean = /_clean\.(nrrd|npy)$/;

async function cleanedFolder(root: string, names: readonly string[]): Promise<DatasetIndex> {
  const there = new Set(names);
  const training: Case[] = [];
  for (const name of names.filter((n) => clean.test(n))) {
    const id = name.replace(clean, "");
    const image = join(root, name);
    const grid = await readImageGrid(image);
    const { affine, turned } = xyzGrid(grid);
    const mask = ["nrrd", "npy"].map((ending) => `${id}_mask.${ending}`).find((n) => there.has(n));
    const boxes = there.has(`${id}_bboxes.npy`) ? await readBoxes(join(root, `${id}_bboxes.npy`)) : undefined;
    training.push({
      id,
      image: [image],
      ...(mask !== undefined ? { label: join(root, mask) } : boxes && { label: join(root, `${id}_bboxes.npy`) }),
      grid: { shape: turned ? [grid.shape[0], ...grid.shape.slice(1).toReversed()] : grid.shape, affine },
      ...(boxes && { nodules: boxes.map((box) => noduleOf(box, affine)) }),
      layout: { name: "luna", zyx: turned, balls: mask === undefined && boxes !== undefined },
    });
  }
  return indexOf(root, training, ".nrrd");
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
async function readBoxes(path: string): Promise<number[][]> {
  const fail = failing(`loadLuna: ${path}`);
  const volume = await readImageFile(path).catch((error: unknown) => {
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
  const edge = Math.cbrt(spacingOf(affine).reduce((product, s) => product * s, 1));
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

const readXyz = async (path: string, { layout }: Case): Promise<Volume> =>
  layout?.zyx === true ? toXyz(await readImageFile(path)) : readImageFile(path);

/** What of a list of nodules is the label: no file, but their balls on the image's grid. */
const isListed = ({ layout }: Case): boolean => layout?.balls === true;

/**
 * The label of a case of `loadLuna` alone: its mask, else the balls of its list.
 * @throws FormatError, DataError
 * @returns `[1, nx, ny, nz]`
 */
export async function loadNoduleLabel(item: Case): Promise<Volume> {
  expectArguments("loadNoduleLabel", "object", { item });
  expectFields("loadNoduleLabel", "item", item, isListed(item) ? { grid: "object", nodules: "objects" } : { label: "text" });
  if (isListed(item)) return maskOfNodules(item.grid!, item.nodules!);
  return zeroOrOne(await readXyz(item.label!, item));
}

/**
 * Reads a case of `loadLuna`.
 * @throws FormatError, ShapeError and DataError as loadCase
 * @returns `image` and `label` `[1, nx, ny, nz]`
 */
export async function loadNoduleCase(item: Case): Promise<{ image: Volume; label?: Volume }> {
  expectFields("loadNoduleCase", "item", item, { id: "text", image: "texts" });
  const image = await readXyz(item.image[0], item);
  if (item.label === undefined) return { image };
  return joinCase(item.id, [image], await loadNoduleLabel(item), labels);
}

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
