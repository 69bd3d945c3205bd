/** @file voxgrad/data: volumes, file formats, transforms, datasets and loaders; all of it also runs in a browser. */

export * from "./folders/join_case.ts";
export * from "./datasets/collate.ts";
export * from "./datasets/dataset.ts";
export * from "./folders/decathlon.ts";
export { kFold, type KFoldOptions, patientOf } from "./folders/k_fold.ts";
export * from "./datasets/grid.ts";
export * from "./loading/loader.ts";
export { encodeNifti, readNifti, writeNifti } from "./formats/nifti/nifti.ts";
export type { WriteNiftiOptions } from "./formats/nifti/nifti.ts";
export type { FileDtype, NiftiDtype } from "./formats/nifti/voxels.ts";
export type { Recipe } from "./loading/units.ts";
export * from "./quicknat.ts";
export * from "./volume.ts";
export * from "../host/random/numpy.ts";
export * from "./replay.ts";
export * from "./synthetic.ts";
export * from "./transforms/index.ts";
