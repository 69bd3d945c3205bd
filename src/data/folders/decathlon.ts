/**
 * @file Segmentation datasets on disk, in the two layouts people have: Medical Segmentation Decathlon (`dataset.json` lists the files)
 * and nnU-Net (`dataset.json` names channels and labels; the files are found by name, `<id>_0000.nii.gz` per channel). Both become
 * one index. This file only judges what it is given, so it also serves a folder picked in a browser; decathlon.node.ts reads disks.
 */

import { type Fail, failing } from "../../host/bytes/budget.ts";
import { type JsonRecord, recordField } from "../../host/bytes/json.ts";
import { parseLabels } from "../labels.ts";
import type { Case, DatasetIndex, Folder } from "./dataset_index.ts";

/**
 * Turns a parsed `dataset.json` into an index.
 * @param source the file's name for messages
 * @throws FormatError naming the field, also for a file that is listed and missing or lies outside the folder
 */
export function parseDataset(json: unknown, folder: Folder, source = "dataset.json"): DatasetIndex {
  const fail = failing(`loadDataset: ${source}`);
  const root = recordField(json, "the top level", fail);
  const listed = root.channel_names ?? root.modality;
  if (listed === undefined || listed === null)
    throw fail("modality is missing; expected channel names (or channel_names, as in nnU-Net)");
  const modality = Object.entries(recordField(listed, "modality", fail))
    .sort(([a], [b]) => Number(a) - Number(b))
    .map(([, name]) => String(name));
  if (modality.length === 0) throw fail("modality is empty; expected at least one channel");
  const fileEnding = typeof root.file_ending === "string" ? root.file_ending : ".nii.gz";
  const context: Context = { folder, channels: modality.length, fileEnding, fail };
  const training = trainingCases(root, context);
  const test = Array.isArray(root.test) ? listedCases(root.test, "test", context) : foundCases("imagesTs", "labelsTs", context);
  return {
    name: typeof root.name === "string" ? root.name : "",
    modality,
    labels: parseLabels(root.labels, fail),
    fileEnding,
    training,
    test,
  };
}

interface Context {
  readonly folder: Folder;
  readonly channels: number;
  readonly fileEnding: string;
  readonly fail: Fail;
}

function trainingCases(root: JsonRecord, context: Context): Case[] {
  const { fileEnding, fail } = context;
  const listed = Array.isArray(root.training) ? (root.training as unknown[]) : undefined;
  const cases = listed ? listedCases(listed, "training", context) : foundCases("imagesTr", "labelsTr", context);
  if (cases.length === 0) throw fail(listed ? "training has no cases" : `imagesTr has no cases named <id>_0000${fileEnding}`);
  const promised = root.numTraining;
  if (promised !== undefined && promised !== cases.length)
    throw fail(`numTraining is ${String(promised)}, but there are ${cases.length} training cases`);
  const ids = new Set<string>();
  for (const { id } of cases) {
    if (ids.has(id)) throw fail(`training has two cases named "${id}"`);
    ids.add(id);
  }
  return cases;
}

/**
 * A path from a header, made safe: relative, inside the folder, with "/".
 * @throws FormatError (by `fail`) if it leaves the folder
 */
function insidePath(path: unknown, field: string, fail: Fail): string {
  const noPath = () => fail(`${field} is ${JSON.stringify(path)}; expected a file path`);
  if (typeof path !== "string" || path === "" || path.includes("\0")) throw noPath();
  const parts: string[] = [];
  const slashed = path.replaceAll("\\", "/");
  const absolute = slashed.startsWith("/") || /^[A-Za-z]:/.test(slashed);
  for (const part of slashed.split("/")) {
    if (part === "" || part === ".") continue;
    if (absolute || (part === ".." && parts.length === 0))
      throw fail(`${field} is ${JSON.stringify(path)}, which leaves the dataset's folder; use paths relative to it`);
    if (part === "..") parts.pop();
    else parts.push(part);
  }
  if (parts.length === 0) throw noPath();
  return parts.join("/");
}

/** Cases written out in dataset.json: {image, label}, or a bare image path for test cases. */
function listedCases(list: readonly unknown[], field: string, { folder, channels, fileEnding, fail }: Context): Case[] {
  return list.map((entry, i) => {
    const at = `${field}[${i}]`;
    const row = typeof entry === "string" ? { image: entry } : recordField(entry, at, fail);
    const image = insidePath(row.image, `${at}.image`, fail);
    const id = image
      .split("/")
      .pop()!
      .replace(/\.nii(\.gz)?$/, "");
    const stem = image.slice(0, image.length - fileEnding.length);
    // nnU-Net v1 lists `<id>.nii.gz` and stores `<id>_0000.nii.gz`.
    const split = Array.from({ length: channels }, (_, c) => channelFile(stem, c, fileEnding));
    const files = !folder.has(image) && image.endsWith(fileEnding) && split.every((f) => folder.has(f)) ? split : [image];
    if (!folder.has(files[0])) throw fail(`${at}.image names "${image}", which does not exist`);
    if (row.label === undefined) {
      if (field === "training") throw fail(`${at}.label is missing`);
      return { id, image: files };
    }
    const label = insidePath(row.label, `${at}.label`, fail);
    if (!folder.has(label)) throw fail(`${at}.label names "${label}", which does not exist`);
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
    if (missing) throw fail(`channel_names has ${channels} channels, but ${images}/${missing} does not exist`);
    const label = `${labels}/${id}${fileEnding}`;
    const image = files.map((f) => `${images}/${f}`);
    if (folder.has(label)) return { id, image, label };
    if (images === "imagesTr") throw fail(`${labels} has no label for case "${id}": ${label} does not exist`);
    return { id, image };
  });
}

function channelFile(stem: string, channel: number, ending: string): string {
  return `${stem}_${String(channel).padStart(4, "0")}${ending}`;
}
