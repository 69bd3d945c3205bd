/** @file Public transforms. */
export { isRandomizable } from "./transform.ts";
export type {
  Item,
  ItemWide,
  LabelSafe,
  MaybeTransform,
  Randomizable,
  RandomTransform,
  Transform,
  TransformState,
} from "./transform.ts";
export { Compose, onKeys } from "./compose.ts";
export type { OnKeysOptions } from "./compose.ts";
export { CastToType } from "./shape/cast.ts";
export type { DTypeName } from "./shape/cast.ts";
export { CenterScaleCrop, CenterSpatialCrop, SpatialCrop } from "./crop/crop.ts";
export type { RoiSlice, SpatialCropOptions } from "./crop/crop.ts";
export { Flip, RandAxisFlip, RandFlip } from "./spatial/flip.ts";
export {
  AdjustContrast,
  NormalizeIntensity,
  ScaleIntensity,
  ScaleIntensityRange,
  ShiftIntensity,
  ThresholdIntensity,
} from "./intensity/intensity.ts";
export type {
  AdjustContrastOptions,
  NormalizeIntensityOptions,
  OutputType,
  ScaleIntensityOptions,
  ScaleIntensityRangeOptions,
} from "./intensity/intensity.ts";
export {
  correctCropCenters,
  mapBinaryToIndices,
  mapClassesToIndices,
  RandCropByLabelClasses,
  RandCropByPosNegLabel,
} from "./crop/label_crop.ts";
export type {
  LabelCrop,
  LabelCropOptions,
  RandCropByLabelClassesOptions,
  RandCropByPosNegLabelOptions,
} from "./crop/label_crop.ts";
export { BorderPad, DivisiblePad, ResizeWithPadOrCrop, SpatialPad } from "./pad/pad.ts";
export type { PadMethod } from "./pad/pad.ts";
export type { PadFill, NumpyPadMode } from "./pad/pad_axes.ts";
export { Activations, AsDiscrete } from "./post/post.ts";
export type { ActivationsOptions, AsDiscreteOptions } from "./post/post.ts";
export { FillHoles, KeepLargestConnectedComponent, RemoveSmallObjects } from "./post/components.ts";
export type { FillHolesOptions, KeepLargestConnectedComponentOptions, RemoveSmallObjectsOptions } from "./post/components.ts";
export { MeanEnsemble, VoteEnsemble } from "./post/ensemble.ts";
export type { NestedNumbers, Predictions } from "./post/ensemble.ts";
export { dilate, erode } from "./post/erode.ts";
export { DistanceTransformEDT, getUniqueLabels, LabelFilter, LabelToContour } from "./post/labels.ts";
export type { LabelValues } from "./post/labels.ts";
export { ProbNMS } from "./post/prob_nms.ts";
export type { Peak, ProbNMSOptions } from "./post/prob_nms.ts";
export { SobelGradients } from "./post/sobel_gradients.ts";
export type { SobelGradientsOptions } from "./post/sobel_gradients.ts";
export { RandSpatialCrop, RandSpatialCropSamples } from "./crop/random_crop.ts";
export type { RandSpatialCropOptions } from "./crop/random_crop.ts";
export { RandAdjustContrast, RandGaussianNoise, RandScaleIntensity, RandShiftIntensity } from "./intensity/random_intensity.ts";
export type { IntensityRanges } from "./intensity/arithmetic.ts";
export type { Bounds, PerChannel } from "./intensity/random_intensity.ts";
export { GaussianSmooth, Resize } from "./spatial/resize.ts";
export type { ResizeMode, ResizeOptions } from "./spatial/resize.ts";
export { RandRotate90, Rotate90 } from "./spatial/rotate90.ts";
export type { Plane } from "./spatial/rotate90.ts";
export { AsChannelLast, EnsureChannelFirst, SplitDim, SqueezeDim, Transpose } from "./shape/axes.ts";
export type { SpatialSize } from "../../host/strided.ts";
export { ClipIntensityPercentiles, ScaleIntensityRangePercentiles } from "./intensity/percentiles.ts";
export type { ClipIntensityPercentilesOptions, ScaleIntensityRangePercentilesOptions } from "./intensity/percentiles.ts";
export { CropForeground, generateSpatialBoundingBox } from "./crop/foreground.ts";
export type { BoundingBoxOptions } from "./crop/foreground.ts";
