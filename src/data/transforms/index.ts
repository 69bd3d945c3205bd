/** @file Public transforms. */
export { isRandomizable } from "./transform.ts";
export type { Item, Randomizable, Transform, TransformState } from "./transform.ts";
export { Compose, onKeys } from "./compose.ts";
export type { OnKeysOptions } from "./compose.ts";
export { CastToType } from "./cast.ts";
export type { DTypeName } from "./cast.ts";
export { CenterScaleCrop, CenterSpatialCrop, SpatialCrop } from "./crop.ts";
export type { RoiSlice, SpatialCropOptions } from "./crop.ts";
export { Flip, RandAxisFlip, RandFlip } from "./flip.ts";
export {
  AdjustContrast,
  NormalizeIntensity,
  ScaleIntensity,
  ScaleIntensityRange,
  ShiftIntensity,
  ThresholdIntensity,
} from "./intensity.ts";
export type {
  AdjustContrastOptions,
  NormalizeIntensityOptions,
  ScaleIntensityOptions,
  ScaleIntensityRangeOptions,
} from "./intensity.ts";
export {
  correctCropCenters,
  mapBinaryToIndices,
  mapClassesToIndices,
  RandCropByLabelClasses,
  RandCropByPosNegLabel,
} from "./labelCrop.ts";
export type { RandCropByLabelClassesOptions, RandCropByPosNegLabelOptions } from "./labelCrop.ts";
export { BorderPad, DivisiblePad, ResizeWithPadOrCrop, SpatialPad } from "./pad.ts";
export type { PadMethod } from "./pad.ts";
export type { PadFill, PadMode } from "./padAxes.ts";
export { Activations, AsDiscrete } from "./post.ts";
export type { AsDiscreteOptions } from "./post.ts";
export { RandSpatialCrop, RandSpatialCropSamples } from "./randomCrop.ts";
export type { RandSpatialCropOptions } from "./randomCrop.ts";
export { RandAdjustContrast, RandGaussianNoise, RandScaleIntensity, RandShiftIntensity } from "./randomIntensity.ts";
export { GaussianSmooth, Resize } from "./resize.ts";
export type { ResizeMode, ResizeOptions } from "./resize.ts";
export { RandRotate90, Rotate90 } from "./rotate90.ts";
export { AsChannelLast, EnsureChannelFirst, SplitDim, SqueezeDim, Transpose } from "./shape.ts";
export type { SpatialSize } from "./strided.ts";
export { ClipIntensityPercentiles, ScaleIntensityRangePercentiles } from "./percentiles.ts";
export type { ClipIntensityPercentilesOptions, ScaleIntensityRangePercentilesOptions } from "./percentiles.ts";
export { CropForeground, generateSpatialBoundingBox } from "./foreground.ts";
export type { BoundingBoxOptions } from "./foreground.ts";
