/** @file What windows on the device may be asked for. */

import { expectWord } from "../../host/words.ts";
import { torchEdges } from "../../host/edges.ts";
import type { AbortSignal } from "../../host/platform.ts";
import type { Decision } from "../../kernels/window.ts";
import type { KeepScores } from "./kept_scores.ts";
import type { SlidingWindowOptions } from "./sliding_window.ts";

/** Options of `DeviceWindows`. */
export interface DeviceWindowsOptions extends Omit<
  SlidingWindowOptions,
  "onProgress" | "processFn" | "withCoord" | "bufferSteps" | "bufferDim"
> {
  /**
   * Starts of windows along each axis, in place of MONAI's: nnU-Net's `computeStepsForSlidingWindow`. It gets `imageSize`, padding included, and `roiSize`,
   * in voxels.
   */
  readonly scan?: ((imageSize: readonly number[], roiSize: readonly number[]) => number[][]) | undefined;
  /** Spatial axes along which images are mirrored too; the outputs of all combinations are averaged. Default none. */
  readonly mirrorAxes?: readonly number[] | undefined;
  /** Two spatial axes in whose plane images are also turned by 90, 180 and 270 degrees; windows must be as long along both. */
  readonly rot90Axes?: readonly [number, number] | undefined;
  /** What is averaged: the network's outputs (default), or probabilities. */
  readonly activation?: "softmax" | "sigmoid" | undefined;
  /** Arithmetic of the network: "f16" needs a device that has it. Default "f32". */
  readonly precision?: "f32" | "f16" | undefined;
  /** What sums, weights and means are rounded to after each addition: nnU-Net keeps them in f16. Default "f32". */
  readonly sums?: "f32" | "f16" | undefined;
  /** For 2-D networks on volumes: the axis along which windows are one voxel thick and that the network does not see. */
  readonly sliceAxis?: number | undefined;
  /** Bytes of device memory that all of it may take, the network included. Default 2 GiB. */
  readonly maxBytes?: number | undefined;
}

/** What a run of windows is to give. */
export interface WindowRun {
  /** How classes are decided; without it no codes are made. */
  readonly decision?: Decision | undefined;
  /** Give the weighted means back. Default false. */
  readonly scores?: boolean | undefined;
  /** Where scores are kept, in place of one array; then they come as `scoreMap`. */
  readonly keepScores?: KeepScores | undefined;
  /** Aborting stops between batches. */
  readonly signal?: AbortSignal | undefined;
  /** Called after each batch with windows `done` of `total`. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

export const defaultMaxBytes = 2 ** 31;

/** Throws `ConfigError` for options that are another word than windows know. */
export function expectWindowWords(op: string, options: Partial<DeviceWindowsOptions>): void {
  const { mode = "constant", paddingMode = "constant", activation = "softmax", precision = "f32", sums = "f32" } = options;
  expectWord(op, "mode", mode, ["constant", "gaussian"]);
  expectWord(op, "paddingMode", paddingMode, torchEdges);
  expectWord(op, "activation", activation, ["softmax", "sigmoid"]);
  expectWord(op, "precision", precision, ["f32", "f16"]);
  expectWord(op, "sums", sums, ["f32", "f16"]);
}
