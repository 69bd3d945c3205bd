/** @file Dice loss (Milletari et al. 2016) with MONAI's options and defaults, on the fused region sums. */

import { add, affine, div, mul } from "../autograd/pointwise.ts";
import { mean, sum } from "../autograd/reduce.ts";
import { regionSums } from "../autograd/region.ts";
import { reshape, slice } from "../autograd/view.ts";
import { ConfigError, ShapeError } from "../tensor/errors.ts";
import { showShape } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";

export interface DiceLossOptions {
  /** Count channel 0; default true. Ignored for one channel. */
  readonly includeBackground?: boolean;
  /** The target holds class indices on one channel; default false. Ignored for one channel. */
  readonly toOnehotY?: boolean;
  /** Default false; at most one activation. */
  readonly sigmoid?: boolean;
  /** Over the channels; default false. Ignored for one channel. */
  readonly softmax?: boolean;
  /** Applied to the input before anything else. */
  readonly otherAct?: (x: Tensor) => Tensor;
  /** Squares in the denominator; default false. */
  readonly squaredPred?: boolean;
  /** Intersection over union instead of Dice; default false. */
  readonly jaccard?: boolean;
  /** Default "mean"; "none" keeps `[N, C, 1, …]`. */
  readonly reduction?: "mean" | "sum" | "none";
  /** Added to the numerator; default 1e-5. */
  readonly smoothNr?: number;
  /** Added to the denominator; default 1e-5. */
  readonly smoothDr?: number;
  /** Sum over the batch before the ratio; default false. */
  readonly batch?: boolean;
  /** Factor of each counted class, or one for all. */
  readonly weight?: number | readonly number[];
  /** Targets between 0 and 1; default false. */
  readonly softLabel?: boolean;
}

/**
 * 1 − (2·overlap + smoothNr) / (prediction + target + smoothDr) per sample and channel, then reduced.
 * @param input `[N, C, spatial…]`
 * @param target the same shape, or `[N, 1, spatial…]` class indices with `toOnehotY`
 * @throws ShapeError, ConfigError
 */
export function diceLoss(input: Tensor, target: Tensor, options: DiceLossOptions = {}): Tensor {
  const {
    includeBackground = true,
    sigmoid = false,
    softmax = false,
    squaredPred = false,
    softLabel = false,
    otherAct,
  } = options;
  const { reduction = "mean", smoothNr = 1e-5, smoothDr = 1e-5 } = options;
  if ([sigmoid, softmax, otherAct].filter(Boolean).length > 1) {
    throw new ConfigError("diceLoss: give at most one of sigmoid, softmax and otherAct");
  }
  const single = input.shape[1] === 1;
  let sums = regionSums(otherAct ? otherAct(input) : input, target, {
    activation: sigmoid ? "sigmoid" : softmax && !single ? "softmax" : "none",
    // Squares alone need no L1 form: (|q|² + |t|² − |q − t|²) / 2 = q t.
    mode: squaredPred ? "squared" : softLabel ? "soft" : "plain",
    indexTarget: (options.toOnehotY ?? false) && !single,
  });
  if (!includeBackground && !single) sums = slice(sums, [undefined, undefined, [1]]);
  if (options.batch) sums = sum(sums, 1, { keepDims: true });
  const overlap = slice(sums, [[0, 1]]);
  let total = sum(slice(sums, [[1, 3]]), 0, { keepDims: true });
  if (options.jaccard) total = affine(add(total, affine(overlap, -1)), 2);
  let loss = affine(div(affine(overlap, 2, smoothNr), affine(total, 1, smoothDr)), -1, 1);
  if (options.weight !== undefined) loss = weighted(loss, options.weight);
  if (reduction === "mean") return mean(loss);
  if (reduction === "sum") return sum(loss);
  const [, samples, classes] = loss.shape;
  const ones = input.shape.slice(2).map(() => 1);
  return reshape(loss, options.batch ? [classes, ...ones] : [samples, classes, ...ones]);
}

function weighted(loss: Tensor, weight: number | readonly number[]): Tensor {
  const classes = loss.shape[2];
  if (classes === 1) return loss;
  const list = typeof weight === "number" ? new Array<number>(classes).fill(weight) : weight;
  if (list.length !== classes)
    throw new ShapeError(`diceLoss: weight ${showShape(list)} must have ${classes} entries, one per counted class`);
  if (list.some((w) => !(w >= 0))) throw new ConfigError(`diceLoss: weights must not be negative, got ${showShape(list)}`);
  return mul(loss, loss.device.tensor({ data: list, shape: [1, 1, classes] }));
}
