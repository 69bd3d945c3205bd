/** @file A dataset's folder as the data of a run: its index is read once, cases when they are wanted. */

import { existsSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join, resolve } from "node:path";
import type { DatasetIndex, Split } from "../../data/folders/dataset_index.ts";
import type { LabelClass } from "../../data/labels.ts";
import { loadCase, loadDataset, loadSplits } from "../../data/folders/decathlon.node.ts";
import { loadLuna, loadNoduleCase } from "../../data/folders/luna.node.ts";
import { kFold } from "../../data/folders/k_fold.ts";
import type { ReadCase } from "../recipes/prepared.ts";
import { casesOfFold, type RunData } from "./data.ts";

/** Reads cases from files, with their label values checked against `labels`. */
export const readFiles =
  (labels: readonly LabelClass[]): ReadCase =>
  async (source) => ({
    id: source.id,
    ...(await (source.layout?.name === "luna" ? loadNoduleCase(source) : loadCase(source, labels))),
  });

/** Data in a folder: a dataset in the layout of the Medical Segmentation Decathlon or nnU-Net. */
export class FolderData {
  readonly folder: string;
  readonly index: DatasetIndex;
  private readonly splits: readonly Split[] | undefined;

  private constructor(folder: string, index: DatasetIndex, splits: readonly Split[] | undefined) {
    this.folder = folder;
    this.index = index;
    this.splits = splits;
  }

  /** Reads `dataset.json` and, if there is one, `splits_final.json`. Throws `FormatError` naming file and field. */
  static async open(folder: string): Promise<FolderData> {
    const root = resolve(folder);
    const luna = existsSync(join(root, "dataset.json")) ? undefined : await loadLuna(root);
    const index = luna ?? (await loadDataset(root));
    const splits = existsSync(join(root, "splits_final.json")) ? await loadSplits(root) : index.splits;
    return new FolderData(root, index, splits);
  }

  /** Whether the folds are ours, for want of a `splits_final.json` and of folds in `dataset.json`. */
  get madeFolds(): boolean {
    return this.splits === undefined;
  }

  /** The cases of a fold, or all of them for training and validation. Throws `ConfigError` for a fold that there is not. */
  async fold(fold: number | "all"): Promise<RunData> {
    const splits = this.splits ?? (fold === "all" ? [] : kFold(this.index.training.map((c) => c.id)));
    return {
      index: this.index,
      ...casesOfFold(this.index, splits, fold),
      read: readFiles(this.index.labels),
      threads: availableParallelism(),
      inWorkers: (args) => ({ module: new URL("./worker.node.ts", import.meta.url), args }),
    };
  }
}
