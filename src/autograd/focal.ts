/** @file Focal loss of logits with its gradient. */

import { cast } from "../kernels/cast.ts";
import * as kernels from "../kernels/focal.ts";
import { ConfigError, ShapeError } from "../host/errors.ts";
import { expectOptions } from "../host/options.ts";
import { expectKind } from "../tensor/kind.ts";
import { scope } from "../tensor/scope.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { float32 } from "./precision.ts";
import type { Reduction } from "./cross_entropy.ts";
import { div, ne } from "./pointwise.ts";
import { mean } from "./reduce.ts";
import { noGrad, record } from "./tape.ts";

/** Options of `focalLoss`. */
export interface FocalLossOptions {
  /** Count channel 0, also in the softmax; default true. Ignored for one channel. */
  readonly includeBackground?: boolean;
  /** The target holds class indices on one channel; default false. Ignored for one channel. */
  readonly toOnehotY?: boolean;
  /** Positions with this class index count for nothing, also in a mean; with `toOnehotY`. */
  readonly ignoreIndex?: number | undefined;
  /** Exponent that tells how much sure positions count for less; default 2. */
  readonly gamma?: number;
  /**
   * Balance of positives and negatives, in [0, 1]: with sigmoid, factor alpha where the target is 1 and 1 − alpha where it is 0; with softmax 1 − alpha
   * for channel 0 and alpha for the others, ignored without the background.
   */
  readonly alpha?: number;
  /** Factor of each channel that counts, or one for all. Ignored for one channel. */
  readonly weight?: number | readonly number[];
  /** Default "mean", over all elements; "sum" is over samples and channels, of means over the positions; "none" keeps `[N, C, …]`. */
  readonly reduction?: Reduction;
  /** Softmax over the channels instead of sigmoid; default false. */
  readonly useSoftmax?: boolean;
}

/** Factors of classes: a number stands for all of them. Throws `ShapeError`, `ConfigError`. */
export function classWeights(op: string, weight: number | readonly number[], classes: number): number[] {
  const list = typeof weight === "number" ? new Array<number>(classes).fill(weight) : [...weight];
  if (list.length !== classes) {
    throw new ShapeError(`${op}: weight [${list.join(", ")}] must have ${classes} entries, one per counted class`);
  }
  if (list.some((w) => !(w >= 0))) throw new ConfigError(`${op}: weights must not be negative, got [${list.join(", ")}]`);
  return list;
}

// Class weights, and with softmax alpha too: neither depends on more than the channel.
function channelFactors(options: FocalLossOptions, classes: number): number[] | undefined {
  const { includeBackground = true, alpha, useSoftmax } = options;
  const weights = options.weight === undefined || classes === 1 ? undefined : classWeights("focalLoss", options.weight, classes);
  if (!useSoftmax || alpha === undefined || !includeBackground) return weights;
  return Array.from({ length: classes }, (_, c) => (weights?.[c] ?? 1) * (c === 0 ? 1 - alpha : alpha));
}

/**
 * Focal loss (Lin et al. 2017) of logits with MONAI's options and defaults: −(1 − p)^gamma · log p, where p is the probability of what the target says,
 * each channel for itself (sigmoid) or, with softmax, t_c · −(1 − p_c)^gamma · log p_c. Neither probabilities nor one-hot targets are stored; finite
 * at logits of any size. No gradient flows to the target.
 * @param input logits `[N, C, spatial…]`
 * @param target of the same shape, or `[N, 1, spatial…]` class indices (f32, i32 or u32) with `toOnehotY`
 * @throws ShapeError, DTypeError, ConfigError; for a class index outside of the classes the next read-back throws `DataError`
 */
export function focalLoss(input: Tensor, target: Tensor, options: FocalLossOptions = {}): Tensor {
  expectOptions(
    "focalLoss",
    options,
    "includeBackground:boolean toOnehotY:boolean ignoreIndex:number gamma:number alpha:number weight:spread reduction useSoftmax:boolean",
  );
  expectKind("focalLoss", { input, target });
  const { includeBackground = true, gamma = 2, alpha, reduction = "mean", useSoftmax = false, ignoreIndex } = options;
  input = float32(input);
  const single = input.shape[1] === 1;
  const first = includeBackground || single ? 0 : 1;
  const indexTarget = (options.toOnehotY ?? false) && !single;
  const g = kernels.focalShape(input.shape, target.shape, indexTarget, first);
  const settings = { softmax: useSoftmax, gamma, alpha: useSoftmax ? undefined : alpha, reduction, ignoreIndex };
  const factors = channelFactors(options, g.channels - first);
  const weight = factors && input.device.tensor({ data: factors, shape: [factors.length] });
  const wanted = indexTarget || target.dtype === "f32" ? target : cast(target, "f32");
  const loss = kernels.focalLoss(input, wanted, weight, g, settings);
  record("focalLoss", [input], loss, (dy) => [kernels.focalLossGradient(input, wanted, weight, dy, g, settings)]);
  // Without a note nobody else frees them.
  if (loss.origin === undefined) {
    weight?.dispose();
    if (wanted !== target) wanted.dispose();
  }
  return indexTarget && ignoreIndex !== undefined && reduction === "mean" ? ofCounted(loss, target, ignoreIndex) : loss;
}

// A mean over all positions as one over those that count.
function ofCounted(loss: Tensor, target: Tensor, ignoreIndex: number): Tensor {
  const share = noGrad(() => scope(() => mean(ne(cast(target, "f32"), ignoreIndex))));
  const scaled = div(loss, share);
  if (scaled.origin === undefined) for (const t of [loss, share]) t.dispose();
  return scaled;
}
