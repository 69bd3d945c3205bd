/**
 * @file Segmentation datasets on disk, in the two layouts people have: Medical Segmentation Decathlon (`dataset.json` lists the files)
 * and nnU-Net (`dataset.json` names channels and labels; the files are found by name, `<id>_0000.nii.gz` per channel). Both become
 * one index. This file only judges what it is given, so it also serves a folder picked in a browser; decathlon.node.ts reads disks.
 */

import { ConfigError, DataError, FormatError } from "../../host/errors.ts";

/** One patient or scan. Paths are relative to the dataset's folder, or absolute once loadDataset has returned them. */
export interface Case {
  readonly id: string;
  /** One file per input channel; one file with several channels is a list of one. */
  readonly image: readonly string[];
  readonly label?: string;
}

export interface LabelClass {
  readonly name: string;
  /** Voxel values of the class: one, or several for nnU-Net regions. */
  readonly values: readonly number[];
}

export interface DatasetIndex {
  readonly name: string;
  /** Channel names in order, e.g. ["MRI"]. */
  readonly modality: readonly string[];
  /** Classes as listed, background included. */
  readonly labels: readonly LabelClass[];
  readonly fileEnding: string;
  readonly training: readonly Case[];
  readonly test: readonly Case[];
}

/** One fold of splits_final.json: case ids. */
export interface Split {
  readonly train: readonly string[];
  readonly val: readonly string[];
}

/** What the parser asks of the dataset's folder; paths are relative, with "/". */
export interface Folder {
  has(path: string): boolean;
  /** Names in a sub-folder; empty if there is none. */
  list(folder: string): readonly string[];
}

/**
 * Turns a parsed `dataset.json` into an index.
 * @param source the file's name for messages.
 * @throws FormatError naming the field, also for a file that is listed and missing or lies outside the folder.
 */
export function parseDataset(json: unknown, folder: Folder, source = "dataset.json"): DatasetIndex {
  const fail: Fail = (field, text) => {
    throw new FormatError(`loadDataset: ${source}: ${field} ${text}`);
  };
  const root = record(json, "the top level", fail);
  const channels = record(
    root.channel_names ??
      root.modality ??
      fail("modality", "is missing; expected channel names (or channel_names, as in nnU-Net)."),
    "modality",
    fail,
  );
  const modality = Object.entries(channels)
    .sort(([a], [b]) => Number(a) - Number(b))
    .map(([, name]) => String(name));
  if (modality.length === 0) fail("modality", "is empty; expected at least one channel.");
  const fileEnding = typeof root.file_ending === "string" ? root.file_ending : ".nii.gz";
  const context: Context = { root, folder, channels: modality.length, fileEnding, fail };

  const listed = Array.isArray(root.training);
  const training = Array.isArray(root.training)
    ? listedCases(root.training, "training", context)
    : foundCases("imagesTr", "labelsTr", context);
  const test = Array.isArray(root.test) ? listedCases(root.test, "test", context) : foundCases("imagesTs", "labelsTs", context);
  if (training.length === 0)
    fail(listed ? "training" : "imagesTr", `has no cases${listed ? "" : ` named <id>_0000${fileEnding}`}.`);
  const promised = root.numTraining;
  if (promised !== undefined && promised !== training.length)
    fail("numTraining", `is ${String(promised)}, but there are ${training.length} training cases.`);
  const ids = new Set<string>();
  for (const { id } of training) {
    if (ids.has(id)) fail("training", `has two cases named "${id}".`);
    ids.add(id);
  }
  return {
    name: typeof root.name === "string" ? root.name : "",
    modality,
    labels: parseLabels(root.labels, fail),
    fileEnding,
    training,
    test,
  };
}

/**
 * Checks a parsed `splits_final.json`.
 * @throws FormatError if it is not a list of {train, val} id lists; DataError if a case is on both sides of a fold.
 */
export function parseSplits(json: unknown, source = "splits_final.json"): Split[] {
  const fail: Fail = (field, text) => {
    throw new FormatError(`loadSplits: ${source}: ${field} ${text}`);
  };
  if (!Array.isArray(json) || json.length === 0) return fail("the top level", "is not a list of folds.");
  return json.map((entry, k) => {
    const fold = record(entry, `fold ${k}`, fail);
    const ids = (side: "train" | "val") => {
      const list = fold[side];
      return Array.isArray(list) && list.every((id) => typeof id === "string")
        ? (list as string[])
        : fail(`fold ${k}`, `has no list of case ids "${side}".`);
    };
    const split = { train: ids("train"), val: ids("val") };
    const train = new Set(split.train);
    const both = split.val.filter((id) => train.has(id));
    if (both.length)
      throw new DataError(
        `loadSplits: ${source}: fold ${k} has ${both.length} cases in both train and val ("${both[0]}"); scores on them would mean nothing.`,
      );
    return split;
  });
}

/**
 * The cases of one fold. `fold` "all" trains and validates on everything, as nnU-Net's "all" does.
 * @throws ConfigError if there is no such fold; DataError if the fold names a case that the dataset does not have.
 */
