/** @file A dataset's folder as the data of a run: its index is read once, cases when they are wanted. */

import { expectItems } from "../../host/kinds.ts";
import { existsSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join, resolve } from "node:path";
import { folderItemStore } from "../../data/datasets/folder_item_store.node.ts";
import type { DatasetIndex, Split } from "../../data/folders/dataset_index.ts";
import type { LabelClass } from "../../data/labels.ts";
import { loadSplits } from "../../data/folders/decathlon.node.ts";
import type { FolderOptions } from "../../data/folders/folder_layout.ts";
import { openDataset, readCase } from "../../data/folders/layouts.node.ts";
import type { ReadCase } from "../recipes/prepared.ts";
import type { Recipe } from "../recipes/recipe.ts";
import { casesOfFold, folderOptions, foldsByPatient, type RunData } from "./data.ts";

/** Reads cases from files, with their label values checked against `labels`. */
export function readFiles(labels: readonly LabelClass[]): ReadCase {
  expectItems("readFiles", "labels", labels, { name: "text", values: "numbers" });
  return async (source) => ({ id: source.id, ...(await readCase(source, labels)) });
}

/** Data in a folder: a dataset of any layout, see `openDataset`. */
export class FolderData {
  /** Where the dataset is. */
  readonly folder: string;
  /** Its cases, channels and classes. */
  readonly index: DatasetIndex;
  private readonly splits: readonly Split[] | undefined;

  private constructor(folder: string, index: DatasetIndex, splits: readonly Split[] | undefined) {
    this.folder = folder;
    this.index = index;
    this.splits = splits;
  }

  /**
   * Reads the index of a dataset and, if there is one, `splits_final.json`.
   * @param options what is wanted of it, by layout: a recipe's `folder` says
   * @throws FormatError naming file and field; ConfigError for what the folder does not have
   */
  static async open(folder: string, options: FolderOptions = {}): Promise<FolderData> {
    const root = resolve(folder);
    const index = await openDataset(root, options);
    const splits = existsSync(join(root, "splits_final.json")) ? await loadSplits(root) : index.splits;
    return new FolderData(root, index, splits);
  }

  /** Opens what a recipe wants of a folder, as the options of a run say, or those that are given for one. */
  static openFor(folder: string, recipe: Recipe, given: object): Promise<FolderData> {
    return FolderData.open(folder, folderOptions(recipe, given));
  }

  /** Whether the folds are ours, for want of a `splits_final.json` and of folds in `dataset.json`. */
  get madeFolds(): boolean {
    return this.splits === undefined;
  }

  /** The cases of a fold, or all of them for training and validation. Throws `ConfigError` for a fold that there is not. */
  async fold(fold: number | "all"): Promise<RunData> {
    const splits = this.splits ?? (fold === "all" ? [] : foldsByPatient(this.index));
    return {
      index: this.index,
      ...casesOfFold(this.index, splits, fold),
      read: readFiles(this.index.labels),
      prepared: folderItemStore,
      threads: availableParallelism(),
      inWorkers: (args) => ({ module: new URL("./worker.node.ts", import.meta.url), args }),
    };
  }
}
