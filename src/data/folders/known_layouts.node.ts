/** @file The layouts of datasets on disk (Node), a row each. */

import { chaosLayout } from "./chaos.node.ts";
import type { DatasetIndex } from "./dataset_index.ts";
import { datasetJsonLayout } from "./decathlon.node.ts";
import type { FolderLayout, FolderOptions } from "./folder_layout.ts";
import { lunaLayout } from "./luna.node.ts";

export const layouts: readonly FolderLayout[] = [datasetJsonLayout, lunaLayout, chaosLayout];

/** The dataset in a folder, by its absolute path; undefined for a folder of no layout. Throws as `openDataset` for a damaged one. */
export async function datasetIn(root: string, options: FolderOptions = {}): Promise<DatasetIndex | undefined> {
  for (const layout of layouts) {
    const index = await layout.open(root, options[layout.name] ?? {});
    if (index) return index;
  }
  return undefined;
}
