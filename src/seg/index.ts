/** @file Networks, training, inference and metrics for segmentation; all of it runs in Node and in a browser. */

export * from "./attention_unet.ts";
export * from "./basic_unet.ts";
export * from "./brainchop.ts";
export { decodeCheckpoint, encodeCheckpoint, type Progress } from "./checkpoint.ts";
export * from "./dynunet.ts";
export * from "./dynunet_blocks.ts";
export {
  computeImportanceMap,
  SliceInferer,
  type SliceInfererOptions,
  SlidingWindowInferer,
  slidingWindowInference,
  type SlidingWindowOptions,
  slidingWindowStarts,
} from "./inferer.ts";
export * from "./meshnet.ts";
export * from "./metrics.ts";
export * from "./milesial_unet.ts";
export * from "./monte_carlo.ts";
export * from "./original_unet.ts";
export * from "./pictures.ts";
export * from "./plain_conv_unet.ts";
export * from "./predictor.ts";
export * from "./progress.ts";
export * from "./quicknat.ts";
export * from "./quicknat_views.ts";
export * from "./residual_encoder_unet.ts";
export * from "./segmenter.ts";
export * from "./segresnet.ts";
export * from "./trainer.ts";
export * from "./unet.ts";
export * from "./vnet.ts";
