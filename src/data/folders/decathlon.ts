/**
 * @file Segmentation datasets on disk, in the layouts people have: Medical Segmentation Decathlon and MONAI (`dataset.json` lists the files) and
 * nnU-Net (`dataset.json` names channels and labels; the files are found by name, `<id>_0000.nii.gz` per channel). All become one index. This file
 * only judges what it is given, so it also serves a folder picked in a browser; decathlon.node.ts reads disks.
 */

import { endingOf as imageEnding } from "../formats/formats.ts";
import { type Fail, failing } from "../../host/bytes/budget.ts";
import { expectFields } from "../../host/kinds.ts";
import { isRecord, type JsonRecord, recordField } from "../../host/bytes/json.ts";
import { foregroundOf, parseLabels } from "../labels.ts";
import { foundCases, type ListedCase, listedCases, type Search } from "./cases.ts";
import type { Case, DatasetIndex, Folder, Split } from "./dataset_index.ts";
import { parseDrawn, patientFolders } from "./drawn.ts";

/**
 * Turns a parsed `dataset.json` into an index.
 * @param source the file's name for messages
 * @throws FormatError naming the field, also for a file that is listed and missing or lies outside the folder
 */
export function parseDataset(json: unknown, folder: Folder, source = "dataset.json"): DatasetIndex {
  const fail = failing(`loadDataset: ${source}`);
  expectFields("parseDataset", "folder", folder, { has: "function", list: "function" });
  const root = recordField(json, "the top level", fail);
  const notes: string[] = [];
  const modality = channelNames(root, folder, notes, fail);
  const labels = parseLabels(root.labels, fail, root.regions_class_order);
  const search: Search = {
    folder,
    channels: modality.length,
    fileEnding: endingOf(root, folder, fail),
    fail,
    problems: [],
    notes,
    series: root.series,
    drawn: parseDrawn(root, labels, fail),
  };
  const { training, splits } = labelledCases(root, search);
  const listed = listOf(root.test, root.testing);
  const test =
    listed.length > 0
      ? listedCases(listed, root.test ? "test" : "testing", search, false)
      : foundCases("imagesTs", "labelsTs", search);
  const { problems } = search;
  if (problems.length === 1) throw fail(problems[0]);
  if (problems.length > 1)
    throw fail(
      `${problems.length} problems:${problems
        .slice(0, 20)
        .map((p) => `\n  ${p}`)
        .join("")}${problems.length > 20 ? `\n  and ${problems.length - 20} more` : ""}`,
    );
  noteRest(root, notes);
  for (const region of foregroundOf(labels)) {
    if (region.writes !== undefined && !region.values.includes(region.writes))
      notes.push(`regions_class_order writes ${region.writes} for "${region.name}", which is none of its values`);
  }
  return {
    name: typeof root.name === "string" ? root.name : "",
    modality,
    labels,
    fileEnding: search.fileEnding,
    training: training.map(({ fold: _, ...c }) => c),
    test: test.map(({ fold: _, ...c }: ListedCase) => c),
    ...(splits ? { splits } : {}),
    ...(typeof root.overwrite_image_reader_writer === "string" && { reader: root.overwrite_image_reader_writer }),
    notes,
  };
}

/** The first of some values that is a list with something in it. */
const listOf = (...values: readonly unknown[]): readonly unknown[] =>
  (values.find((v) => Array.isArray(v) && v.length > 0) as readonly unknown[] | undefined) ?? [];

/** Channels of the first of some cases, called by a file of each, that has them as `<id>_0000`, `<id>_0001` … */
function channelsIn(images: readonly string[], cases: readonly string[]): number {
  const idOf = (file: string): string => {
    const name = file.slice(file.lastIndexOf("/") + 1);
    return name.slice(0, name.length - (imageEnding(name)?.ending.length ?? 0));
  };
  const ids = images.map(idOf);
  const counts = cases
    .map(idOf)
    .map((id) => ids.filter((name) => name.length === id.length + 5 && name.startsWith(id) && /_\d{4}$/.test(name)).length);
  return counts.find((count) => count > 0) ?? 1;
}

