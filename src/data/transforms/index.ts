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
export * from "./intensity/index.ts";
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
export type { AsDiscreteOptions } from "./post/post.ts";
export { SobelGradients } from "./post/sobel_gradients.ts";
export type { SobelGradientsOptions } from "./post/sobel_gradients.ts";
export { RandSpatialCrop, RandSpatialCropSamples } from "./crop/random_crop.ts";
export type { RandSpatialCropOptions } from "./crop/random_crop.ts";
export { Resize } from "./spatial/resize.ts";
export type { ResizeMode, ResizeOptions } from "./spatial/resize.ts";
export { RandRotate90, Rotate90 } from "./spatial/rotate90.ts";
export type { Plane } from "./spatial/rotate90.ts";
export { AsChannelLast, EnsureChannelFirst, SplitDim, SqueezeDim, Transpose } from "./shape/axes.ts";
export type { SpatialSize } from "../../host/strided.ts";
export * from "./utility/index.ts";
export { CropForeground, generateSpatialBoundingBox } from "./crop/foreground.ts";
export type { BoundingBoxOptions } from "./crop/foreground.ts";
