/** @file The layouts of datasets that a page reads, a row each: which files say so, the index, and how a case is read. */

import { FormatError } from "voxgrad";
import {
  type ChaosCase,
  chaosDataset,
  type ChaosReading,
  type DatasetIndex,
  joinCase,
  listChaos,
  parseDataset,
  parseSplits,
  readChaosCase,
  readImage,
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
  /** What such a folder has, for messages. */
  readonly has: string;
  matches(files: FileTree): boolean;
  open(files: FileTree): Promise<Opened>;
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

/** Medical Segmentation Decathlon and nnU-Net. */
const datasetJson: Layout = {
  has: "a dataset.json (Decathlon, nnU-Net)",
  matches: (files) => files.has("dataset.json"),
  async open(files) {
    const names = [...files.keys()];
    const index = parseDataset(await jsonOf(files, "dataset.json"), {
      has: (path) => files.has(path.replace(/^\.\//, "")),
      list: (folder) => names.filter((n) => n.startsWith(`${folder}/`)).map((n) => n.slice(folder.length + 1)),
    });
    const splits = files.has("splits_final.json") ? parseSplits(await jsonOf(files, "splits_final.json")) : undefined;
    const image = (path: string): Promise<Volume> => readImage(fileOf(files, path), { name: path });
    const read: ReadCase = async ({ id, image: paths, label }) => ({
      id,
      ...joinCase(id, await Promise.all(paths.map(image)), label === undefined ? undefined : await image(label), index.labels),
    });
    return { index, read, splits };
  },
};

const chaosPlace = /(^|\/)(MR|CT)\/\d+\/.*\.dcm$/i;

/** CHAOS: DICOM slices and label pictures; its first sequence. */
const chaos: Layout = {
  has: "MR/<patient>/… or CT/<patient>/… as in CHAOS",
  matches: (files) => [...files.keys()].some((path) => chaosPlace.test(path)),
  async open(files) {
    const cases = new Map<string, ChaosCase>();
    const listed = listChaos([...files.keys()]);
    for (const item of listed) cases.set(item.id, item);
    const index = chaosDataset(listed);
    const open = async (path: string) => ({ name: path, blob: fileOf(files, path) });
    const read: ReadCase = async ({ id, layout }) => ({
      id,
      ...(await readChaosCase(cases.get(id)!, { open, classes: (layout as ChaosReading).classes })),
    });
    return { index, read };
  },
};

export const layouts: readonly Layout[] = [datasetJson, chaos];
