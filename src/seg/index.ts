/** @file Networks, training, inference and metrics for segmentation; all of it runs in Node and in a browser. */

export * from "./networks/attention_unet.ts";
export * from "./networks/basic_unet.ts";
export * from "./recipes/brainchop.ts";
export { decodeCheckpoint, encodeCheckpoint, type Progress } from "./training/checkpoint.ts";
export * from "./networks/dynunet.ts";
export * from "./networks/dynunet_blocks.ts";
export {
  computeImportanceMap,
  SliceInferer,
  type SliceInfererOptions,
  SlidingWindowInferer,
  slidingWindowInference,
  type SlidingWindowOptions,
  slidingWindowStarts,
} from "./inference/sliding_window.ts";
export * from "./networks/meshnet.ts";
export * from "./metrics/overlap.ts";
export * from "./networks/milesial_unet.ts";
export * from "./inference/monte_carlo.ts";
export * from "./networks/original_unet.ts";
export * from "./pictures/pictures.ts";
export * from "./networks/plain_conv_unet.ts";
export * from "./inference/predictor.ts";
export * from "./training/progress.ts";
export * from "./networks/quicknat.ts";
export * from "./inference/quicknat_views.ts";
export * from "./networks/residual_encoder_unet.ts";
export * from "./inference/segmenter.ts";
export * from "./networks/segresnet.ts";
export * from "./training/trainer.ts";
export * from "./networks/unet.ts";
export * from "./networks/vnet.ts";
