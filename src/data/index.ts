/** @file voxgrad/data: volumes, file formats, transforms, datasets and loaders; all of it also runs in a browser. */

export * from "./axis_codes.ts";
export * from "./folders/chaos.ts";
export * from "./folders/chaos_dataset.ts";
export type { FolderLayout, FolderOptions } from "./folders/folder_layout.ts";
export { joinCase } from "./folders/join_case.ts";
export { readDrawnCase } from "./folders/drawn.ts";
export * from "./datasets/collate.ts";
export {
  type Dataset,
  type DataSource,
  deterministic,
  type ItemTransform,
  type StreamPlan,
  type TransformList,
} from "./datasets/dataset.ts";
export * from "./datasets/cache_dataset.ts";
export * from "./datasets/map_dataset.ts";
export { decodeItem, encodeItem } from "./datasets/item_codec.ts";
export { itemHash } from "./datasets/item_key.ts";
export * from "./datasets/item_store.ts";
export { opfsItemStore } from "./datasets/opfs_item_store.ts";
export * from "./datasets/partition.ts";
export * from "./datasets/persistent_dataset.ts";
export * from "./datasets/samplers.ts";
export * from "./datasets/patch_dataset.ts";
export { iterPatchPosition, type PatchPositionOptions, validPatchSize } from "./datasets/patch_position.ts";
export { ShuffleBuffer, type ShuffleBufferOptions } from "./datasets/shuffle_buffer.ts";
export { kFold, type KFoldOptions, patientOf } from "./folders/k_fold.ts";
export * from "./folders/dataset_index.ts";
export { lunaDataset, type LunaDatasetOptions, type OpenFile, readNoduleCase, readNoduleLabel } from "./folders/luna.ts";
export { parseDataset } from "./folders/decathlon.ts";
export * from "./folders/splits.ts";
export * from "./datasets/grid_patch_dataset.ts";
export * from "./loading/loader.ts";
export { serveData } from "./loading/serve_data.ts";
export type { ImageFile } from "./formats/format.ts";
export { imageStem, isImageName } from "./formats/formats.ts";
export { type DicomCodec, setDicomCodec } from "./formats/dicom/codecs.ts";
export { readDicom } from "./formats/dicom/read_dicom.ts";
export type { Overlap as DicomOverlap } from "./formats/dicom/paint.ts";
export {
  type DicomStructure,
  listDicomStructures,
  readDicomStructures,
  type ReadStructuresOptions,
} from "./formats/dicom/structures.ts";
export type { WriteDicomLabelsOptions } from "./formats/dicom/label_source.ts";
export { writeDicomSegmentation } from "./formats/dicom/write_segmentation.ts";
export { writeDicomStructures } from "./formats/dicom/write_structures.ts";
export { type DicomSegmentation, readDicomSegmentation, type ReadSegmentationOptions } from "./formats/dicom/segmentation.ts";
export { listSeries, readSeries, type ReadSeriesOptions, type SeriesInfo } from "./formats/dicom/series.ts";
export { encodeNifti, readNifti, writeNifti } from "./formats/nifti/nifti.ts";
export type { WriteNiftiOptions } from "./formats/nifti/nifti.ts";
export type { FileDtype, NiftiDtype } from "./formats/nifti/voxels.ts";
export { readImage, writeImage } from "./formats/read_image.ts";
export type { ImageSource, ReadOptions } from "./formats/read_image.ts";
export type { ImageGrid, ReadImageOptions, WriteImageOptions, WrittenFile } from "./formats/format.ts";
export type { DatasetModule } from "./loading/unit_source.ts";
export * from "./label_weights.ts";
export type { LabelClass } from "./labels.ts";
export * from "./orientation.ts";
export {
  type Affine as AffineMatrix,
  identityAffine,
  makeVolume,
  spacingOf,
  type Step,
  type Undo,
  type SpaceUnit,
  type Volume,
  type VolumeMeta,
  withGeometryOf,
} from "./volume.ts";
export type { Matrix } from "../host/matrix.ts";
export type { MT19937State } from "../host/random/mt19937.ts";
export * from "./brain_structures.ts";
export * from "./quicknat_slices.ts";
export * from "../host/random/numpy.ts";
export * from "./synthetic.ts";
export * from "./transforms/index.ts";
export * from "./nodules/annotations.ts";
export type { CropKind, NoduleCropOptions } from "./nodules/crop_place.ts";
export { nodulesOfMask } from "./nodules/mask_nodules.ts";
export * from "./nodules/nodule_dataset.ts";
export * from "./nodules/prepare.ts";
export * from "./nnunet/crop.ts";
export * from "./nnunet/fingerprint.ts";
export * from "./nnunet/normalize.ts";
export * from "./nnunet/pad.ts";
export * from "./nnunet/patches.ts";
export * from "./nnunet/preprocess.ts";
export * from "./nnunet/resample.ts";
export * from "./nnunet/resample_by_plan.ts";
export * from "./nnunet/resample_torch.ts";
export * from "./nnunet/splits.ts";
export * from "./torchio/grid_sampler.ts";
export { type Location } from "./torchio/patch.ts";
export * from "./torchio/queue.ts";
export * from "./torchio/random_samplers.ts";
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