/** Channels by their numbers, as a list, or as a word for an only one; without names as many as the files of a case. */
function channelNames(root: JsonRecord, folder: Folder, notes: string[], fail: Fail): string[] {
  const given = root.channel_names ?? root.modality;
  const names = typeof given === "string" ? [given] : given;
  if (names === undefined || names === null) {
    const [first] = listOf(root.training);
    const images = isRecord(first) ? first.image : undefined;
    const ids = typeof images === "string" ? [images] : folder.list("labelsTr").filter((name) => !name.startsWith("."));
    const beside = typeof images === "string" ? images.replace(/^\.\//, "").replace(/\/?[^/]*$/, "") : "imagesTr";
    const count = Array.isArray(images) ? images.length : channelsIn(folder.list(beside), ids);
    notes.push('dataset.json names no channels ("channel_names": { "0": "CT" }), by which nnU-Net tells CT from other images');
    return Array.from({ length: Math.max(count, 1) }, (_, c) => `channel ${c}`);
  }
  const entries = Object.entries(Array.isArray(names) ? { ...(names as unknown[]) } : recordField(names, "modality", fail));
  if (entries.length === 0) throw fail("modality is empty; expected at least one channel");
  // As nnU-Net has labels: numbers under names.
  const turned = entries.every(([key, value]) => !/^\d+$/.test(key) && /^\d+$/.test(String(value)));
  const pairs = entries.map(([key, value]) =>
    turned ? ([Number(value), key] as const) : ([Number(key), String(value)] as const),
  );
  return pairs.toSorted(([a], [b]) => a - b).map(([, name]) => name);
}

const unreadable = /\.(bmp|gif|gipl|gipl\.gz|h5|hdf5|zarr|mnc|head|brik|par|rec)$/i;

function endingOf({ file_ending: ending }: JsonRecord, folder: Folder, fail: Fail): string {
  if (ending === undefined || ending === null) {
    const names = folder.list("imagesTr").filter((n) => !n.startsWith("."));
    // NIfTI where there is any; another format where all images are of it.
    const endings = new Set(names.map((n) => imageEnding(n)?.ending));
    const [other] = [...endings].filter((e) => e !== undefined);
    return [".nii.gz", ".nii"].find((e) => endings.has(e)) ?? other ?? ".nii.gz";
  }
  if (typeof ending !== "string" || ending === "")
    throw fail(`file_ending is ${JSON.stringify(ending)}; expected one such as ".nii.gz"`);
  if (unreadable.test(ending))
    throw fail(
      `file_ending is "${ending}", which is no format that is read; convert images and labels, for example to .nii.gz, and set file_ending`,
    );
  return ending;
}

/** All cases with labels, and the folds that their lists make. */
function labelledCases(root: JsonRecord, search: Search): { training: ListedCase[]; splits?: Split[] } {
  const { fail, notes, fileEnding } = search;
  const listed = listOf(root.training);
  const explicit = isRecord(root.dataset) ? datasetList(root.dataset, fail) : [];
  const training: ListedCase[] =
    explicit.length > 0
      ? listedCases(explicit, "dataset", search).map((c, i) => ({ ...c, id: Object.keys(root.dataset as JsonRecord)[i] }))
      : listed.length > 0
        ? listedCases(listed, "training", search)
        : search.drawn
          ? listedCases(patientFolders(search), "patients", search)
          : foundCases("imagesTr", "labelsTr", search);
  if (training.length === 0) {
    throw fail(
      search.drawn
        ? 'there are no training cases: the list "training" is empty or missing, and there is no folder of a patient'
        : `there are no training cases: the list "training" is empty or missing, and imagesTr has no images named <id>_0000${fileEnding} or <id>${fileEnding}`,
    );
  }
  const promised = root.numTraining;
  if (promised !== undefined && Number(promised) !== training.length)
    notes.push(
      `numTraining is ${String(promised)}, but there ${training.length === 1 ? "is 1 training case" : `are ${training.length} training cases`}; all of them are used`,
    );
  const held = validationCases(root, search);
  const all = [...training, ...held];
  expectNames(all, fail);
  const splits = splitsOf(training, held);
  if (splits) notes.push("the folds are those of dataset.json, unless there is a splits_final.json");
  return { training: all, ...(splits ? { splits } : {}) };
}

/** nnU-Net's list of files that lie elsewhere: {id: {images: [...], label}}. */
const datasetList = (dataset: JsonRecord, fail: Fail): JsonRecord[] =>
  Object.entries(dataset).map(([id, entry]) => {
    // Results are called by it, in folders of ours.
    if (/^$|[/\\\0]/.test(id))
      throw fail(
        `dataset[${JSON.stringify(id)}] is no name of a case, by which its results are called: expected one without / and \\`,
      );
    const { images, label } = recordField(entry, `dataset["${id}"]`, fail);
    return { image: images, label };
  });

function validationCases(root: JsonRecord, search: Search): ListedCase[] {
  const list = listOf(root.validation);
  if (list.length === 0) return [];
  if (list.some((e) => isRecord(e) && e.label !== undefined)) return listedCases(list, "validation", search);
  search.notes.push('the list "validation" has no labels and is left out');
  return [];
}

function expectNames(cases: readonly Case[], fail: Fail): void {
  const ids = new Set<string>();
  for (const { id } of cases) {
    if (ids.has(id)) throw fail(`training has two cases named "${id}"`);
    ids.add(id);
  }
}

/** One fold with a list of validation cases; as many as there are numbers where each case has one. */
function splitsOf(training: readonly ListedCase[], held: readonly Case[]): Split[] | undefined {
  const idsOf = (cases: readonly Case[]) => cases.map((c) => c.id);
  if (held.length > 0) return [{ train: idsOf(training), val: idsOf(held) }];
  const count = Math.max(...training.map((c) => c.fold ?? -1)) + 1;
  const numbers = new Set(training.map((c) => c.fold ?? -1));
  if (count < 2 || numbers.has(-1) || numbers.size !== count) return undefined;
  return Array.from({ length: count }, (_, k) => ({
    train: idsOf(training.filter((c) => c.fold !== k)),
    val: idsOf(training.filter((c) => c.fold === k)),
  }));
}

const used = new Set([
  ..."name modality channel_names labels file_ending training validation test testing dataset numTraining regions_class_order".split(
    " ",
  ),
  ..."overwrite_image_reader_writer series structures structures_missing structures_overlap".split(" "),
]);
// "relase" is how the Decathlon spells it.
const describing = new Set(
  "description reference references licence license release relase version tensorImageSize numTest numValidation converted_by author authors citation url date".split(
    " ",
  ),
);

/** What else dataset.json says. */
function noteRest(root: JsonRecord, notes: string[]): void {
  const reader = root.overwrite_image_reader_writer;
  if (reader !== undefined && reader !== null && reader !== "None") {
    notes.push(
      `overwrite_image_reader_writer is ${JSON.stringify(reader)}, which has no effect: images are read as NIfTI and brought to one orientation per run`,
    );
  }
  for (const key of Object.keys(root)) {
    if (!used.has(key) && !describing.has(key)) notes.push(`"${key}" in dataset.json is not known here and has no effect`);
  }
}
