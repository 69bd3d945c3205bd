/** @file voxgrad/data: volumes, file formats, transforms, datasets and loaders; all of it also runs in a browser. */

export * from "./case.ts";
export * from "./collate.ts";
export * from "./dataset.ts";
export * from "./decathlon.ts";
export * from "./grid.ts";
export * from "./loader.ts";
export { encodeNifti, readNifti, writeNifti } from "./nifti.ts";
export type { WriteNiftiOptions } from "./nifti.ts";
export type { FileDtype, NiftiDtype } from "./nifti-voxels.ts";
export type { Recipe } from "./units.ts";
export * from "./quicknat.ts";
export * from "./volume.ts";
export * from "./random.ts";
export * from "./replay.ts";
export * from "./synthetic.ts";
export * from "./transforms/index.ts";
