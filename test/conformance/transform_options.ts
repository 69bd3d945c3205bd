/** @file Option names of MONAI's transforms and helpers that voxgrad has, by the last part of the operation's name. */

const fill = "mode value constant_values";
const pad = `spatial_size method ${fill}`;
const box = "select_fn channel_indices margin allow_smaller";
const labelCrop = "spatial_size num_samples image_threshold allow_smaller";
const randomCrop = "roi_size max_roi_size random_center random_size";
const testImage = "size num_objs rad_max rad_min noise_max num_seg_classes channel_dim random_state_seed";

const names: Readonly<Record<string, string>> = {
  create_test_image_2d: testImage,
  create_test_image_3d: testImage,
  generate_spatial_bounding_box: box,
  AdjustContrast: "gamma invert_image retain_stats",
  AsChannelLast: "channel_dim",
  BorderPad: `spatial_border ${fill}`,
  CastToType: "dtype",
  CenterScaleCrop: "roi_scale",
  CenterSpatialCrop: "roi_size",
  ClipIntensityPercentiles: "lower upper sharpness_factor channel_wise dtype",
  CropForeground: `${box} k_divisible ${fill}`,
  DivisiblePad: `k method ${fill}`,
  EnsureChannelFirst: "channel_dim strict_check",
  Flip: "spatial_axis",
  GaussianSmooth: "sigma approx",
  NormalizeIntensity: "subtrahend divisor nonzero channel_wise dtype",
  Resize: "spatial_size size_mode mode align_corners anti_aliasing anti_aliasing_sigma dtype",
  ResizeWithPadOrCrop: pad,
  Rotate90: "k spatial_axes",
  ScaleIntensity: "minv maxv factor channel_wise dtype",
  ScaleIntensityRange: "a_min a_max b_min b_max clip dtype",
  ScaleIntensityRangePercentiles: "lower upper b_min b_max clip relative channel_wise dtype",
  ShiftIntensity: "offset",
  SpatialCrop: "roi_center roi_size roi_start roi_end roi_slices",
  SpatialPad: pad,
  SplitDim: "dim keepdim",
  SqueezeDim: "dim",
  ThresholdIntensity: "threshold above cval",
  Transpose: "indices",
  RandAdjustContrast: "prob gamma invert_image retain_stats",
  RandAxisFlip: "prob",
  RandFlip: "prob spatial_axis",
  RandGaussianNoise: "prob mean std sample_std",
  RandRotate90: "prob max_k spatial_axes",
  RandScaleIntensity: "prob factors channel_wise",
  RandShiftIntensity: "prob offsets channel_wise",
  RandSpatialCrop: randomCrop,
  RandSpatialCropSamples: `${randomCrop} num_samples`,
  RandCropByLabelClasses: `${labelCrop} ratios num_classes`,
  RandCropByPosNegLabel: `${labelCrop} pos neg`,
};

/** The option names of an operation. */
export const optionNames = (op: string): string[] => (names[op.split(".").at(-1)!] ?? "").split(" ");
