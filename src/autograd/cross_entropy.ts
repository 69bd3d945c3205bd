/** @file Cross-entropy of logits with its gradient. */

import * as kernels from "../kernels/cross_entropy.ts";
import { expectKind } from "../tensor/kind.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { float32 } from "./precision.ts";
import { record } from "./tape.ts";
import { expectOptions } from "../host/options.ts";

export type { Reduction } from "../kernels/cross_entropy.ts";

/** Options of `crossEntropyLoss`, `robustCrossEntropyLoss`. */
export interface CrossEntropyLossOptions {
  /** `[C]`: factor of each class. */
  readonly weight?: Tensor;
  /** Positions with this class index, which no class need have, count for nothing; default −100. Not for probabilities. */
  readonly ignoreIndex?: number;
  /** Share of the target that is spread over all classes, in [0, 1]; default 0. */
  readonly labelSmoothing?: number;
  /** Default "mean": divided by the sum of the targets' class weights, or by the number of positions for probabilities. */
  readonly reduction?: kernels.Reduction;
}

/** The names of these options. @internal */
export const crossEntropyLossNames = "weight ignoreIndex:number labelSmoothing:number reduction";

/**
 * Cross-entropy between softmax(input) over the channels and the target, PyTorch's cross_entropy: −Σ_c weight_c · t_c · logSoftmax(input)_c per
 * position. Neither the softmax nor one-hot targets are stored. No gradient flows to the target or the weight.
 * @param input logits `[N, C, spatial…]`
 * @param target class indices `[N, spatial…]` (i32, u32 or whole f32), or probabilities of the shape of the input
 * @returns one number, or `[N, spatial…]` for the reduction "none"
 * @throws ShapeError, DTypeError, ConfigError; for a class index outside of the classes the next read-back throws `DataError`
 */
export function crossEntropyLoss(input: Tensor, target: Tensor, options: CrossEntropyLossOptions = {}): Tensor {
  expectOptions("crossEntropyLoss", options, crossEntropyLossNames);
  if (options.weight !== undefined) expectKind("crossEntropyLoss", { "options.weight": options.weight });
  expectKind("crossEntropyLoss", { input, target });
  const { weight, ignoreIndex = -100, labelSmoothing = 0, reduction = "mean" } = options;
  const settings = { ignoreIndex, labelSmoothing, reduction };
  input = float32(input);
  const g = kernels.crossEntropyShape(input.shape, target.shape, weight?.shape);
  const { loss, total } = kernels.crossEntropy(input, target, weight, g, settings);
  record("crossEntropy", [input], loss, (dy) => [kernels.crossEntropyGradient(input, target, weight, dy, total, g, settings)]);
  // Without a note nobody else frees it.
  if (loss.origin === undefined) total?.dispose();
  return loss;
}
