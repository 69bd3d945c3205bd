/**
 * @file DICOM series among many files: found by their headers alone, and one of them read as a volume. A series whose slices differ in orientation or size
 * (scouts, reformats) is several stacks, each listed and chosen for itself.
 */

import { expectWord } from "../../../host/words.ts";
import { expectOptions } from "../../../host/options.ts";
import { expectArguments } from "../../../host/kinds.ts";
import { counted } from "../../../host/text.ts";
import { ConfigError, DataError, FormatError } from "../../../host/errors.ts";
import type { Volume } from "../../volume.ts";
import { ifSound, openBytes, unpackedFile } from "../byte_source.ts";
import type { ImageFile, ReadImageOptions } from "../format.ts";
import { someAtATime } from "../some_at_a_time.ts";
import { checkAlike, readVoxels } from "./assemble.ts";
import { readDicom } from "./read_dicom.ts";
import { type DicomHeader, isDicom, readHeader } from "./header.ts";
import { besideImages, NoImageError } from "./refusals.ts";
import { alike, type Slice, slicesOf } from "./slice.ts";
import { arrange, type Stack } from "./stack.ts";

/** A stack of slices of a series. */
export interface SeriesInfo {
  /** SeriesInstanceUID. */
  readonly uid: string;
  /** SeriesDescription; empty if it has none. */
  readonly description: string;
  /** Modality, such as "MR"; empty if it has none. */
  readonly modality: string;
  /** PatientID; empty if it has none. */
  readonly patientId: string;
  /** SeriesNumber, if it has one. */
  readonly number?: number;
  /** Which stack of its series this is, from 0; more than one where orientation or size differ. */
  readonly stack: number;
  /** Columns and rows of a slice. */
  readonly size: readonly [number, number];
  /** Slices, of all times and echoes. */
  readonly count: number;
  /** Names of its files. */
  readonly files: readonly string[];
  /** Files of the series that cannot be read, and why; reading the series throws the first of these. */
  readonly problems: readonly string[];
}

/** Which series is wanted, and how. */
export interface ReadSeriesOptions {
  /** SeriesInstanceUID, or the only one that begins so. */
  readonly uid?: string;
  /** SeriesDescription, exactly. */
  readonly description?: string;
  /** Which stack of the series; default the only one. */
  readonly stack?: number;
  /** Slices that are missing or unevenly spaced: an error ("refuse", default) or a volume of their mean distance with a note ("accept"). */
  readonly uneven?: "refuse" | "accept";
}

/** The names of `ReadSeriesOptions`. */
export const seriesNames = "uid description stack uneven";

/**
 * The series among files. Reads headers, not pixels; files that are no DICOM images are passed over.
 * @throws FormatError if there is no series
 */
export async function listSeries(files: readonly ImageFile[]): Promise<SeriesInfo[]> {
  expectArguments("listSeries", "files", { files });
  return (await findStacks(files)).map(({ info }) => info);
}

/** The series of which several files are single slices at different places, so that none of these is an image by itself. @throws as listSeries */
export async function seriesOfSlices(files: readonly ImageFile[]): Promise<SeriesInfo[]> {
  const places = ({ slices }: FoundStack): number =>
    new Set(slices.flatMap(({ header, facts }) => (header.layout.frames > 1 ? [] : [String(facts.position)]))).size;
  const stacks = joined(await findStacks(files), {});
  return stacks.filter((stack) => places(stack) > 1).map(({ info }) => info);
}

/**
 * Reads a series as a volume `[C, nx, ny, nz]` with an RAS affine: slices sorted along their normal (row × column), the distance from their positions.
 * Slices without positions are sorted by location or number, with a note; several at each place become channels, by what tells them apart.
 * A tilted gantry gives a sheared affine and a note. Values as in readDicom.
 * Segmentations and RT doses beside the only series of images are left out, with a note, unless one is chosen.
 * @throws ConfigError if there are several series and none, or more than one, is chosen: it lists them; FormatError for files that cannot be read;
 *   DataError for slices that are missing, doubled or uneven
 */
export async function readSeries(files: readonly ImageFile[], options: ReadSeriesOptions = {}): Promise<Volume> {
  expectOptions("readSeries", options, seriesNames);
  expectArguments("readSeries", "files", { files });
  const found = await findSeries(files, options);
  const { info, slices, notes } = found;
  // One file of many frames is what readDicom makes of it.
  const only = files.find((f) => f.name === info.files[0]);
  if (info.files.length === 1 && only && info.count === slices[0].header.layout.frames)
    return readDicom(await unpackedFile(only));
  checkAlike(slices);
  return readVoxels(arranged(found, options), info.files[0], notes);
}

/**
 * The slices of a series in their places, as readSeries has them along the third axis.
 * @throws as readSeries
 */
