/** @file The cases of a dataset, from the lists of its dataset.json or from the names of the files in its folders. */

import { counted } from "../../host/text.ts";
import type { Fail } from "../../host/bytes/budget.ts";
import { isRecord, recordField } from "../../host/bytes/json.ts";
import { hiddenImages, imageStem } from "../formats/formats.ts";
import { namedApart } from "./case_names.ts";
import type { Case, DrawnLabels, Folder, SeriesChoice } from "./dataset_index.ts";

/** What finding cases needs, and where it tells what it met. */
export interface Search {
  readonly folder: Folder;
  readonly channels: number;
  readonly fileEnding: string;
  readonly fail: Fail;
  /** What is wrong, a file each: reported together. */
  readonly problems: string[];
  readonly notes: string[];
  /** What is said of all entries that do not say it themselves. */
  readonly series?: unknown;
  readonly drawn?: DrawnLabels | undefined;
}

/** A case of a list, and the fold that the list puts it in. */
export interface ListedCase extends Case {
  readonly fold?: number;
}

/** An entry of a list. */
interface Entry {
  /** The name of the entry for messages. */
  readonly at: string;
  readonly images: readonly string[];
  readonly label?: string;
  readonly fold?: number;
  readonly choices?: readonly SeriesChoice[];
}

/**
 * A path from a header, made safe: relative, inside the folder, with "/".
 * @throws FormatError (by `fail`) if it leaves the folder
 */
