/** @file PyTorch's losses with its options and defaults. Dice-like losses are in `dice.ts`. */

import { expectKind } from "../../tensor/kind.ts";
import { combine } from "../../autograd/binary.ts";
import type { Reduction } from "../../autograd/cross_entropy.ts";
import { add, affine, mul, neg, softplus } from "../../autograd/pointwise.ts";
import { mean, sum } from "../../autograd/reduce.ts";
import { ConfigError, ShapeError } from "../../host/errors.ts";
import { expectOptions } from "../../host/options.ts";
import { broadcastShapes, sameShape, showShape } from "../../host/shape.ts";
import type { Tensor } from "../../tensor/tensor.ts";

export { focalLoss, type FocalLossOptions } from "../../autograd/focal.ts";
export { crossEntropyLoss, type CrossEntropyLossOptions } from "../../autograd/cross_entropy.ts";

/** Options of `mseLoss`, `l1Loss`, `smoothL1Loss` and others. */
export interface ElementLossOptions {
  /** Factor of each element; broadcast. */
  readonly weight?: Tensor;
  /** Default "mean", over all elements whatever the weight. */
  readonly reduction?: Reduction;
}

const elementLossNames = "weight reduction";

/** Notes a tensor on the way to the loss. */
type Temporary = (t: Tensor) => Tensor;

/** Loss per element, then weighted and reduced. */
function elementwise(
  op: string,
  input: Tensor,
  target: Tensor,
  { weight, reduction = "mean" }: ElementLossOptions,
  loss: (temporary: Temporary) => Tensor,
): Tensor {
  expectKind(op, weight === undefined ? { input, target } : { input, target, weight });
  // PyTorch broadcasts with a warning: a [N, 1] prediction against [N] labels would be compared N times N.
  if (!sameShape(input.shape, target.shape)) {
    throw new ShapeError(`${op}: target ${showShape(target.shape)} must have the shape of the input ${showShape(input.shape)}`);
  }
  if (weight && !sameShape(broadcastShapes(op, input.shape, weight.shape), input.shape)) {
    throw new ShapeError(`${op}: weight ${showShape(weight.shape)} does not broadcast to the input ${showShape(input.shape)}`);
  }
  const made: Tensor[] = [];
  const temporary: Temporary = (t) => {
    made.push(t);
    return t;
  };
  const reduce = { none: (t: Tensor) => t, mean: (t: Tensor) => mean(temporary(t)), sum: (t: Tensor) => sum(temporary(t)) }[
    reduction
  ];
  if (!reduce) throw new ConfigError(`${op}: reduction must be "none", "sum" or "mean", got ${JSON.stringify(reduction)}`);
  const each = loss(temporary);
  const result = reduce(weight ? mul(temporary(each), weight) : each);
  // Without a note nobody needs them any more.
  if (result.origin === undefined) for (const t of made) t.dispose();
  return result;
}

/** (input − target)² of tensors of one shape. Throws `ShapeError`, `ConfigError`. */
export function mseLoss(input: Tensor, target: Tensor, options: ElementLossOptions = {}): Tensor {
  expectOptions("mseLoss", options, elementLossNames);
  return elementwise("mseLoss", input, target, options, () => combine("mse", input, target));
}

/** |input − target| of tensors of one shape; the gradient is 0 where they are equal. Throws `ShapeError`, `ConfigError`. */
export function l1Loss(input: Tensor, target: Tensor, options: ElementLossOptions = {}): Tensor {
  expectOptions("l1Loss", options, elementLossNames);
  return elementwise("l1Loss", input, target, options, () => combine("l1", input, target));
}

/** With d = |input − target|: d² / (2 beta) below beta (default 1), d − beta / 2 above. Throws `ShapeError`, `ConfigError`. Any shape, the same for both. */
export function smoothL1Loss(
  input: Tensor,
  target: Tensor,
  options: ElementLossOptions & { readonly beta?: number } = {},
): Tensor {
  expectOptions("smoothL1Loss", options, "weight reduction beta:number");
  const { beta = 1 } = options;
  if (!(beta >= 0)) throw new ConfigError(`smoothL1Loss: beta must not be negative, got ${beta}`);
  return elementwise("smoothL1Loss", input, target, options, () => combine("smoothL1", input, target, beta));
}

/**
 * With d = |input − target|: d² / 2 up to delta (default 1), delta · (d − delta / 2) above. Throws `ShapeError`, `ConfigError`. Any shape, the same for
 * both.
 */
export function huberLoss(input: Tensor, target: Tensor, options: ElementLossOptions & { readonly delta?: number } = {}): Tensor {
  expectOptions("huberLoss", options, "weight reduction delta:number");
  const { delta = 1 } = options;
  if (!(delta > 0)) throw new ConfigError(`huberLoss: delta must be positive, got ${delta}`);
  return elementwise("huberLoss", input, target, options, () => combine("huber", input, target, delta));
}

/** Options of `bceWithLogitsLoss`. */
export interface BCEWithLogitsLossOptions extends ElementLossOptions {
  /** Factor of the positives: a number, or a tensor that is broadcast, `[C, 1, 1]` for one per channel of `[N, C, H, W]`. */
  readonly posWeight?: number | Tensor;
}

/**
 * Binary cross-entropy of logits, stable at any size: −posWeight · t · log σ(x) − (1 − t) · log(1 − σ(x)).
 * @param target probabilities of the shape of the input; they get gradients too if they ask for them
 * @throws ShapeError, ConfigError
 */
export function bceWithLogitsLoss(input: Tensor, target: Tensor, options: BCEWithLogitsLossOptions = {}): Tensor {
  expectOptions("bceWithLogitsLoss", options, "posWeight weight reduction");
  const { posWeight = 1 } = options;
  return elementwise("bceWithLogitsLoss", input, target, options, (temporary) => {
    if (typeof posWeight === "number") return combine("bceWithLogits", input, target, posWeight);
    const positive = mul(temporary(mul(target, posWeight)), temporary(softplus(temporary(neg(input)))));
    const negative = mul(temporary(affine(target, -1, 1)), temporary(softplus(input)));
    return add(temporary(positive), temporary(negative));
  });
}
