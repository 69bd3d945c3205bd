/** @file The Dice coefficient of milesial/Pytorch-UNet: per image or of a whole batch at once, for probabilities or masks. */

import { expectKind } from "../../tensor/kind.ts";
import { add, affine, div, eq, mul, where } from "../../autograd/pointwise.ts";
import { mean, sum } from "../../autograd/reduce.ts";
import { reshape } from "../../autograd/view.ts";
import { ShapeError } from "../../host/errors.ts";
import { expectOptions } from "../../host/options.ts";
import { sameShape, showShape } from "../../host/shape.ts";
import type { Tensor } from "../../tensor/tensor.ts";

/** Options of `diceCoefficient`, `multiclassDiceCoefficient`. */
export interface DiceCoefficientOptions {
  /** One ratio for the whole batch instead of the mean of one per image; default false. */
  readonly reduceBatchFirst?: boolean;
  /** Added to numerator and denominator; default 1e-6. */
  readonly epsilon?: number;
}

/**
 * Mean of (2·Σ input·target + epsilon) / (Σ input + Σ target + epsilon), 1 where both are empty.
 * @param input `[N, H, W]` probabilities; one image `[H, W]` unless `reduceBatchFirst`
 * @param target the same shape
 * @throws ShapeError
 */
export function diceCoefficient(input: Tensor, target: Tensor, options: DiceCoefficientOptions = {}): Tensor {
  expectOptions("diceCoefficient", options, "reduceBatchFirst:boolean epsilon:number");
  expectKind("diceCoefficient", { input, target });
  const { reduceBatchFirst = false, epsilon = 1e-6 } = options;
  if (!sameShape(input.shape, target.shape)) {
    throw new ShapeError(
      `diceCoefficient: target ${showShape(target.shape)} must have the shape of the input ${showShape(input.shape)}`,
    );
  }
  if (input.rank < 2 || (reduceBatchFirst && input.rank !== 3)) {
    throw new ShapeError(
      `diceCoefficient: expected [N, H, W]${reduceBatchFirst ? "" : " or [H, W]"}, got ${showShape(input.shape)}`,
    );
  }
  const axes = reduceBatchFirst ? [-1, -2, -3] : [-1, -2];
  const overlap = affine(sum(mul(input, target), axes), 2);
  const total = add(sum(input, axes), sum(target, axes));
  return mean(div(affine(overlap, 1, epsilon), affine(where(eq(total, 0), overlap, total), 1, epsilon)));
}

/** `diceCoefficient` of `[N, C, H, W]`, every class of every image as an image of its own: one number. Throws `ShapeError`. */
export function multiclassDiceCoefficient(input: Tensor, target: Tensor, options: DiceCoefficientOptions = {}): Tensor {
  expectKind("multiclassDiceCoefficient", { input, target });
  if (input.rank < 3 || !sameShape(input.shape, target.shape)) {
    throw new ShapeError(
      `multiclassDiceCoefficient: expected two tensors [N, C, H, W], got ${showShape(input.shape)} and ${showShape(target.shape)}`,
    );
  }
  const flat = (t: Tensor) => reshape(t, [t.shape[0] * t.shape[1], ...t.shape.slice(2)]);
  return diceCoefficient(flat(input), flat(target), options);
}

/**
 * 1 − the Dice coefficient of the whole batch, over all classes together with `multiclass`. Throws `ShapeError`. `input` and `target` are `[N, C, …]`, the
 * result is a scalar.
 */
export function batchDiceLoss(input: Tensor, target: Tensor, options: { readonly multiclass?: boolean } = {}): Tensor {
  expectOptions("batchDiceLoss", options, "multiclass:boolean");
  expectKind("batchDiceLoss", { input, target });
  const { multiclass = false } = options;
  const coefficient = multiclass ? multiclassDiceCoefficient : diceCoefficient;
  return affine(coefficient(input, target, { reduceBatchFirst: true }), -1, 1);
}
