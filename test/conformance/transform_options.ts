/** @file Option names of MONAI's transforms and helpers that voxgrad has, by the last part of the operation's name. */

const testImage = "size num_objs rad_max rad_min noise_max num_seg_classes channel_dim random_state_seed";

const names: Readonly<Record<string, string>> = {
  create_test_image_2d: testImage,
  create_test_image_3d: testImage,
  Activations: "sigmoid softmax other",
  AdjustContrast: "gamma invert_image retain_stats",
  AsDiscrete: "argmax to_onehot threshold rounding",
  ClipIntensityPercentiles: "lower upper sharpness_factor channel_wise dtype",
  GaussianSmooth: "sigma approx",
  NormalizeIntensity: "subtrahend divisor nonzero channel_wise dtype",
  ScaleIntensity: "minv maxv factor channel_wise dtype",
  ScaleIntensityRange: "a_min a_max b_min b_max clip dtype",
  ScaleIntensityRangePercentiles: "lower upper b_min b_max clip relative channel_wise dtype",
  ShiftIntensity: "offset",
  ThresholdIntensity: "threshold above cval",
  RandAdjustContrast: "prob gamma invert_image retain_stats",
  RandGaussianNoise: "prob mean std sample_std",
  RandScaleIntensity: "prob factors channel_wise",
  RandShiftIntensity: "prob offsets channel_wise",
};

/** The option names of an operation. */
export const optionNames = (op: string): string[] => (names[op.split(".").at(-1)!] ?? "").split(" ");
