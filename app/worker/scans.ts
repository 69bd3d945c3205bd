/** @file The images among files that a user picked: a row for each file or series, read when one is wanted. */

import {
  createTestImage3d,
  type ImageFile,
  imageStem,
  isImageName,
  joinCase,
  listSeries,
  makeVolume,
  RandomState,
  readImage,
  readSeries,
  type ReadSeriesOptions,
  type Volume,
} from "voxgrad/data";
import { DataError, FormatError } from "voxgrad";
import type { PickedFile, Picture3d, ScanFacts, ScanInfo, Uneven } from "../protocol.ts";
import { pictureOf } from "./picture.ts";

/** Files of a DICOM series, and which of its stacks. */
export interface Series {
  readonly modality: string;
  readonly files: readonly ImageFile[];
  readonly chosen: ReadSeriesOptions;
}

interface Scan {
  readonly info: ScanInfo;
  /** Of a DICOM series. */
  readonly series?: Series | undefined;
  /** What tells whether it is picked again. */
  readonly files: string;
  /** Slices without a common distance are refused unless they are to be read as they are. */
  read(asItIs: boolean): Promise<Volume>;
}

const scans = new Map<string, Scan>();
/** Of which the user wants the slices as they are. */
const asTheyAre = new Set<string>();
let counter = 0;
let kept: { readonly key: string; readonly volume: Promise<Volume> } | undefined;

/** A row; what was picked before keeps the one that it has. */
function add(info: Omit<ScanInfo, "key">, from: readonly PickedFile[], read: Scan["read"], series?: Series): ScanInfo {
  const files = JSON.stringify([
    info.name,
    info.format,
    ...from.map(({ path, file }) => [path, file.size, (file as File).lastModified]),
  ]);
  const before = [...scans.values()].find((s) => s.files === files);
  const key = before?.info.key ?? `scan${++counter}`;
  const row = { ...info, key };
  scans.set(key, { info: row, files, read, series });
  return row;
}

const imageFile = ({ path, file }: PickedFile): ImageFile => ({ name: path, blob: file });
const hidden = (path: string): boolean => path.split("/").some((part) => part.startsWith(".") || part === "__MACOSX");
/** Images that are left out for the dot in front of their own names; what macOS makes of each file is none. */
const leftOut = (files: readonly PickedFile[]): string | undefined => {
  const [first, ...more] = files.filter(
    ({ path }) => /(^|\/)\.[^._/][^/]*$/.test(path) && !hidden(folderOf(path)) && isImageName(path),
  );
  if (!first) return undefined;
  const others = more.length > 0 ? ` and ${more.length} more hidden images are` : " is hidden and";
  return `${first.path}${others} left out; a name without the dot in front has it read`;
};
const channel = /_(\d{4})$/;
const header = /\.(hdr|mhd|nhdr)$/i;
const folderOf = (path: string): string => path.slice(0, path.lastIndexOf("/") + 1);

/** Lists what is there; files of a series are one row, and so are `<id>_0000`, `<id>_0001` … of one folder. */
export async function addScans(
  picked: readonly PickedFile[],
  onProgress: (done: number, total: number) => void,
): Promise<ScanInfo[]> {
  const files = picked.filter((f) => !hidden(f.path));
  if (files.length > 0 && files.every((f) => f.file.size === 0))
    throw new FormatError(`${files[0].path} is empty: it has 0 bytes; copy or download it again`);
  onProgress(0, files.length);
  const series = await addSeries(files);
  const taken = new Set(series.files);
  const images = files.filter((f) => !taken.has(f.path) && isImageName(f.path));
  const rows = [...series.rows, ...addImages(images, files)];
  onProgress(files.length, files.length);
  const dotted = leftOut(picked);
  const [row, ...further] = rows;
  if (row) return dotted === undefined ? rows : [{ ...row, problems: [...row.problems, dotted] }, ...further];
  if (dotted !== undefined) throw new FormatError(dotted);
  const none = picked.length === 1 ? `${picked[0].path} is no image` : `none of the ${picked.length} files is an image`;
  throw new FormatError(`${none}: expected NIfTI, DICOM, NRRD, MetaImage, MGH, Analyze, TIFF, PNG, JPEG or NumPy`);
}

