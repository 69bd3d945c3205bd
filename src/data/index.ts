/** @file voxgrad/data: volumes, file formats, transforms, datasets and loaders; all of it also runs in a browser. */

export * from "./axis_codes.ts";
export * from "./folders/chaos.ts";
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
export type { ImageFile } from "./formats/format.ts";
export { type DicomCodec, setDicomCodec } from "./formats/dicom/codecs.ts";
export { readDicom } from "./formats/dicom/read_dicom.ts";
export { listSeries, readSeries, type ReadSeriesOptions, type SeriesInfo } from "./formats/dicom/series.ts";
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
