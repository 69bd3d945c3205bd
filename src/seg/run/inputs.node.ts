/** @file Images and folders given on a command line as cases, and where the results of each may go. */

import { expectArguments, expectItems } from "../../host/kinds.ts";
import * as fs from "node:fs";
import { existsSync, readdirSync, realpathSync } from "node:fs";
import nodePath, { basename, dirname, join, relative, resolve, sep } from "node:path";
import { fileAt } from "../../data/formats/files.node.ts";
import { seriesOfSlices } from "../../data/formats/dicom/series.ts";
import { hiddenImages, imageStem, isImageName } from "../../data/formats/formats.ts";
import { casesWithExtraChannel } from "../../data/folders/extra_channel.node.ts";
import { diskName, namedApart } from "../../data/folders/case_names.ts";
import { photograph } from "../../data/folders/cases.ts";
import type { Case, SeriesChoice } from "../../data/folders/dataset_index.ts";
import { expectFolder, isFolder } from "../../host/files.node.ts";
import { ConfigError, DataError, FormatError } from "../../host/errors.ts";
import { counted } from "../../host/text.ts";
import { expectOptions } from "../../host/options.ts";
import { isPreviousChannel } from "../nnunet/cascade.ts";

// nnU-Net's name of a channel's file: `<id>_0000.nii.gz`.
const channel = /_(\d{4})$/;

const stemOf = imageStem;
// Files of a DICOM series, of which many have no ending.
const slice = /^[^.]+$|\.(dcm|dicom|ima)(\.gz)?$/i;

