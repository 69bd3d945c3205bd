/** @file The data of a run in a page: synthetic volumes, or the files of a folder in one of the layouts that people have. */

import { ConfigError, FormatError } from "voxgrad";
import {
  createTestImage3d,
  type DatasetIndex,
  type FolderOptions,
  makeVolume,
  patientOf,
  RandomState,
  type Split,
} from "voxgrad/data";
import { casesOfFold, foldsByPatient, type ReadCase, type RunData } from "voxgrad/seg";
import type { DataSource, PickedFile } from "../protocol.ts";
import { type FileTree, layouts } from "./layouts.ts";

/** Data that are open: what is in them, and how a fold is taken. */
export interface OpenData {
  readonly name: string;
  readonly index: DatasetIndex;
  readonly splits: readonly Split[];
  fold(fold: number | "all"): RunData;
}

/**
 * Opens data of either kind. Throws `FormatError`, `DataError` for a folder that is no dataset, `ConfigError` for what it does not have.
 * @param wanted of a folder, by layout, as a recipe says
 */
export async function openData(source: DataSource, wanted: FolderOptions = {}): Promise<OpenData> {
  const { name, index, read, splits } =
    source.kind === "synthetic" ? syntheticData(source.cases, source.seed) : await folderData(source.files, source.name, wanted);
  if (index.training.length === 0) throw new ConfigError(`${name} has no cases with labels to train on`);
  const folds = splits ?? index.splits ?? foldsOf(index);
  return {
    name,
    index,
    splits: folds,
    // One thread: the worker has the files and the device.
    fold: (fold) => ({ index, ...casesOfFold(index, folds, fold), read, threads: 1 }),
  };
}

interface Source {
  readonly name: string;
  readonly index: DatasetIndex;
  readonly read: ReadCase;
  readonly splits?: readonly Split[] | undefined;
}

/** One patient makes no folds: it can be trained on as "all". */
function foldsOf(index: DatasetIndex): readonly Split[] {
  const [first, ...others] = index.training.map(({ id, patient }) => patient ?? patientOf(id));
  return others.some((patient) => patient !== first) ? foldsByPatient(index) : [];
}

/** Balls of three brightnesses in noise, made anew from the seed whenever one is read. */
function syntheticData(count: number, seed: number): Source {
  const cases = Array.from({ length: count }, (_, i) => ({
    id: `balls${String(i + 1).padStart(2, "0")}`,
    image: [`${i}`],
    label: `${i}`,
  }));
  return {
    name: "synthetic",
    index: {
      name: "synthetic",
      modality: ["synthetic"],
      labels: ["background", "dim", "middle", "bright"].map((name, value) => ({ name, values: [value] })),
      fileEnding: ".nii.gz",
      training: cases,
      test: [],
    },
    splits: [
      {
        train: cases.slice(0, -Math.max(1, count >> 2)).map((c) => c.id),
        val: cases.slice(-Math.max(1, count >> 2)).map((c) => c.id),
      },
    ],
    async read({ id, image: [i] }) {
      const { image, label } = createTestImage3d(56, 60, 64, {
        numObjs: 10,
        numSegClasses: 3,
        radMin: 5,
        radMax: 14,
        noiseMax: 0.12,
        channelDim: 0,
        randomState: new RandomState([seed, Number(i)]),
      });
      return { id, image: makeVolume(image), label: makeVolume({ ...label, data: Uint8Array.from(label.data) }) };
    },
  };
}

async function folderData(files: readonly PickedFile[], name: string, wanted: FolderOptions): Promise<Source> {
  const tree = treeOf(files);
  for (const layout of layouts) {
    if (!layout.matches(tree)) continue;
    return { name, ...(await layout.open(tree, wanted[layout.name] ?? {})) };
  }
  throw new FormatError(`${name} is no dataset that is known: expected ${layouts.map((l) => l.has).join(", or ")}`);
}

/** The files by path in the folder that holds all of them. */
function treeOf(files: readonly PickedFile[]): FileTree {
  const seen = files.filter((f) => !f.path.split("/").some((p) => p.startsWith(".") || p === "__MACOSX"));
  const json = seen.find((f) => /(^|\/)dataset\.json$/.test(f.path))?.path;
  const cut = json === undefined ? 0 : json.length - "dataset.json".length;
  return new Map(seen.filter((f) => cut === 0 || f.path.startsWith(json!.slice(0, cut))).map((f) => [f.path.slice(cut), f.file]));
}
