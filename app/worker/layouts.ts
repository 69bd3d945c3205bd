/** @file The layouts of datasets that a page reads, a row each: which files say so, the index, and how a case is read. */

import { FormatError } from "voxgrad";
import {
  type ChaosCase,
  chaosDataset,
  type ChaosReading,
  type DatasetIndex,
  type ImageFile,
  joinCase,
  listChaos,
  lunaDataset,
  parseDataset,
  parseSplits,
  readChaosCase,
  readDrawnCase,
  readImage,
  readNoduleCase,
  type SeriesChoice,
  type Split,
  type Volume,
} from "voxgrad/data";
import type { ReadCase } from "voxgrad/seg";

/** Files by their path in a dataset. */
export type FileTree = ReadonlyMap<string, Blob>;

interface Opened {
  readonly index: DatasetIndex;
  readonly read: ReadCase;
  readonly splits?: readonly Split[] | undefined;
}

interface Layout {
  /** As the library's layouts are called, for `FolderOptions`. */
  readonly name: string;
  /** What such a folder has, for messages. */
  readonly has: string;
  matches(files: FileTree): boolean;
  /** `options` are what is wanted of it, those of the library's layout of this name. Throws `ConfigError` for what is not there. */
  open(files: FileTree, options: object): Promise<Opened>;
}

const fileOf = (files: FileTree, path: string): Blob => {
  const found = files.get(path.replace(/^\.\//, ""));
  if (found) return found;
  throw new FormatError(`the folder has no ${path}`);
};

const jsonOf = async (files: FileTree, path: string): Promise<unknown> => {
  try {
    return JSON.parse(await fileOf(files, path).text());
  } catch (cause) {
    throw cause instanceof FormatError ? cause : new FormatError(`${path} is not JSON: ${(cause as Error).message}`, { cause });
  }
};

/** The files of a folder, or of all folders in it where it has none or a series is looked for in `all`. */
function below(files: FileTree, path: string, all = false): Blob[] {
  const start = `${path.replace(/^\.\//, "")}/`;
  const found = [...files].filter(([name]) => name.startsWith(start) && !name.slice(name.lastIndexOf("/") + 1).startsWith("."));
  const own = found.filter(([name]) => !name.includes("/", start.length));
  return (own.length === 0 || all ? found : own).map(([, file]) => file);
}

/** Those of sorted paths that lie in a folder. By halves: of a thousand patients each folder is asked for, among all their slices. */
function within(names: readonly string[], folder: string): string[] {
  const firstFrom = (text: string): number => {
    let [low, high] = [0, names.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (names[middle] < text) low = middle + 1;
      else high = middle;
    }
    return low;
  };
  // The character behind "/" is "0".
  return names.slice(firstFrom(`${folder}/`), firstFrom(`${folder}0`));
}

/** Medical Segmentation Decathlon and nnU-Net. */
const datasetJson: Layout = {
  name: "datasetJson",
  has: "a dataset.json (Decathlon, nnU-Net)",
  matches: (files) => files.has("dataset.json"),
  async open(files) {
    const names = [...files.keys()].sort();
    const index = parseDataset(await jsonOf(files, "dataset.json"), {
      has: (path) => files.has(path.replace(/^\.\//, "")) || within(names, path.replace(/^\.\//, "")).length > 0,
      list: (folder) => (folder ? within(names, folder).map((n) => n.slice(folder.length + 1)) : names),
    });
    const splits = files.has("splits_final.json") ? parseSplits(await jsonOf(files, "splits_final.json")) : undefined;
    const image = (path: string, choice?: SeriesChoice): Promise<Volume> => {
      const slices = below(files, path, choice?.series !== undefined);
      return slices.length > 0 ? readImage(slices, choice) : readImage(fileOf(files, path), { name: path });
    };
    const filesOf = async (path: string): Promise<ImageFile[]> => {
      const inside = within(names, path).filter((name) => !name.slice(name.lastIndexOf("/") + 1).startsWith("."));
      return (inside.length > 0 ? inside : [path]).map((name) => withNeighbors(files, name));
    };
    const read: ReadCase = async (item) => {
      const { id, image: paths, label, choices, drawn } = item;
      if (drawn) return { id, ...(await readDrawnCase(item, drawn, index.labels, filesOf)) };
      const images = await Promise.all(paths.map((path, i) => image(path, choices?.[i])));
      return { id, ...joinCase(id, images, label === undefined ? undefined : await image(label), index.labels) };
    };
    return { index, read, splits };
  },
};

const chaosPlace = /(^|\/)(MR|CT)\/\d+\/.*\.dcm$/i;

/** CHAOS: DICOM slices and label pictures. */
const chaos: Layout = {
  name: "chaos",
  has: "MR/<patient>/… or CT/<patient>/… as in CHAOS",
  matches: (files) => [...files.keys()].some((path) => chaosPlace.test(path)),
  async open(files, options) {
    const index = chaosDataset(listChaos([...files.keys()]), options);
    const open = async (path: string) => ({ name: path, blob: fileOf(files, path) });
    const inFolder = (folder: string, ending: RegExp): string[] =>
      [...files.keys()].filter((path) => path.slice(0, path.lastIndexOf("/")) === folder && ending.test(path)).sort();
    const read: ReadCase = async ({ id, patient = id, image, label, layout }) => {
      const { sequence, classes } = layout as ChaosReading;
      const [first, outPhase] = image.map((folder) => inFolder(folder, /\.dcm$/i));
      const ground = label === undefined ? undefined : inFolder(label, /\.png$/i);
      const item: ChaosCase = { id, patient, sequence, image: first, ...(outPhase && { outPhase }), ...(ground && { ground }) };
      return { id, ...(await readChaosCase(item, { open, classes, phases: outPhase ? "both" : "in" })) };
    };
    return { index, read };
  },
};

const lunaPlace = /(^|\/)(annotations\.csv|[^/]+\.mask\.nii\.gz|[^/]+_clean\.(nrrd|npy))$/;

/** LUNA16: scans with a list of their nodules. */
const luna: Layout = {
  name: "luna",
  has: "annotations.csv beside scans as in LUNA16",
  matches: (files) => [...files.keys()].some((path) => lunaPlace.test(path)),
  async open(files) {
    const open = (path: string): Promise<ImageFile> => Promise.resolve(withNeighbors(files, path));
    const index = await lunaDataset([...files.keys()], { open });
    if (!index) throw new FormatError("the folder has scans with masks, but not the index.json that prepare-luna wrote");
    return { index, read: async (item) => ({ id: item.id, ...(await readNoduleCase(item, open)) }) };
  },
};

/** A file that finds those of its folder, as a header finds its voxels. */
function withNeighbors(files: FileTree, path: string): ImageFile {
  const blob = fileOf(files, path);
  const folder = path.slice(0, path.lastIndexOf("/") + 1);
  const beside = async (name: string) => (files.has(folder + name) ? withNeighbors(files, folder + name) : undefined);
  return { name: path, blob, beside };
}

export const layouts: readonly Layout[] = [datasetJson, luna, chaos];