const saysDicom = async ({ blob }: ImageFile): Promise<boolean> => (await blob.slice(128, 132).text()) === "DICM";

const mayBeDicom = (path: string): boolean => !isImageName(path) || /\.(dcm|dicom|ima)$/i.test(path);

async function addSeries(files: readonly PickedFile[]): Promise<{ rows: ScanInfo[]; files: string[] }> {
  const candidates = files.filter((f) => mayBeDicom(f.path)).map(imageFile);
  if (candidates.length === 0) return { rows: [], files: [] };
  let found;
  try {
    found = await listSeries(candidates);
  } catch (error) {
    // A damaged series is told of; where there is none, the other files may be images.
    if ((await Promise.all(candidates.map(saysDicom))).includes(true)) throw error;
    return { rows: [], files: [] };
  }
  const rows = found.map((s) => {
    const names = new Set(s.files);
    const mine = candidates.filter((f) => names.has(f.name));
    const name = s.description || `${s.modality} ${s.number ?? ""}`.trim() || s.uid;
    const stacks = found.filter((other) => other.uid === s.uid).length;
    const info = {
      name: stacks > 1 ? `${name} (${s.stack + 1})` : name,
      format: `DICOM · ${s.modality} · ${s.count} × ${s.size.join(" × ")}`,
      files: s.files.length,
      problems: s.problems,
    };
    const from = files.filter((f) => names.has(f.path));
    const series: Series = { modality: s.modality, files: mine, chosen: { uid: s.uid, stack: s.stack } };
    const read: Scan["read"] = (asItIs) => readSeries(mine, { ...series.chosen, uneven: asItIs ? "accept" : "refuse" });
    return add(info, from, read, series);
  });
  return { rows, files: found.flatMap((s) => s.files) };
}

function addImages(images: readonly PickedFile[], all: readonly PickedFile[]): ScanInfo[] {
  const groups = new Map<string, PickedFile[]>();
  for (const image of images) {
    const key = folderOf(image.path) + imageStem(image.path).replace(channel, "");
    groups.set(key, [...(groups.get(key) ?? []), image]);
  }
  return [...groups.values()].flatMap((group) => {
    const numbered = group.filter((f) => channel.test(imageStem(f.path)));
    const whole = pairs(group.filter((f) => !channel.test(imageStem(f.path))));
    const rows = whole.map((f) => addImage(imageStem(f.path), [f], all));
    if (numbered.length > 0)
      rows.push(addImage(imageStem(numbered[0].path).replace(channel, ""), numbered.toSorted(byPath), all));
    return rows;
  });
}

const byPath = (a: PickedFile, b: PickedFile): number => (a.path < b.path ? -1 : 1);

/** Without the data of a header that is there too. */
export function pairs(files: readonly PickedFile[]): PickedFile[] {
  const place = ({ path }: PickedFile): string => folderOf(path) + imageStem(path);
  const headers = new Set(files.filter((f) => header.test(f.path)).map(place));
  return files.filter((f) => !(/\.(img|z?raw)(\.gz)?$/i.test(f.path) && headers.has(place(f))));
}

function addImage(name: string, channels: readonly PickedFile[], all: readonly PickedFile[]): ScanInfo {
  const ending = channels[0].path.slice(folderOf(channels[0].path).length + imageStem(channels[0].path).length);
  const info = { name, format: ending.replace(/^\./, ""), files: channels.length, problems: [] };
  return add(info, channels, async () => {
    const volumes = await Promise.all(channels.map((c) => readOne(c, all)));
    return volumes.length === 1 ? volumes[0] : joinCase(name, volumes, undefined, []).image;
  });
}