function insidePath(path: unknown, field: string, { fail, folder }: Search): string {
  const noPath = () => fail(`${field} is ${JSON.stringify(path)}; expected a file path`);
  if (typeof path !== "string" || path === "" || path.includes("\0")) throw noPath();
  const parts: string[] = [];
  const root = folder.root && `${folder.root.replaceAll("\\", "/")}/`;
  let slashed = path.replaceAll("\\", "/");
  if (root && slashed.startsWith(root)) slashed = slashed.slice(root.length);
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

const baseName = (path: string): string => path.slice(path.lastIndexOf("/") + 1);

function stemOf(path: string, ending: string): string {
  const name = baseName(path);
  return name.endsWith(ending) ? name.slice(0, -ending.length) : imageStem(name);
}

const channelName = (stem: string, channel: number, ending: string): string =>
  `${stem}_${String(channel).padStart(4, "0")}${ending}`;

// nnU-Net's name of a channel's file, without its ending.
const numbered = /^(.+)_(\d{4})$/s;

/** An entry: a path, a list of them, or {image, label}, where image is either. */
function entryOf(entry: unknown, at: string, search: Search): Entry {
  const row =
    typeof entry === "string" || Array.isArray(entry) ? { image: entry as unknown } : recordField(entry, at, search.fail);
  const several = Array.isArray(row.image) && row.image.length > 0;
  const paths = several ? (row.image as unknown[]) : [row.image];
  const images = paths.map((path, i) => insidePath(path, several ? `${at}.image[${i}]` : `${at}.image`, search));
  if (several && images.length > 1 && images.length !== search.channels) {
    throw search.fail(`${at}.image lists ${images.length} files, but there are ${search.channels} channels`);
  }
  const chosen = seriesOf(images, row.series ?? search.series, `${at}.series`, search);
  const only = Array.isArray(row.label) && row.label.length === 1 ? (row.label[0] as unknown) : row.label;
  const label = only === undefined || only === null ? {} : { label: insidePath(only, `${at}.label`, search) };
  const { fold } = row;
  return { at, ...chosen, ...label, ...(Number.isSafeInteger(fold) && { fold: fold as number }) };
}

/** The images of an entry with the series of each: one for all of them that are folders, or a list, for which one folder may stand for all channels. */
function seriesOf(
  images: readonly string[],
  series: unknown,
  at: string,
  { folder, channels, fail }: Search,
): Pick<Entry, "images" | "choices"> {
  if (series === undefined || series === null) return { images };
  if (typeof series === "string") {
    const folders = images.map((path) => folder.list(path).length > 0);
    // Beside the folder of a series a channel may be a file, in which there is nothing to choose.
    return { images, choices: folders.map((is) => (is || !folders.includes(true) ? { series } : {})) };
  }
  const list: unknown[] = Array.isArray(series) ? series : [0];
  if (!list.every((one) => typeof one === "string" || one === null))
    throw fail(
      `${at} is ${JSON.stringify(series)}; expected the description or the UID of a DICOM series, or a list of one for each channel`,
    );
  if (list.length !== channels) throw fail(`${at} lists ${list.length} series, but there are ${counted(channels, "channel")}`);
  const choices = list.map((one) => (one === null ? {} : { series: one as string }));
  return { images: images.length === 1 ? list.map(() => images[0]) : images, choices };
}

/** The files of an entry: nnU-Net v1 lists `<id>.nii.gz` and stores `<id>_0000.nii.gz`, others list the first channel alone. */
function filesOf({ images }: Entry, { folder, channels, fileEnding }: Search): readonly string[] {
  const [image] = images;
  if (images.length > 1) return images;
  const stem = stemOf(image, fileEnding);
  const channelsOf = (id: string) =>
    Array.from({ length: channels }, (_, c) => image.slice(0, image.lastIndexOf("/") + 1) + channelName(id, c, fileEnding));
  if (!folder.has(image)) return folder.has(channelsOf(stem)[0]) ? channelsOf(stem) : images;
  const all = stem.endsWith("_0000") ? channelsOf(stem.slice(0, -5)) : images;
  return all.every((f) => folder.has(f)) ? all : images;
}

/** The name of a case: of its files without what numbers or names the channel. */
function idOf(files: readonly string[], label: string | undefined, strip: boolean, ending: string): string {
  const stems = files.map((f) => stemOf(f, ending));
  const common = numbered.exec(stems[0])?.[1];
  const labelStem = label === undefined ? undefined : stemOf(label, ending);
  if (common !== undefined && stems.every((s, c) => s === `${common}_${String(c).padStart(4, "0")}`)) {
    if (stems.length > 1 || strip || labelStem === common) return common;
  }
  if (stems.length === 1) return stems[0];
  if (labelStem !== undefined && stems.every((s) => s.startsWith(labelStem))) return labelStem;
  // Words that all of them begin with.
  const words = stems.map((s) => s.split(/(?=[-_. ])/));
  const different = words[0].findIndex((word, i) => words.some((w) => w[i] !== word));
  return (different < 0 ? "" : words[0].slice(0, different).join("")) || stems[0];
}

/** Cases written out in dataset.json. Without `required`, files that are not there leave their case out, with a note. */
export function listedCases(list: readonly unknown[], field: string, search: Search, required = true): ListedCase[] {
  const { folder, fileEnding, problems, notes } = search;
  const entries = list.map((entry, i) => entryOf(entry, `${field}[${i}]`, search));
  // Where every image is a channel 0, the number is none of the name.
  const strip = entries.every((e) => e.images.length === 1 && numbered.exec(stemOf(e.images[0], fileEnding))?.[2] === "0000");
  const found = entries.flatMap((entry) => {
    const files = filesOf(entry, search);
    const { at, label, fold, choices } = entry;
    const { drawn } = search;
    const missing = files.find((f) => !folder.has(f));
    if (missing !== undefined && !required) return [];
    if (missing !== undefined) problems.push(`${at}.image names "${missing}", which does not exist`);
    if (label === undefined && required) problems.push(`${at}.label is missing`);
    const there = label !== undefined && folder.has(label);
    if (label !== undefined && !there && required) problems.push(`${at}.label names "${label}", which does not exist`);
    const id = idOf(files, label, strip, fileEnding);
    const optional = { ...(fold !== undefined && { fold }), ...(choices && { choices }), ...(there && drawn && { drawn }) };
    return [{ id, image: files, ...(there && { label }), ...optional }];
  });
  const noteMissing = (count: number, what: string) =>
    count > 0 && notes.push(`${count} of ${entries.length} ${what} of the list "${field}" are not there and are left out`);
  noteMissing(entries.length - found.length, "images");
  if (!required) noteMissing(entries.filter((e) => e.label !== undefined && !folder.has(e.label)).length, "labels");
  noteKeys(list, field, notes);
  return namedApart(found);
}

const entryKeys = new Set(["image", "label", "fold", "series", "id", "name", "case_id", "subject"]);

/** Entries of a list's items that nothing here looks at. */
function noteKeys(list: readonly unknown[], field: string, notes: string[]): void {
  const others = new Set(list.flatMap((e) => (isRecord(e) ? Object.keys(e).filter((k) => !entryKeys.has(k)) : [])));
  for (const key of others) notes.push(`"${key}" in the items of "${field}" is not known here and has no effect`);
}

/** Ending of files that may have all colors of a picture. */
export const photograph = /\.(png|jpe?g|bmp|tif)$/i;

/** Cases found by name in the folders of nnU-Net (`<id>_0000.nii.gz` for each channel) or, where there are none of these, the Decathlon (`<id>.nii.gz`). */
export function foundCases(images: string, labels: string, search: Search): Case[] {
  const { folder, channels, fileEnding, problems, notes } = search;
  const hidden = [images, labels].map((name) => hiddenImages(name, folder.list(name)));
  notes.push(...hidden.filter((note) => note !== undefined));
  const names = folder.list(images).filter((n) => n.endsWith(fileEnding) && !n.startsWith("."));
  const there = new Set(names);
  const stems = names.map((n) => n.slice(0, -fileEnding.length)).sort();
  const required = images === "imagesTr";
  const firsts = stems.flatMap((s) => (s.endsWith("_0000") ? [s.slice(0, -5)] : []));
  const whole = firsts.length === 0;
  // A photograph has its colors in one file, which nnU-Net counts as channel 0 all the same.
  const joined = photograph.test(fileEnding) && !stems.some((s) => s.endsWith("_0001"));
  const other = whole ? [] : stems.filter((s) => !numbered.test(s));
  if (other.length > 0)
    notes.push(
      `${images} has ${other.length} files that are no channel <id>_0000${fileEnding}, such as ${other[0]}${fileEnding}; they are left out`,
    );
  const cases = (whole ? stems : firsts).flatMap((id): Case[] => {
    const files = whole
      ? [id + fileEnding]
      : Array.from({ length: joined ? 1 : channels }, (_, c) => channelName(id, c, fileEnding));
    const missing = files.find((f) => !there.has(f));
    if (missing && !required) return [];
    if (missing) problems.push(`channel_names has ${channels} channels, but ${images}/${missing} does not exist`);
    const label = `${labels}/${id}${fileEnding}`;
    const image = files.map((f) => `${images}/${f}`);
    if (folder.has(label)) return [{ id, image, label }];
    if (required) problems.push(`${labels} has no label for case "${id}": ${label} does not exist`);
    return [{ id, image }];
  });
  const ids = new Set(whole ? stems : firsts);
  const alone = folder
    .list(labels)
    .filter((n) => n.endsWith(fileEnding) && !n.startsWith(".") && !ids.has(n.slice(0, -fileEnding.length)));
  if (alone.length > 0)
    notes.push(`${labels} has ${counted(alone.length, "label")} without an image, such as ${alone[0]}: left out`);
  const left = ids.size - cases.length;
  if (left > 0) notes.push(`${counted(left, "case")} of ${images} without all ${channels} channels: left out`);
  return cases;
}
