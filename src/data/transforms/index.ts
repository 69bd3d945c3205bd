/** @file Public transforms. */
export { AsyncTransform, isRandomizable } from "./transform.ts";
export type {
  ArraySource,
  Drawing,
  Item,
  ItemWide,
  KeyTransform,
  LabelSafe,
  MaybeTransform,
  Randomizable,
  RandomTransform,
  Transform,
  TransformState,
} from "./transform.ts";
export { type Choosing, OneOf, type OneOfOptions, RandomOrder, SomeOf, type SomeOfOptions } from "./choose.ts";
export { type ChainStep, Compose, type ComposeOptions } from "./compose.ts";
export type { PartwiseTransform } from "./partwise.ts";
export { invert } from "./moved.ts";
export type { InvertOptions } from "./moved.ts";
export { onKeys } from "./on_keys.ts";
export type { ItemKey, OnKeysOptions } from "./on_keys.ts";
export { CastToType } from "./shape/cast.ts";
export { EnsureType, type EnsureTypeOptions } from "./shape/ensure_type.ts";
export type { DTypeName } from "./shape/cast.ts";
export { CenterScaleCrop, CenterSpatialCrop, SpatialCrop } from "./crop/crop.ts";
export type { RoiSlice, SpatialCropOptions } from "./crop/crop.ts";
export { Flip, RandAxisFlip, RandFlip } from "./spatial/flip.ts";
export * from "./intensity/index.ts";
export { mapBinaryToIndices, mapClassesToIndices } from "./crop/label_indices.ts";
export { correctCropCenters, RandCropByLabelClasses, RandCropByPosNegLabel } from "./crop/label_crop.ts";
export type {
  LabelCrop,
  LabelCropOptions,
  RandCropByLabelClassesOptions,
  RandCropByPosNegLabelOptions,
} from "./crop/label_crop.ts";
export { BorderPad, DivisiblePad, Pad, ResizeWithPadOrCrop, SpatialPad } from "./pad/pad.ts";
export type { PadMethod } from "./pad/pad.ts";
export type { NumpyPadMode, PadFill, PadWidth, PerSide } from "./pad/pad_axes.ts";
export { Activations, AsDiscrete } from "./post/post.ts";
export { RandScaleCrop, RandSpatialCrop, RandSpatialCropSamples } from "./crop/random_crop.ts";
export type { RandScaleCropOptions, RandSpatialCropOptions } from "./crop/random_crop.ts";
export { SobelGradients } from "./post/sobel_gradients.ts";
export type { SobelGradientsOptions } from "./post/sobel_gradients.ts";
export { Resize } from "./spatial/resize.ts";
export type { ActivationsOptions, AsDiscreteOptions } from "./post/post.ts";
export { FillHoles, KeepLargestConnectedComponent, RemoveSmallObjects } from "./post/components.ts";
export type { FillHolesOptions, KeepLargestConnectedComponentOptions, RemoveSmallObjectsOptions } from "./post/components.ts";
export { MeanEnsemble, VoteEnsemble } from "./post/ensemble.ts";
export type { NestedNumbers, Predictions } from "./post/ensemble.ts";
export { dilate, erode } from "./post/erode.ts";
export { DistanceTransformEDT, getUniqueLabels, LabelFilter, LabelToContour } from "./post/labels.ts";
export type { LabelValues } from "./post/labels.ts";
export { type BoxMixer, CutMix, CutOut, type Mixer, type MixerOptions, MixUp } from "./regularization/mixer.ts";
export { ProbNMS } from "./post/prob_nms.ts";
export type { Peak, ProbNMSOptions } from "./post/prob_nms.ts";
export type { ResizeMode, ResizeOptions } from "./spatial/resize.ts";
export { RandRotate90, Rotate90 } from "./spatial/rotate90.ts";
export type { Plane } from "./spatial/rotate90.ts";
export { AsChannelLast, EnsureChannelFirst, SplitDim, SqueezeDim, Transpose } from "./shape/axes.ts";
export type { SpatialSize } from "../../host/strided.ts";
export {
  type AugmentationGeometry,
  augmentationMatrix,
  type AugmentationOptions,
  type Chance,
  DrawAugmentation,
} from "./augment/draw_augmentation.ts";
export { BoundingRect, computeDivisibleSpatialSize, CropForeground, generateSpatialBoundingBox } from "./crop/foreground.ts";
export type { BoundingBoxOptions, CropForegroundOptions } from "./crop/foreground.ts";
export { RandWeightedCrop, weightedPatchSamples } from "./crop/weighted_crop.ts";
export type { RandWeightedCropOptions } from "./crop/weighted_crop.ts";
export { RemoveRepeatedChannel, RepeatChannel } from "./shape/channels.ts";
export { Affine, RandAffine, Resample } from "./spatial/affine.ts";
export type { AffineOptions, RandAffineOptions, ResampleGridOptions } from "./spatial/affine.ts";
export type { AffineParams, AxisParams } from "./spatial/affine_matrix.ts";
export { Rand2DElastic, Rand3DElastic } from "./spatial/elastic.ts";
export type { Elastic, ElasticOptions } from "./spatial/elastic.ts";
export { GridDistortion, RandGridDistortion } from "./spatial/grid_distortion.ts";
export type { GridDistortionOptions, RandGridDistortionOptions } from "./spatial/grid_distortion.ts";
export { GridPatch, GridSplit, RandGridPatch } from "./spatial/grid_patch.ts";
export type { GridPatchOptions, RandGridPatchOptions } from "./spatial/grid_patch.ts";
export { AffineGrid, createControlGrid, createGrid, RandAffineGrid, RandDeformGrid } from "./spatial/grids.ts";
export type { AffineGridOptions, AffineRanges, RandRange } from "./spatial/grids.ts";
export { RandSimulateLowResolution } from "./spatial/low_resolution.ts";
export type { LowResolutionOptions } from "./spatial/low_resolution.ts";
export { Orientation } from "./spatial/orientation.ts";
export type { AxisLabels, OrientationOptions } from "./spatial/orientation.ts";
export type { PreciseResampleOptions, ResampleOptions } from "./spatial/resampled.ts";
export { RandRotate, Rotate } from "./spatial/rotate.ts";
export type { AngleRange, RandRotateOptions, RotateOptions } from "./spatial/rotate.ts";
export type { SampleMode, SamplePadding } from "./spatial/sample.ts";
export { ResampleToMatch, Spacing, SpatialResample } from "./spatial/spacing.ts";
export type { MatchOptions, SpacingOptions, SpatialResampleOptions } from "./spatial/spacing.ts";
export type { SplineMode } from "./spatial/spline.ts";
export { RandZoom, Zoom } from "./spatial/zoom.ts";
export type { RandZoomOptions, ZoomOptions } from "./spatial/zoom.ts";
export { chaosAugmentation, RandTranspose } from "./spatial/transpose.ts";
export { LoadImage, type LoadImageOptions } from "./io/load_image.ts";
export * from "./utility/index.ts";
export * from "./points/index.ts";
export { RandSmoothDeform, type RandSmoothDeformOptions } from "./spatial/smooth_deform.ts";
export type { SmoothFieldOptions } from "./spatial/smooth_field.ts";
