/**
 * @file Cases whose labels were drawn on their images: DICOM segmentations and RT structure sets, which name structures and say of which series they are.
 * They are read where they lie, so that nobody has to convert a clinic's folders. Chosen over a layout of its own: images are read as those of any
 * `dataset.json`, and only what `label` names is another thing.
 */

import { ConfigError, FormatError } from "../../host/errors.ts";
import type { Fail } from "../../host/bytes/budget.ts";
import { expectFields, expectKinds } from "../../host/kinds.ts";
import { type JsonRecord, recordField } from "../../host/bytes/json.ts";
import { isLabelObject, readLabels } from "../formats/dicom/label_objects.ts";
import { listSeries, readSeries } from "../formats/dicom/series.ts";
import { referencedSeries } from "../formats/dicom/referenced_series.ts";
import type { ImageFile } from "../formats/format.ts";
import { readFiles } from "../formats/read_image.ts";
import { someAtATime } from "../formats/some_at_a_time.ts";
import type { LabelClass } from "../labels.ts";
import { makeVolume, type Volume } from "../volume.ts";
import type { Search } from "./cases.ts";
import type { Case, DrawnLabels, SeriesChoice } from "./dataset_index.ts";
import { joinCase } from "./join_case.ts";

/**
 * What a `dataset.json` says of drawn labels: `structures`, names of a structure by class, each class without one called as it is; undefined if it says nothing.
 * @throws FormatError (by `fail`) for what it cannot mean
 */
export function parseDrawn(root: JsonRecord, labels: readonly LabelClass[], fail: Fail): DrawnLabels | undefined {
  if (root.structures === undefined || root.structures === null) return undefined;
  const given = recordField(root.structures, "structures", fail);
  const classes = labels.filter(({ values }) => !values.includes(0));
  const stranger = Object.keys(given).find((name) => !classes.some((c) => c.name === name));
  if (stranger !== undefined)
    throw fail(
      `structures has ${JSON.stringify(stranger)}, which is no class of labels; they are ${classes.map((c) => c.name).join(", ")}`,
    );
  const region = classes.find(({ values }) => values.length !== 1);
  if (region)
    throw fail(
      `labels[${JSON.stringify(region.name)}] is a region of several values, and structures are drawn with one value each`,
    );
  const structures = classes.map(({ name, values }) => ({ names: namesOf(given[name] ?? name, name, fail), value: values[0] }));
  const all = structures.flatMap(({ names }) => names);
  const twice = all.find((name, i) => all.indexOf(name) < i);
  if (twice !== undefined) throw fail(`structures has the name ${JSON.stringify(twice)} twice`);
  return {
    structures,
    missing: wordOf(root, "structures_missing", ["error", "empty"] as const, fail),
    overlap: wordOf(root, "structures_overlap", ["error", "last"] as const, fail),
  };
}

function namesOf(given: unknown, name: string, fail: Fail): string[] {
  const names: unknown[] = Array.isArray(given) ? given : [given];
  if (names.length === 0 || !names.every((one) => typeof one === "string" && one !== ""))
    throw fail(
      `structures[${JSON.stringify(name)}] is ${JSON.stringify(given)}; expected a name, or a list of names of which the first that is there is taken`,
    );
  return names as string[];
}

function wordOf<const W extends string>(root: JsonRecord, field: string, words: readonly W[], fail: Fail): W {
  const given = root[field] ?? words[0];
  const found = words.find((word) => word === given);
  if (found !== undefined) return found;
  throw fail(`${field} is ${JSON.stringify(given)}; expected ${words.map((word) => JSON.stringify(word)).join(" or ")}`);
}

/** Folders of ours and of other layouts. */
const noPatient = /^(\..*|(images|labels)(Tr|Ts))$/;

/** A case for each folder of a dataset: the images and what was drawn on them lie in it. */
export function patientFolders({ folder }: Search): JsonRecord[] {
  const names = [...new Set(folder.list("").map((path) => path.split("/")[0]))].sort();
  const found = names.filter((name) => !noPatient.test(name) && folder.list(name).length > 0);
  return found.map((name) => ({ image: name, label: name }));
}