export async function seriesStack(files: readonly ImageFile[], options: ReadSeriesOptions = {}): Promise<Stack> {
  return arranged(await findSeries(files, options), options);
}

async function findSeries(files: readonly ImageFile[], options: ReadSeriesOptions): Promise<FoundStack> {
  expectWord("readSeries", "uneven", options.uneven ?? "refuse", ["refuse", "accept"]);
  const found = choose(joined(imagesAmong(await findStacks(files), options), options), options);
  if (found.errors.length > 0) throw found.errors[0];
  return found;
}

const arranged = ({ info, slices }: FoundStack, { uneven = "refuse" }: ReadSeriesOptions): Stack =>
  arrange(slices, { uneven, who: `readSeries: series ${info.uid}` });

/**
 * The files of one folder as one volume, whatever series they say they are of: some data sets gave each slice a series of its own.
 * @returns with the volume the name of the file of each slice, in the order of the third axis
 * @throws as readSeries
 */
export async function readSlices(
  files: readonly ImageFile[],
): Promise<{ readonly volume: Volume; readonly names: readonly string[] }> {
  const slices = slicesOf(await someAtATime(files, headerOfImage));
  const folder = files[0].name;
  const odd = slices.find((slice) => !alike(slices[0], slice));
  if (odd)
    throw new DataError(`readSlices: ${folder} and ${odd.header.name} differ in size or orientation; they are not of one volume`);
  const stack = arrange(slices, { uneven: "refuse", who: `readSlices: ${folder}` });
  if (stack.channels.length > 1)
    throw new DataError(`readSlices: ${folder} and others have ${stack.channels.length} slices at each place`);
  return { volume: await readVoxels(stack, folder), names: stack.channels[0].map((s) => s.header.name) };
}

async function headerOfImage(file: ImageFile): Promise<DicomHeader> {
  const { name, blob } = await unpackedFile(file);
  return readHeader(name, blob);
}

/** What chooses the series that a text names: its UID, or the beginning of it, or its description. @throws as listSeries */
export async function seriesNamed(
  files: readonly ImageFile[],
  { series, stack }: Pick<ReadImageOptions, "series" | "stack">,
): Promise<ReadSeriesOptions> {
  const chosen = stack === undefined ? {} : { stack };
  if (series === undefined) return chosen;
  const described = (await listSeries(files)).some((s) => s.description === series);
  return { ...chosen, ...(described ? { description: series } : { uid: series }) };
}

interface FoundStack {
  readonly info: SeriesInfo;
  readonly slices: readonly Slice[];
  readonly errors: readonly FormatError[];
  readonly notes: readonly string[];
}

// The preamble and its mark.
const leastBytes = 132;

interface Failure {
  readonly error: FormatError;
  readonly seriesUid?: string;
}

async function findStacks(files: readonly ImageFile[]): Promise<FoundStack[]> {
  const bySeries = new Map<string, DicomHeader[]>();
  const failures: Failure[] = [];
  let others = 0;
  for (const header of await someAtATime(files, headerOf)) {
    if (!header) others++;
    else if ("error" in header) failures.push(header);
    else {
      const known = bySeries.get(header.seriesUid);
      if (known) known.push(header);
      else bySeries.set(header.seriesUid, [header]);
    }
  }
  if (bySeries.size === 0) {
    if (failures.length > 0) throw failures[0].error;
    throw new FormatError(
      `listSeries: no DICOM image is among the ${files.length} files${others > 0 ? "; none of them is one" : ""}`,
    );
  }
  return [...bySeries].flatMap(([uid, headers]) => stacksOf(uid, headers, failures));
}

/** The header of a file, which may be packed by gzip; undefined for what is no DICOM image. */
async function headerOf(file: ImageFile): Promise<DicomHeader | Failure | undefined> {
  try {
    // Of other packed files no more is unpacked than tells that.
    const first = openBytes(file).then((source) => source.head(256));
    const head = await ifSound(file, first);
    if (!head || !isDicom(head)) return cutShort(file);
    const { name, blob } = await unpackedFile(file);
    return await readHeader(name, blob);
  } catch (error) {
    if (error instanceof NoImageError) return undefined;
    if (!(error instanceof FormatError)) throw error;
    return { error, seriesUid: (error as { seriesUid?: string }).seriesUid };
  }
}

/** A file that is a slice by its name and holds none: passed over, it would leave a volume without its last slice, which no gap shows. */
function cutShort({ name, blob }: ImageFile): Failure | undefined {
  if (blob.size >= leastBytes || !/\.(dcm|dicom|ima)$/i.test(name)) return undefined;
  const what = blob.size === 0 ? "is empty" : `has ${blob.size} bytes, which are no DICOM image`;
  return { error: new FormatError(`readSeries: ${name} ${what}; get it again or take it out`) };
}

