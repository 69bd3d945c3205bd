/** @file voxgrad/data: volumes, file formats, transforms, datasets and loaders; all of it also runs in a browser. */

export * from "./axis_codes.ts";
export { joinCase } from "./folders/join_case.ts";
export * from "./datasets/collate.ts";
export {
  CacheDataset,
  type CacheOptions,
  type Dataset,
  type DataSource,
  type ItemTransform,
  MapDataset,
  PatchDataset,
  type PatchOptions,
  ShuffleBuffer,
  type ShuffleBufferOptions,
  type StreamPlan,
  type TransformList,
} from "./datasets/dataset.ts";
export { kFold, type KFoldOptions, patientOf } from "./folders/k_fold.ts";
export * from "./folders/dataset_index.ts";
export { parseDataset } from "./folders/decathlon.ts";
export * from "./folders/splits.ts";
export * from "./datasets/grid.ts";
export * from "./loading/loader.ts";
export { encodeNifti, readNifti, writeNifti } from "./formats/nifti/nifti.ts";
export type { WriteNiftiOptions } from "./formats/nifti/nifti.ts";
export type { FileDtype, NiftiDtype } from "./formats/nifti/voxels.ts";
export type { DatasetModule } from "./loading/unit_source.ts";
export * from "./label_weights.ts";
export type { LabelClass } from "./labels.ts";
export * from "./orientation.ts";
export { type Affine, identityAffine, makeVolume, spacingOf, type Volume, type VolumeMeta, withGeometryOf } from "./volume.ts";
export type { MT19937State } from "../host/random/mt19937.ts";
export * from "./quicknat_slices.ts";
export * from "../host/random/numpy.ts";
export * from "./synthetic.ts";
export * from "./transforms/index.ts";
export { encodeMesh, type MeshFormat, type MeshSpace } from "../host/bytes/mesh_files.ts";
export { componentLabels, type ComponentOptions, type Components, connectedComponents } from "../host/grid/components.ts";
export { contourLines } from "../host/grid/contours.ts";
export { marchingCubes } from "../host/grid/marching_cubes.ts";
export { enclosedVolume, type Mesh, smoothMesh, type SmoothOptions, surfaceArea, transformMesh } from "../host/grid/mesh.ts";
export {
  binaryClosing,
  binaryDilation,
  binaryErosion,
  binaryOpening,
  binaryFillHoles,
  type MorphologyOptions,
} from "../host/grid/morphology.ts";