export function selectFold(index: DatasetIndex, splits: readonly Split[], fold: number | "all"): { train: Case[]; val: Case[] } {
  if (fold === "all") return { train: [...index.training], val: [...index.training] };
  const split = splits[fold];
  if (!split) throw new ConfigError(`selectFold: fold is ${fold}; the splits have folds 0 to ${splits.length - 1}.`);
  const byId = new Map(index.training.map((c) => [c.id, c]));
  const pick = (ids: readonly string[]) =>
    ids.map(
      (id) =>
        byId.get(id) ??
        missingCase(`selectFold: fold ${fold} names the case "${id}", which ${index.name || "the dataset"} does not have.`),
    );
  return { train: pick(split.train), val: pick(split.val) };
}

/**
 * A path from a header, made safe: relative, inside the folder, with "/".
 * @throws FormatError (through `fail`) if it leaves the folder.
 */
function insidePath(path: unknown, field: string, fail: Fail): string {
  if (typeof path !== "string" || path === "" || path.includes("\0"))
    return fail(field, `is ${JSON.stringify(path)}; expected a file path.`);
  const parts: string[] = [];
  const slashed = path.replaceAll("\\", "/");
  const absolute = slashed.startsWith("/") || /^[A-Za-z]:/.test(slashed);
  for (const part of slashed.split("/")) {
    if (part === "" || part === ".") continue;
    if (absolute || (part === ".." && parts.length === 0))
      return fail(field, `is ${JSON.stringify(path)}, which leaves the dataset's folder; use paths relative to it.`);
    if (part === "..") parts.pop();
    else parts.push(part);
  }
  if (parts.length === 0) return fail(field, `is ${JSON.stringify(path)}; expected a file path.`);
  return parts.join("/");
}

type Fail = (field: string, text: string) => never;

interface Context {
  readonly root: Record<string, unknown>;
  readonly folder: Folder;
  readonly channels: number;
  readonly fileEnding: string;
  readonly fail: Fail;
}

/** Cases written out in dataset.json: {image, label}, or a bare image path for test cases. */
function listedCases(list: readonly unknown[], field: string, { folder, channels, fileEnding, fail }: Context): Case[] {
  return list.map((entry, i) => {
    const at = `${field}[${i}]`;
    const row = typeof entry === "string" ? { image: entry } : record(entry, at, fail);
    const image = insidePath(row.image, `${at}.image`, fail);
    const id = image
      .split("/")
      .pop()!
      .replace(/\.nii(\.gz)?$/, "");
    const stem = image.slice(0, image.length - fileEnding.length);
    // nnU-Net v1 lists `<id>.nii.gz` and stores `<id>_0000.nii.gz`.
    const split = Array.from({ length: channels }, (_, c) => channelFile(stem, c, fileEnding));
    const files = !folder.has(image) && image.endsWith(fileEnding) && split.every((f) => folder.has(f)) ? split : [image];
    if (!folder.has(files[0])) fail(`${at}.image`, `names "${image}", which does not exist.`);
    if (row.label === undefined) return field === "training" ? fail(`${at}.label`, "is missing.") : { id, image: files };
    const label = insidePath(row.label, `${at}.label`, fail);
    if (!folder.has(label)) fail(`${at}.label`, `names "${label}", which does not exist.`);
    return { id, image: files, label };
  });
}

/** Cases found by name in nnU-Net's folders; every channel must be there, and every training case needs its label. */
function foundCases(images: string, labels: string, { folder, channels, fileEnding, fail }: Context): Case[] {
  const names = new Set(folder.list(images));
  const first = `_0000${fileEnding}`;
  const ids = [...names]
    .filter((n) => n.endsWith(first) && !n.startsWith("."))
    .map((n) => n.slice(0, -first.length))
    .sort();
  return ids.map((id) => {
    const files = Array.from({ length: channels }, (_, c) => channelFile(id, c, fileEnding));
    const missing = files.find((f) => !names.has(f));
    if (missing) fail("channel_names", `has ${channels} channels, but ${images}/${missing} does not exist.`);
    const label = `${labels}/${id}${fileEnding}`;
    const image = files.map((f) => `${images}/${f}`);
    if (folder.has(label)) return { id, image, label };
    return images === "imagesTr" ? fail(labels, `has no label for case "${id}": ${label} does not exist.`) : { id, image };
  });
}

function channelFile(stem: string, channel: number, ending: string): string {
  return `${stem}_${String(channel).padStart(4, "0")}${ending}`;
}

/** MSD writes {"1": "name"}, nnU-Net {"name": 1} or, for regions, {"name": [1, 2]}. */
function parseLabels(json: unknown, fail: Fail): LabelClass[] {
  const labels = Object.entries(record(json, "labels", fail)).map(([key, entry]) => {
    const [name, value] = typeof entry === "string" ? [entry, Number(key)] : [key, entry];
    const values = Array.isArray(value) ? value : [value];
    if (values.length === 0 || !values.every((v) => Number.isInteger(v) && v >= 0))
      fail(`labels["${key}"]`, `is ${JSON.stringify(entry)}; expected a class number, or a name under its number.`);
    return { name, values: values as number[] };
  });
  if (!labels.some((l) => l.values.includes(0))) fail("labels", "have no class with value 0 (background).");
  return labels;
}

function missingCase(message: string): never {
  throw new DataError(message);
}

function record(json: unknown, field: string, fail: Fail): Record<string, unknown> {
  if (typeof json !== "object" || json === null || Array.isArray(json)) return fail(field, "is missing or not an object.");
  return json as Record<string, unknown>;
}
