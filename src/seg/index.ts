/** @file Networks, training, inference and metrics for segmentation; all of it runs in Node and in a browser. */

export { decodeCheckpoint, encodeCheckpoint, type Progress } from "./checkpoint.ts";
export {
  computeImportanceMap,
  SliceInferer,
  type SliceInfererOptions,
  SlidingWindowInferer,
  slidingWindowInference,
  type SlidingWindowOptions,
  slidingWindowStarts,
} from "./inferer.ts";
export * from "./metrics.ts";
export * from "./pictures.ts";
export * from "./predictor.ts";
export * from "./progress.ts";
export * from "./segmenter.ts";
export * from "./trainer.ts";
export * from "./unet.ts";