/**
 * Reads a case with drawn labels. Of several series in a folder the one that the labels say to be of is the image, unless one is chosen.
 * @param item the case. Its `image` and `label` are files or folders
 * @param filesOf gives the file of a path, or all files below a folder
 * @returns image `[C, nx, ny, nz]` and label `[1, nx, ny, nz]` on one grid, as `joinCase`
 * @throws FormatError for files that cannot be read, and a `label` that is or holds no labels; ConfigError for several series or labels of which none is chosen;
 *   DataError and ShapeError as readDicomStructures, readDicomSegmentation and joinCase
 */
export async function readDrawnCase(
  item: Case,
  drawn: DrawnLabels,
  labels: readonly LabelClass[],
  filesOf: (path: string) => Promise<readonly ImageFile[]>,
): Promise<{ image: Volume; label?: Volume }> {
  expectFields("readDrawnCase", "item", item, { id: "text", image: "texts", label: "text?", choices: "objects?" });
  expectFields("readDrawnCase", "drawn", drawn, { structures: "objects" });
  expectKinds("readDrawnCase", { objects: { labels }, function: { filesOf } });
  const object = item.label === undefined ? undefined : labelsAmong(await labelObjects(item.label, filesOf), item.label);
  const uids = object ? await referencedSeries(object) : [];
  const images = await Promise.all(
    item.image.map(async (path, i) => readSeriesOf(await filesOf(path), item.choices?.[i] ?? {}, uids, object)),
  );
  const label = object && (await drawnLabels(object, images[0], drawn));
  return joinCase(item.id, images, label, labels);
}

/** The labels among the files of a path. */
async function labelObjects(
  path: string,
  filesOf: (path: string) => Promise<readonly ImageFile[]>,
): Promise<readonly ImageFile[]> {
  const files = await filesOf(path);
  // A file that is named is read, so that what is wrong with it is told.
  if (files.length === 1 && files[0].name === path) return files;
  const found = await someAtATime(files, async (file) => ((await isLabelObject(file)) ? [file] : []));
  return found.flat();
}

function labelsAmong(found: readonly ImageFile[], path: string): ImageFile {
  if (found.length === 0)
    throw new FormatError(
      `readCase: ${path} has no RT structure set or DICOM segmentation; if it is no case, list the cases as "training" in dataset.json`,
    );
  if (found.length > 1)
    throw new ConfigError(
      `readCase: ${path} has ${found.length} structure sets and segmentations; name the one to take as "label" of the case in dataset.json: ${found.map((f) => f.name).join(", ")}`,
    );
  return found[0];
}

async function readSeriesOf(
  files: readonly ImageFile[],
  choice: SeriesChoice,
  uids: readonly string[],
  object: ImageFile | undefined,
): Promise<Volume> {
  try {
    return await readFiles(files, choice);
  } catch (error) {
    // Several series, or other images beside one, of which the labels know the one.
    if (!(error instanceof ConfigError) || choice.series !== undefined || !object || uids.length !== 1) throw error;
    const [uid] = uids;
    const there = await listSeries(files).catch(() => []);
    // By the whole UID: that of another series may begin with it.
    if (there.length === 0) throw error;
    if (there.some((series) => series.uid === uid)) return readSeries(files, { ...choice, uid });
    return readSeries(files, choice).catch((cause: Error) => {
      if (!(cause instanceof ConfigError)) throw cause;
      throw new ConfigError(`readCase: ${object.name} is of series ${uid}, which is not there; ${cause.message}`, { cause });
    });
  }
}

/** The structures with the values of their classes. */
async function drawnLabels(
  file: ImageFile,
  like: Volume,
  { structures, missing = "error", overlap = "error" }: DrawnLabels,
): Promise<Volume> {
  const { labels } = await readLabels(file, { like, missing, overlap, structures: structures.map(({ names }) => names) });
  const values = [0, ...structures.map(({ value }) => value)];
  if (values.every((value, i) => value === i)) return labels;
  const data = new (Math.max(...values) > 255 ? Uint16Array : Uint8Array)(labels.data.length);
  for (let i = 0; i < data.length; i++) data[i] = values[labels.data[i]];
  return makeVolume({ data, shape: labels.shape }, labels.affine, labels.meta);
}