/** What a pattern stands for, where no shell has expanded it; a path as it is. Throws `DataError` for one that is not there and a pattern that nothing matches. */
function matching(path: string): string[] {
  if (existsSync(path)) return [path];
  if (!/[*?[{]/.test(path)) throw new DataError(`${path} does not exist`);
  // By its module: an older Node, which has none, is told of by the command line instead of failing here.
  const found = fs.globSync(path).sort();
  if (found.length === 0) throw new DataError(`${path}: no file matches`);
  return found;
}

/** How many folders in a folder have slices. @throws DataError for one that cannot be read */
function foldersOfSlices(path: string): number {
  const entries = entriesBelow(path);
  return new Set(entries.flatMap((e) => (e.isFile() && !e.name.startsWith(".") && slice.test(e.name) ? [e.parentPath] : [])))
    .size;
}

function entriesBelow(path: string): fs.Dirent[] {
  try {
    return readdirSync(path, { recursive: true, withFileTypes: true });
  } catch (cause) {
    throw new DataError(`${path}: a folder in it cannot be read: ${(cause as Error).message}`, { cause });
  }
}

/** The images of a folder, of which `series` may be chosen, or a file as it is; `say` is told of those that are left out. Throws `DataError` for a folder without images. */
function filesIn(path: string, series: boolean, say?: (text: string) => void): string[] {
  if (!isFolder(path)) return [path];
  const all = readdirSync(path);
  const hidden = hiddenImages(path, all);
  if (hidden !== undefined) say?.(hidden);
  const names = all.filter((name) => !name.startsWith("."));
  const headers = new Set(names.filter((n) => /\.hdr(\.gz)?$/i.test(n)).map(imageStem));
  const found = names
    .filter((n) => isImageName(n) && !slice.test(n) && !(/\.img(\.gz)?$/i.test(n) && headers.has(imageStem(n))))
    .sort()
    .map((name) => join(path, name));
  if (found.length > 0) return found;
  // A folder of slices is one image, and so is one around it, as a patient's.
  const below = (name: string) => isFolder(join(path, name));
  if (names.some((n) => slice.test(n) && !below(n))) return [path];
  if (names.some(below) && (series || foldersOfSlices(path) === 1)) return [path];
  const folders = names.some(below)
    ? `; of images in its folders give a pattern, such as "${join(path, "*", "*.nii.gz")}", or "${join(path, "*")}" where each is a DICOM series`
    : "";
  throw new DataError(hidden ?? `${path}: has no image, such as a .nii.gz, .nrrd or .mha file${folders}`);
}

/**
 * A case for each image among files, folders and patterns, see `casesOfPaths`, with the label map of a first stage as the last channel if its folder is given.
 * @param channels that an image must have, by name
 * @param previous folder with a file `<id>.*` for each case
 * @param say is told of images that are left out
 * @param choices of the series of folders
 * @throws DataError for a folder without images, for a case without one of its channels; ConfigError for `previous` of a network that takes none, and for slices in place of
 *   the folder of their series
 */
export async function casesOfNetwork(
  paths: readonly string[],
  channels: readonly string[],
  previous?: string,
  say?: (text: string) => void,
  choices?: readonly SeriesChoice[],
): Promise<Case[]> {
  const cases = networkCases(paths, channels, previous, say, choices);
  await expectWholeSeries(cases);
  return cases;
}

/** Throws `ConfigError` for files that are slices of one volume, which alone would be segmented without what lies above and below. */
async function expectWholeSeries(cases: readonly Case[]): Promise<void> {
  const slices = cases.flatMap(({ image }) => image).filter((path) => slice.test(basename(path)) && !isFolder(path));
  for (const [folder, paths] of Map.groupBy(slices, dirname)) {
    if (paths.length === 1) continue;
    const found = await seriesOfSlices(await Promise.all(paths.map((path) => fileAt(path)))).catch((error: unknown) => {
      // What cannot be read is told of with its case.
      if (error instanceof FormatError) return [];
      throw error;
    });
    if (found.length > 0)
      throw new ConfigError(
        `${found[0].files[0]} is one of ${counted(found[0].files.length, "slice")} of a DICOM series: give the folder, ${folder}, which is one image`,
      );
  }
}

function networkCases(
  paths: readonly string[],
  channels: readonly string[],
  previous?: string,
  say?: (text: string) => void,
  choices?: readonly SeriesChoice[],
): Case[] {
  const name = channels.at(-1)!;
  if (previous === undefined) {
    try {
      return casesOfPaths(paths, channels.length, say, choices);
    } catch (cause) {
      if (!(cause instanceof DataError && isPreviousChannel(name))) throw cause;
      throw new DataError(`${cause.message}; the last channel is the ${name}: give its folder as --previous DIR`, { cause });
    }
  }
  if (!isPreviousChannel(name))
    throw new ConfigError(`--previous is for the second stage of a cascade; this network's channels are ${channels.join(", ")}`);
  return casesWithExtraChannel(casesOfPaths(paths, channels.length - 1, say, choices), { name, folders: [previous] });
}

/**
 * A case for each image among files, folders and patterns such as `scans/*.nii.gz`. Files of one folder that are named `<id>_0000`, `<id>_0001` … are the
 * channels of one case; a file that is given twice counts once. Where several have one name, as in `patient1/t1.nii.gz`, cases are called by their folders.
 * @param channels that an image must have
 * @param choices which series of folders is meant: one for all, or one for each channel, where a folder is all channels of a case. Of a folder without files of its own
 *   those in the folders below are looked at then. Images that are files have none
 * @throws DataError for a path that is not there, a folder without images and a case without one of its channels; ConfigError for a choice among files and for
 *   other than one choice or as many as channels
 * @param paths of files and folders, and patterns
 * @param say is told of images that are left out because they are hidden. `text` is a sentence
 */
export function casesOfPaths(
  paths: readonly string[],
  channels: number,
  say?: (text: string) => void,
  choices: readonly SeriesChoice[] = [],
): Case[] {
  expectArguments("casesOfPaths", "objects", { choices });
  for (const choice of choices) expectOptions("casesOfPaths", choice, "series:text stack:number");
  expectArguments("casesOfPaths", "texts", { paths });
  expectArguments("casesOfPaths", "number", { channels });
  const flags = new Set(
    choices.flatMap((c) => Object.entries(c).flatMap(([name, value]) => (value === undefined ? [] : [`--${name}`]))),
  );
  if (choices.length > 1 && choices.length !== channels)
    throw new ConfigError(
      `${choices.length} series are chosen, but images have ${counted(channels, "channel")}: choose one, or one for each`,
    );
  const [choice] = choices;
  const chosen = (files: readonly string[]) =>
    flags.size > 0 && files.some(isFolder) && { choices: files.map((file) => (isFolder(file) ? choice : {})) };
  // A folder that has all channels is a case, whatever it is called.
  const holdsAll = (path: string): boolean => choices.length > 1 && isFolder(path);
  const groups = new Map<string, string[]>();
  // What a pattern and its folder both name, or is written in two ways, is one image.
  const seen = new Set<string>();
  for (const path of paths.flatMap(matching).flatMap((one) => filesIn(one, flags.has("--series"), say))) {
    if (seen.has(resolve(path))) continue;
    seen.add(resolve(path));
    const stem = join(dirname(path), holdsAll(path) ? stemOf(path) : stemOf(path).replace(channel, ""));
    const group = groups.get(stem);
    if (group) group.push(path);
    else groups.set(stem, [path]);
  }
  const cases = [...groups].flatMap(([stem, files]): Case[] => {
    const numbered = files.filter((f) => channel.test(stemOf(f)) && !holdsAll(f));
    const whole = files.filter((f) => !numbered.includes(f));
    const alone = (f: string): Case =>
      holdsAll(f) ? { id: stemOf(f), image: choices.map(() => f), choices } : { id: stemOf(f), image: [f], ...chosen([f]) };
    const cases = whole.map(alone);
    if (numbered.length === 0) return cases;
    // One channel of several is no case; several images of one channel each that are merely numbered are, and a photograph that has its colors in one file.
    const joined = numbered.length === 1 && photograph.test(numbered[0]);
    if (numbered.length !== channels && !joined) {
      if (channels === 1) return [...cases, ...numbered.map(alone)];
      throw new DataError(
        `case "${basename(stem)}" has ${numbered.length} of ${channels} channels: ${numbered.map((f) => basename(f)).join(", ")}`,
      );
    }
    return [...cases, { id: basename(stem), image: numbered.sort(), ...chosen(numbered) }];
  });
  if (flags.size > 0 && cases.length > 0 && !cases.some((item) => item.choices))
    throw new ConfigError(
      `a series is chosen in a folder of DICOM files, and ${cases[0].image[0]} is a file; leave ${[...flags].join(" and ")} out`,
    );
  return namedApart(cases, (path) => relative(commonFolder(cases), path).replaceAll("\\", "/"));
}

/** The folder that all images lie below. */
function commonFolder(cases: readonly Case[]): string {
  const [first = [], ...others] = cases.map(({ image }) => dirname(resolve(image[0])).split(sep));
  const end = first.findIndex((part, i) => others.some((o) => o[i] !== part));
  return first.slice(0, end < 0 ? first.length : end).join(sep) + sep;
}

/** One path however it is written, as far as it exists. */
function real(path: string): string {
  return existsSync(path)
    ? realpathSync(path)
    : join(existsSync(dirname(path)) ? realpathSync(dirname(path)) : dirname(path), basename(path));
}

/** A pattern for each of the alternatives in its braces, which may have folders in them. */
function alternatives(pattern: string): string[] {
  const braces = /\{([^{}]*,[^{}]*)\}/.exec(pattern);
  if (!braces) return [pattern];
  const [before, after] = [pattern.slice(0, braces.index), pattern.slice(braces.index + braces[0].length)];
  return braces[1].split(",").flatMap((one) => alternatives(before + one + after));
}

/** Whether the end of a pattern stands for one of the names, in whatever folder. */
function namesOne(pattern: string, names: readonly string[]): boolean {
  const end = pattern.slice(Math.max(pattern.lastIndexOf("/"), pattern.lastIndexOf(sep)) + 1);
  return names.some((name) => nodePath.matchesGlob(name, end));
}

/**
 * Throws `ConfigError` if `results` would lie in a folder whose images, or slices, were asked for by the folder or by a pattern that they match: the next call
 * would take them for images. Images that are named one by one may have them beside.
 */
export function expectOtherFolder(paths: readonly string[], out: string, results: readonly string[]): void {
  const names = results.map((path) => basename(path));
  const wholes = paths.flatMap((path) => {
    if (existsSync(path)) return isFolder(path) ? [path] : [];
    const all = matching(path);
    return alternatives(path).flatMap((pattern, _, { length }) => {
      const taken = namesOne(pattern, names);
      const found = length === 1 ? all : fs.globSync(pattern);
      return found.flatMap((p) => [...(isFolder(p) ? [p] : []), ...(taken ? [dirname(p)] : [])]);
    });
  });
  if (wholes.some((path) => real(path) === real(out)))
    throw new ConfigError(
      `${out} is the folder of the images, among which results would be taken for images; choose another --out`,
    );
}

// Of a name on the file systems of Linux, macOS (there in characters) and Windows (in UTF-16).
const mostBytes = 255;

/** Throws `ConfigError` for a path whose last name is longer than a disk takes: it would fail when the result is written. */
export function expectNameLength(path: string): void {
  const bytes = Buffer.byteLength(basename(path));
  if (bytes > mostBytes)
    throw new ConfigError(
      `the name of the result ${path} has ${bytes} bytes, of which disks take ${mostBytes}; give the image a shorter name`,
    );
}

/**
 * Throws `ConfigError` if a name would be too long, if two results would be one file on any disk, if one would replace an image or label of a case, or, without `overwrite`, any file.
 * `outputsOf` gives the paths of all results of a case by its `id`.
 */
export function expectFreeOutputs(
  cases: readonly Case[],
  outputsOf: (id: string) => string | readonly string[],
  overwrite: boolean,
): void {
  expectItems("expectFreeOutputs", "cases", cases, { id: "text", image: "texts" });
  expectArguments("expectFreeOutputs", "function", { outputsOf });
  const pathsOf = (id: string): string[] => [outputsOf(id)].flat();
  const firsts = new Map<string, Case>();
  for (const item of cases) {
    const other = firsts.get(diskName(item.id));
    if (other) {
      const nearly = other.id === item.id ? "" : " but for upper and lower case or accents, which many disks ignore";
      throw new ConfigError(
        `${other.image[0]} and ${item.image[0]} have one name${nearly}, so that their results would be one file, ${pathsOf(item.id)[0]}; run them apart, each with its own --out`,
      );
    }
    firsts.set(diskName(item.id), item);
  }
  const inputs = new Map(
    cases.flatMap((c) => [...c.image, ...(c.label ? [c.label] : [])].map((path) => [real(path), path] as const)),
  );
  const owners = new Map<string, Case>();
  const outputs: string[] = [];
  for (const item of cases) {
    for (const path of pathsOf(item.id)) {
      const other = owners.get(diskName(path));
      if (other)
        throw new ConfigError(
          `${path} would be a result of ${other.image[0]} and of ${item.image[0]}; run them apart, each with its own --out`,
        );
      owners.set(diskName(path), item);
      outputs.push(path);
    }
  }
  for (const path of outputs) expectNameLength(path);
  const clash = outputs.find((path) => inputs.has(real(path)));
  if (clash) throw new ConfigError(`the result ${clash} would replace an input; choose another --out`);
  for (const folder of new Set(outputs.map(dirname))) expectFolder(folder);
  const there = overwrite ? [] : outputs.filter(existsSync);
  if (there.length > 0) {
    const more = there.length > 1 ? ` and ${there.length - 1} more exist` : " exists";
    throw new ConfigError(`${there[0]}${more}; choose another --out, or replace with --overwrite`);
  }
}