/** An image, with its data where these are in a file of their own. */
export function readOne(picked: PickedFile, all: readonly PickedFile[]): Promise<Volume> {
  if (!header.test(picked.path)) return readImage(picked.file, { name: picked.path });
  const stem = imageStem(picked.path);
  const beside = all.filter(
    (f) => f !== picked && folderOf(f.path) === folderOf(picked.path) && imageStem(f.path).startsWith(stem),
  );
  return readImage([picked.file, ...beside.map((f) => f.file)]);
}

/** A volume of balls in some noise, for whoever has no scan at hand. */
export function addSample(): ScanInfo {
  return add({ name: "sample", format: "synthetic", files: 1, problems: [], made: true }, [], () =>
    Promise.resolve(sampleVolume()),
  );
}

/** Always the same, with balls of all three classes; of few slices, so that a machine without a GPU has it in seconds too. */
export function sampleVolume(): Volume {
  const { image } = createTestImage3d(64, 72, 40, {
    numObjs: 10,
    numSegClasses: 3,
    radMin: 6,
    radMax: 12,
    noiseMax: 0.12,
    channelDim: 0,
    randomState: new RandomState(3),
  });
  return makeVolume(image);
}

const scanOf = (key: string): Scan => {
  const scan = scans.get(key);
  if (scan) return scan;
  throw new FormatError("this scan is no longer there; pick it again");
};

/** The DICOM series that a scan is, as it was read. */
export function scanSeries(key: string): Series | undefined {
  const { series } = scanOf(key);
  return series && { ...series, chosen: { ...series.chosen, uneven: asTheyAre.has(key) ? "accept" : "refuse" } };
}

export const scanName = (key: string): string => scanOf(key).info.name;

const millimeters: Readonly<Record<string, number>> = { m: 1000, um: 0.001 };

/** An image whose header counts in meters or micrometers, as millimeters: in these the page tells lengths and volumes, and models know the size of what they look for. */
function inMillimeters(volume: Volume): Volume {
  const factor = millimeters[volume.meta.units ?? ""];
  if (factor === undefined) return volume;
  const affine = volume.affine.map((row, r) => (r < 3 ? row.map((v) => v * factor) : row));
  // Its header would be written again with the old unit.
  const { header: _, ...meta } = volume.meta;
  return makeVolume({ data: volume.data, shape: volume.shape }, affine, { ...meta, units: "mm" });
}

/** The voxels of a scan; the last one that was asked for is kept. */
export function readScan(key: string): Promise<Volume> {
  if (kept?.key === key) return kept.volume;
  const volume = scanOf(key).read(asTheyAre.has(key)).then(inMillimeters);
  kept = { key, volume };
  volume.catch(() => {
    if (kept?.volume === volume) kept = undefined;
  });
  return volume;
}

/** How the library ends its word on slices that it would read if it were told to. */
const offer = /^.*?: series \S+: (.*); complete the series, or read it as it is with .*$/s;

export async function scanFacts(key: string, asItIs = false): Promise<ScanFacts | Uneven> {
  if (asItIs) asTheyAre.add(key);
  try {
    const volume = await readScan(key);
    return {
      name: scanName(key),
      shape: volume.shape,
      spacing: volume.spacing,
      notes: volume.meta.notes ?? [],
      picture: pictureOf(volume, { modality: scanOf(key).series?.modality }),
    };
  } catch (error) {
    const uneven = error instanceof DataError ? offer.exec(error.message)?.[1] : undefined;
    if (uneven === undefined) throw error;
    return { uneven };
  }
}

/** Another channel of a scan. */
export async function scanPicture(key: string, channel: number | "color"): Promise<Picture3d> {
  return pictureOf(await readScan(key), { channel, modality: scanOf(key).series?.modality });
}
