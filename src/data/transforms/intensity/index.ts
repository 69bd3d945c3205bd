/** @file Public transforms of intensity. */
export * from "./bias_field.ts";
export * from "./brightness.ts";
export { RandCoarseDropout, RandCoarseShuffle } from "./coarse.ts";
export type { CoarseOptions, Hole, RandCoarse, RandCoarseDropoutOptions } from "./coarse.ts";
export * from "./contrast.ts";
export * from "./envelope.ts";
export * from "./foreground_mask.ts";
export * from "./histogram.ts";
export * from "./hover_maps.ts";
export * from "./k_space.ts";
export {
  GaussianNoiseTransform,
  GaussianBlurTransform,
  MultiplicativeBrightnessTransform,
  ContrastTransform,
  GammaTransform,
} from "./nnunet.ts";
export type {
  ChannelOptions,
  ChannelTransform,
  GaussianNoiseTransformOptions,
  GaussianBlurTransformOptions,
  MultiplicativeBrightnessTransformOptions,
  ContrastTransformOptions,
  GammaTransformOptions,
} from "./nnunet.ts";
export * from "./noise.ts";
export * from "./normalize.ts";
export * from "./percentiles.ts";
export * from "./remap.ts";
export {
  RandScaleIntensity,
  RandScaleIntensityFixedMean,
  ScaleIntensity,
  ScaleIntensityFixedMean,
  ScaleIntensityRange,
} from "./scale.ts";
export type {
  OutputType,
  RandScaleIntensityFixedMeanOptions,
  RandScaleIntensityOptions,
  ScaleIntensityFixedMeanOptions,
  ScaleIntensityOptions,
  ScaleIntensityRangeOptions,
} from "./scale.ts";
export * from "./sharpen.ts";
export { RandSmoothFieldAdjustContrast, RandSmoothFieldAdjustIntensity } from "./smooth_field.ts";
export type { RandSmoothFieldAdjust, RandSmoothFieldOptions } from "./smooth_field.ts";
export * from "./shift.ts";
export { GaussianSmooth, MedianSmooth, RandGaussianSmooth, SavitzkyGolaySmooth } from "./smooth.ts";
export type { GaussianSmoothOptions, RandGaussianSmoothOptions, SavitzkyGolaySmoothOptions } from "./smooth.ts";
export { softClip, type SoftClipOptions } from "./soft_clip.ts";
export * from "./threshold.ts";
export * from "./histogram_standardization.ts";
export type { MaskingMethod } from "./measured.ts";
export * from "./torchio.ts";
export * from "./torchio_k_space.ts";
export * from "./ultrasound_confidence.ts";
export type { TypedMaybeTransform } from "./typed_maybe.ts";
export type { Bounds, IntensityRanges, Interval } from "./arithmetic.ts";
export type { GaussianApprox } from "../../../host/gaussian.ts";
export type { ThresholdName } from "../../../host/thresholds.ts";
