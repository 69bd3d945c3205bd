/** @file Networks, training, inference and metrics for segmentation; all of it runs in Node and in a browser. */

export * from "./networks/attention_unet.ts";
export { BasicUNet, type BasicUNetOptions } from "./networks/basic_unet.ts";
export * from "./networks/basic_unet_plus_plus.ts";
export * from "./recipes/brainchop.ts";
export { type CheckpointParts, restoreCheckpoint, saveCheckpoint } from "./training/checkpoint.ts";
export * from "./metrics/label_dice.ts";
export * from "./pictures/mesh_picture.ts";
export { colorsOf, type Rgb } from "../data/class_colors.ts";
export * from "./post/determine.ts";
export * from "./post/ensemble.ts";
export * from "./post/keep_largest.ts";
export * from "./post/label_volumes.ts";
export { csvField } from "../host/csv.ts";
export * from "./post/output_coding.ts";
export { type PostStep, postprocess } from "./post/steps.ts";
export * from "./post/surface.ts";
export { decidePostprocessing, type Postprocessing, readPostSteps, writePostprocessing } from "./run/postprocessing.ts";
export { recipes } from "./recipes/by_name.ts";
export * from "./recipes/options.ts";
export { preparedImage, preparedLabel, type ReadCase } from "./recipes/prepared.ts";
export * from "./recipes/recipe.ts";
export { type RunOptions, runOptionTable } from "./recipes/run_options.ts";
export { default as quicknatRecipe } from "./recipes/quicknat/recipe.ts";
export * from "./recipes/quicknat/export_slices.ts";
export type { QuickNatRecipeOptions } from "./recipes/quicknat/options.ts";
export { default as chaos } from "./recipes/chaos/recipe.ts";
export type { ChaosOptions } from "./recipes/chaos/options.ts";
export { default as nnunetRecipe } from "./recipes/nnunet/recipe.ts";
export type { NnunetRecipeOptions } from "./recipes/nnunet/options.ts";
export { default as patches3d } from "./recipes/patches3d/recipe.ts";
export type { IntensityOptions } from "./recipes/intensities.ts";
export type { PatchOptions } from "./recipes/patches3d/options.ts";
export { default as slices2d } from "./recipes/slices2d/recipe.ts";
export type { SliceOptions } from "./recipes/slices2d/options.ts";
export { zipFiles, type ZipOptions } from "./run/archive.ts";
export {
  casesOfFold,
  configure,
  type ConfigureHooks,
  folderOptions,
  foldsByPatient,
  type NewRun,
  type RunData,
  type WorkerArgs,
} from "./run/data.ts";
export {
  contextOf,
  type EpochMetrics,
  type EpochTiming,
  readConfig,
  readEpochs,
  readRunInfo,
  type RunInfo,
  type WhichWeights,
} from "./run/files.ts";
export type { RunEvent } from "./run/event.ts";
export { fit, type FitOptions, type FitResult } from "./run/fit.ts";
export type { InitialWeights } from "./run/initial_weights.ts";
export { opfsStore } from "./run/opfs_store.ts";
export type { Pictured } from "./run/overlays.ts";
export { preview, type PreviewOptions } from "./run/preview.ts";
export { planTraining, type TrainingPlan } from "./run/plan_training.ts";
export type { ValidatedCase } from "./run/validation.ts";
export {
  evaluate,
  type Evaluation,
  evaluationLines,
  type CaseScore,
  type FailedCase,
  report,
  type ReportHooks,
  reportOnPredictions,
  type ReportOptions,
} from "./run/report.ts";
export { type Ensemble, type OpenedRun, openRun, segmentCases, type Segmented, type SegmentOptions } from "./run/segment.ts";
export { writePrediction, writeProbabilities } from "./run/write_predictions.ts";
export { memoryStore, type RunStore } from "./run/store.ts";
export * from "./run/uncertainty.ts";
export type { SampleScore, SampleScores } from "./run/files.ts";
export type { TrainingOptions } from "./run/training.ts";
export * from "./networks/dynunet.ts";
export * from "./networks/dynunet_blocks.ts";
export {
  type BlendMode,
  computeImportanceMap,
  slidingWindowInference,
  type SlidingWindowOptions,
  slidingWindowStarts,
  type ProcessFn,
  type WindowPredictor,
} from "./inference/sliding_window.ts";
export { augmentBatch, type AugmentBatchOptions } from "./training/augmentation.ts";
export * from "./inference/core_windows.ts";
export * from "./inference/device_windows.ts";
export * from "./inference/locality.ts";
export type { Decision } from "../kernels/window.ts";
export * from "./inference/inferers.ts";
export * from "./inference/merger.ts";
export * from "./inference/patch_inferer.ts";
export * from "./inference/splitter.ts";
export * from "./inference/nnunet_windows.ts";
export type { ArchitectureArguments, PlannedConfiguration } from "./nnunet/configuration.ts";
export * from "./nnunet/experiment.ts";
export * from "./nnunet/export_run.ts";
export * from "./nnunet/feature_map_size.ts";
export * from "./nnunet/find_best.ts";
export type { LabelManager } from "./nnunet/label_manager.ts";
export type { ReadModelFile } from "./nnunet/checkpoint_files.ts";
export * from "./nnunet/model_folder.ts";
export * from "./models/model.ts";
export { modelKindOf, openModel, segment } from "./models/open.ts";
export { nnunetNetwork } from "./nnunet/network.ts";
export * from "./nnunet/plan.ts";
export type { PlannerName } from "./nnunet/planners.ts";
export * from "./nnunet/topology.ts";
export * from "./networks/meshnet.ts";
export * from "./metrics/index.ts";
export * from "./networks/milesial_unet.ts";
export * from "./inference/monte_carlo.ts";
export * from "./inference/monte_carlo_inferer.ts";
export * from "./networks/original_unet.ts";
export * from "./pictures/pictures.ts";
export type { NnUNet, NnUNetOptions } from "./networks/nnunet_parts.ts";
export * from "./networks/plain_conv_unet.ts";
export * from "./inference/predictor.ts";
export {
  formatProgress,
  ProgressLine,
  type ProgressOptions,
  type ProgressState,
  type ProgressStream,
} from "./training/progress.ts";
export * from "./networks/quicknat.ts";
export * from "./inference/quicknat_views.ts";
export * from "./inference/views_segmenter.ts";
export * from "./networks/residual_encoder_unet.ts";
export * from "./inference/score_map.ts";
export * from "./inference/kept_scores.ts";
export * from "./inference/segmenter.ts";
export type { ImageOutputs, WindowCoord, WindowOutputs } from "./inference/window_outputs.ts";
export * from "./networks/segresnet.ts";
export type { BadLossPolicy } from "./training/bad_loss.ts";
export * from "./training/trainer.ts";
export * from "./networks/unet.ts";
export * from "./networks/vnet.ts";
export type { NoduleOptions } from "./recipes/nodules/options.ts";
export { default as nodules } from "./recipes/nodules/recipe.ts";
