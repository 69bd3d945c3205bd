/** @file What only Node has of voxgrad/seg: runs and data in folders. Importing it in a browser bundle fails at build time. */

export { FolderData, readFiles } from "./run/folder_data.node.ts";
export { folderStore } from "./run/folder_store.node.ts";
export { casesOfPaths, expectFreeOutputs } from "./run/inputs.node.ts";
export { loadRecipe, recipeByName } from "./run/load_recipe.ts";
export { scoresOnDisk } from "./run/scores_on_disk.node.ts";
export { syntheticOptions, writeSynthetic } from "./run/synthetic.node.ts";
export { type ReadWeightsFileOptions, readWeightsFile } from "./run/weight_files.node.ts";
export { openNnunetFolder } from "./nnunet/model_folder.node.ts";
export { modelFiles } from "./models/model_files.node.ts";
