/** @file The dataset that a data worker builds: the training samples of a recipe, from files. */

import { folderItemStore } from "../../data/datasets/folder_item_store.node.ts";
import type { Dataset } from "../../data/datasets/dataset.ts";
import { PreparedCases, preparedStore } from "../recipes/prepared.ts";
import type { WorkerArgs } from "./data.ts";
import { contextOf } from "./files.ts";
import { readFiles } from "./folder_data.node.ts";
import { loadRecipe } from "./load_recipe.ts";

export default async function trainingSamples({
  recipe: module,
  cases,
  config,
  info,
  network,
  cacheBytes,
}: WorkerArgs): Promise<Dataset> {
  const recipe = await loadRecipe(module);
  const context = contextOf(recipe, config, info);
  const disk = preparedStore(recipe, context, config.prepared === "" ? undefined : folderItemStore(config.prepared));
  return recipe.samples(new PreparedCases(recipe, context, cases, readFiles(info.labels), cacheBytes, disk), context, network);
}
