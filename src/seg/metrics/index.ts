/** @file The metrics, as voxgrad/seg has them. */

export * from "./active_learning.ts";
export * from "./bootstrap.ts";
export * from "./calibration.ts";
export * from "./case_metrics.ts";
export * from "./chaos.ts";
export * from "./comparison.ts";
export {
  computeConfusionMatrixMetric,
  type Confusion,
  ConfusionMatrixMetric,
  type ConfusionMatrixMetricOptions,
  confusionMatrixMetrics,
  type ConfusionMatrixOptions,
  getConfusionMatrix,
} from "./confusion_matrix.ts";
export * from "./cumulative_average.ts";
export { type Batch, CumulativeMetric, type ReductionOptions } from "./cumulative.ts";
export * from "./detection.ts";
export * from "./f_beta_score.ts";
export * from "./froc.ts";
export * from "./generalized_dice.ts";
export {
  computeHausdorffDistance,
  HausdorffDistanceMetric,
  type HausdorffMetricOptions,
  hausdorffOf,
  type HausdorffOptions,
  type PercentileOptions,
} from "./hausdorff_distance.ts";
export * from "./label_dice.ts";
export * from "./lesions.ts";
export * from "./mean_dice.ts";
export * from "./mean_iou.ts";
export type { OverlapOptions } from "./overlap.ts";
export * from "./nnunet_metrics.ts";
export * from "./panoptic_quality.ts";
export * from "./quicknat_dice.ts";
export * from "./ranking.ts";
export { type Aggregate, type MetricReduction, reduceMetric } from "./reduction.ts";
export { ErrorMetric, MAEMetric, MSEMetric, PSNRMetric, type PSNROptions, RMSEMetric } from "./regression.ts";
export * from "./ssim.ts";
export * from "./surface_dice.ts";
export * from "./surface_distance.ts";
export {
  type BatchSurfaceOptions,
  type DistanceMetric,
  type Spacing,
  type SurfaceCall,
  type SurfaceDistances,
  type SurfacePairOptions,
  SurfacePair,
} from "./surfaces.ts";
