/** @file What only Node has of voxgrad/data: files by path. Importing it in a browser bundle fails at build time. */

export { writeFileAtomic } from "../host/files.node.ts";
export * from "./datasets/folder_item_store.node.ts";
export { loadChaos, loadChaosCase } from "./folders/chaos.node.ts";
export { loadCase, loadDataset, loadSplits } from "./folders/decathlon.node.ts";
export * from "./folders/layouts.node.ts";
export { loadLuna, loadNoduleCase, loadNoduleLabel, lunaCacheFile } from "./folders/luna.node.ts";
export * from "./formats/dicom/series.node.ts";
export * from "./formats/nifti/nifti.node.ts";
export * from "./formats/images.node.ts";
export * from "./transforms/io/image_files.node.ts";
export { openNodules, prepareLuna, type PrepareLunaOptions } from "./nodules/luna.node.ts";