function stacksOf(uid: string, found: readonly DicomHeader[], failures: readonly Failure[]): FoundStack[] {
  const seen = new Set<string>();
  const headers = found.filter(({ instanceUid }) => instanceUid === "" || (!seen.has(instanceUid) && seen.add(instanceUid)));
  const copies = found.length - headers.length;
  const notes =
    copies > 0
      ? [copies === 1 ? "1 file is a copy of another and is left out" : `${copies} files are copies of others and are left out`]
      : [];
  const errors = failures.filter((f) => f.seriesUid === undefined || f.seriesUid === uid).map((f) => f.error);
  const groups: Slice[][] = [];
  for (const slice of slicesOf(headers)) {
    const group = groups.find(([first]) => alike(first, slice));
    if (group) group.push(slice);
    else groups.push([slice]);
  }
  return groups.map((slices, stack) => {
    const { header } = slices[0];
    const info: SeriesInfo = {
      uid,
      description: header.description,
      modality: header.modality,
      patientId: header.patientId,
      ...(header.seriesNumber === undefined ? {} : { number: header.seriesNumber }),
      stack,
      size: [header.layout.columns, header.layout.rows],
      count: slices.length,
      files: [...new Set(slices.map((s) => s.header.name))],
      problems: errors.map((e) => e.message),
    };
    return { info, slices, errors, notes };
  });
}

/**
 * Labels and doses are of an image that they often lie beside, as archives and planning systems write them: without a choice the image is meant.
 */
function imagesAmong(stacks: readonly FoundStack[], { uid, description }: ReadSeriesOptions): readonly FoundStack[] {
  if (uid !== undefined || description !== undefined) return stacks;
  const kinds = stacks.map(({ slices }) => besideImages(slices[0].header.sopClass));
  const images = stacks.filter((_, i) => kinds[i] === undefined);
  if (images.length === 0 || images.length === stacks.length) return stacks;
  const left = kinds.flatMap((kind, i) => (kind ? [`${kind} (${JSON.stringify(stacks[i].info.description)})`] : []));
  const note = `${left.join(", ")} ${left.length === 1 ? "lies" : "lie"} beside the image and ${left.length === 1 ? "is" : "are"} left out`;
  return images.map((stack) => ({ ...stack, notes: [...stack.notes, note] }));
}

// Two scouts are no volume.
const leastJoined = 3;

/** Slices that each say to be a series of their own, as some tools for anonymity leave them, are one where nothing else tells them apart. */
function joined(stacks: readonly FoundStack[], { uid, description, stack }: ReadSeriesOptions): readonly FoundStack[] {
  if (stacks.length < leastJoined || uid !== undefined || description !== undefined || stack !== undefined) return stacks;
  const [first] = stacks;
  const one = ({ info, slices, errors }: FoundStack): boolean =>
    slices.length === 1 &&
    errors.length === 0 &&
    info.modality === first.info.modality &&
    info.patientId === first.info.patientId &&
    info.description === first.info.description &&
    slices[0].facts.position !== undefined &&
    alike(first.slices[0], slices[0]);
  const places = new Set(stacks.map(({ slices }) => String(slices[0].facts.position)));
  if (!stacks.every(one) || places.size < stacks.length) return stacks;
  const files = stacks.flatMap((s) => s.info.files);
  const note = `each of the ${stacks.length} slices says to be a series of its own; they were taken as one`;
  const info: SeriesInfo = { ...first.info, count: stacks.length, files };
  return [{ info, slices: stacks.flatMap((s) => s.slices), errors: [], notes: [note] }];
}

function choose(stacks: readonly FoundStack[], { uid, description, stack }: ReadSeriesOptions): FoundStack {
  const exact = uid !== undefined && stacks.some((s) => s.info.uid === uid);
  const fitting = stacks.filter(
    ({ info }) =>
      (uid === undefined || (exact ? info.uid === uid : info.uid.startsWith(uid))) &&
      (description === undefined || info.description === description) &&
      (stack === undefined || info.stack === stack),
  );
  if (fitting.length === 1) return fitting[0];
  const list = (fitting.length > 0 ? fitting : stacks)
    .map(({ info }) => `  stack ${info.stack} of ${seriesText(info)}`)
    .join("\n");
  const several =
    new Set(fitting.map((s) => s.info.uid)).size > 1
      ? `${fitting.length} series are there; choose one by its uid or description (of commands: --series; of a dataset.json: series)`
      : `the series has ${fitting.length} stacks; choose one by its number`;
  const what = fitting.length === 0 ? "no series is the one that is asked for; there are" : several;
  throw new ConfigError(`readSeries: ${what}:\n${list}`);
}

/** A line about a series. */
export const seriesText = ({ uid, description, modality, patientId, size, count }: SeriesInfo): string =>
  `${uid}: ${JSON.stringify(description)}, ${modality || "unknown modality"}, patient ${JSON.stringify(patientId)}, ${counted(count, "slice")} of ${size.join("×")}`;
