/**
 * @file The losses of `nn-common-modules` that QuickNAT is trained with (Roy et al. 2019). Class targets are index maps `[N, …]`. Where the
 * original is at fault, the default is corrected and `compat: "quicknat"` gives the original's numbers.
 */

import { expectArguments } from "../../host/kinds.ts";
import { expectKind } from "../../tensor/kind.ts";
import { crossEntropyLoss } from "../../autograd/cross_entropy.ts";
import { cast } from "../../autograd/cast.ts";
import { gather } from "../../autograd/indexing.ts";
import { add, affine, clamp, div, exp, mul, pow, sigmoid } from "../../autograd/pointwise.ts";
import { mean, sum } from "../../autograd/reduce.ts";
import { regionSums } from "../../autograd/region.ts";
import { softmax } from "../../autograd/softmax.ts";
import { noGrad } from "../../autograd/tape.ts";
import { reshape, slice } from "../../autograd/view.ts";
import { ConfigError, ShapeError } from "../../host/errors.ts";
import { expectOptions } from "../../host/options.ts";
import { sameShape, showShape } from "../../host/shape.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { wantsCompat } from "./overlap.ts";

/** Added to the denominators. */
const EPS = 1e-4;

/** The index map `[N, …]` as f32 `[N, 1, …]`, checked against logits `[N, C, …]`. */
function indexMap(op: string, input: Tensor, target: Tensor): Tensor {
  const expected = input.shape.toSpliced(1, 1);
  if (input.rank < 2 || !sameShape(target.shape, expected)) {
    throw new ShapeError(
      `${op}: the target must be class indices ${showShape(expected)} for an input ${showShape(input.shape)}, got ${showShape(target.shape)}`,
    );
  }
  return reshape(cast(target, "f32"), input.shape.with(1, 1));
}

/** `[C]` factors as a tensor that broadcasts over `[…, C]`, or undefined. */
function classFactors(op: string, input: Tensor, weights: readonly number[] | undefined): Tensor | undefined {
  if (weights === undefined) return undefined;
  expectArguments(op, "numbers", { weights });
  if (weights.length !== input.shape[1]) {
    throw new ShapeError(`${op}: weights ${showShape(weights)} must have ${input.shape[1]} entries, one per class`);
  }
  return input.device.tensor({ data: weights, shape: [weights.length] });
}

/** Options of `quickNatDiceLoss`. */
export interface QuickNatDiceLossOptions {
  /** Factor of each class. */
  readonly weights?: readonly number[];
  /** The input is one channel for the foreground, the target its mask; default false. */
  readonly binary?: boolean;
  /** The original's numbers: softmax applied twice; binary: softmax over the one channel, which is 1 everywhere. */
  readonly compat?: "quicknat";
}

/**
 * 1 − 2·overlap / (prediction + target + 1e-4) per sample and class, averaged. In place of a second softmax and of a count of classes that are
 * present, which after a softmax is that of all classes, this takes the softmax once and the mean over all classes.
 * @param input logits `[N, C, …]`
 * @param target class indices `[N, …]`
 * @throws ShapeError
 */
export function quickNatDiceLoss(input: Tensor, target: Tensor, options: QuickNatDiceLossOptions = {}): Tensor {
  expectOptions("quickNatDiceLoss", options, "weights binary:boolean compat");
  expectKind("quickNatDiceLoss", { input, target });
  const op = "quickNatDiceLoss";
  const { binary = false, weights } = options;
  const compat = wantsCompat(op, options.compat, "quicknat");
  if (binary) return binaryDice(op, input, target, compat);
  const index = indexMap(op, input, target);
  const sums = regionSums(compat ? softmax(input) : input, index, { activation: "softmax", indexTarget: true, op });
  const loss = ratioLoss(slice(sums, [[0, 1]]), sum(slice(sums, [[1, 3]]), 0, { keepDims: true }));
  const factors = classFactors(op, input, weights);
  return mean(factors ? mul(loss, factors) : loss);
}

/** 1 − 2·overlap / (total + 1e-4) */
const ratioLoss = (overlap: Tensor, total: Tensor): Tensor => affine(div(affine(overlap, 2), affine(total, 1, EPS)), -1, 1);

function binaryDice(op: string, input: Tensor, target: Tensor, compat: boolean): Tensor {
  const mask = cast(target, "f32");
  if (!compat) {
    const foreground = mask.rank === input.rank ? mask : indexMap(op, input, target);
    if (input.shape[1] !== 1 || !sameShape(foreground.shape, input.shape)) {
      throw new ShapeError(
        `${op}: a binary input must be [N, 1, …] with a target of the same sizes, got ${showShape(input.shape)} and ${showShape(target.shape)}`,
      );
    }
    const p = sigmoid(input);
    return reshape(ratioLoss(sum(mul(p, foreground)), sum(add(p, foreground))), []);
  }
  // A target without channel axis is broadcast against the samples, every one with every other.
  const p = softmax(input);
  const overlap = mul(p, mask);
  const axes = overlap.shape.map((_, i) => i).filter((i) => i !== 1);
  return affine(sum(ratioLoss(sum(overlap, axes), sum(add(p, mask), axes))), 1 / input.shape[1]);
}

/** Options of `quickNatIoULoss`. */
export interface QuickNatIoULossOptions {
  /** Factor of each class. */
  readonly weights?: readonly number[];
  /** Positions with this class count for nothing. */
  readonly ignoreIndex?: number;
}

/**
 * 1 − overlap / (union + 1e-4) per class, over the batch, averaged over the classes.
 * @param input logits `[N, C, …]`
 * @param target class indices `[N, …]`
 * @throws ShapeError
 */
export function quickNatIoULoss(input: Tensor, target: Tensor, options: QuickNatIoULossOptions = {}): Tensor {
  expectOptions("quickNatIoULoss", options, "weights ignoreIndex:number");
  expectKind("quickNatIoULoss", { input, target });
  const op = "quickNatIoULoss";
  const { ignoreIndex, weights } = options;
  const index = indexMap(op, input, target);
  const sums = sum(regionSums(softmax(input), index, { indexTarget: true, ignoreIndex, op }), 1);
  const overlap = slice(sums, [[0, 1]]);
  const union = add(sum(slice(sums, [[1, 3]]), 0, { keepDims: true }), affine(overlap, -1));
  const loss = affine(div(overlap, affine(union, 1, EPS)), -1, 1);
  const factors = classFactors(op, input, weights);
  return mean(factors ? mul(loss, factors) : loss);
}

/** Options of `quickNatFocalLoss`. */
export interface QuickNatFocalLossOptions {
  /** Default 2. */
  readonly gamma?: number;
  /** Factor of each class; one number α for two classes means [α, 1 − α], class 0 first (MONAI gives α to class 1). */
  readonly alpha?: number | readonly number[];
  /** Mean instead of sum over all positions; default true. */
  readonly sizeAverage?: boolean;
  /** The original's gradient, which takes the factor (1 − p)^γ for a constant; the loss is the same. */
  readonly compat?: "quicknat";
}

/**
 * Focal loss (Lin et al. 2017) of softmax probabilities: −α_t · (1 − p_t)^γ · log p_t.
 * @param input logits `[N, C, …]`
 * @param target class indices `[N, …]`
 * @throws ShapeError, ConfigError for an alpha that does not fit the classes
 */
export function quickNatFocalLoss(input: Tensor, target: Tensor, options: QuickNatFocalLossOptions = {}): Tensor {
  expectOptions("quickNatFocalLoss", options, "gamma:number alpha:spread sizeAverage:boolean compat");
  expectKind("quickNatFocalLoss", { input, target });
  const op = "quickNatFocalLoss";
  const { gamma = 2, alpha, sizeAverage = true } = options;
  const compat = wantsCompat(op, options.compat, "quicknat");
  const index = indexMap(op, input, target);
  const ce = crossEntropyLoss(input, target, { reduction: "none" });
  // Where p rounds to 1, a power below 1 would have no slope.
  const factor = () => pow(clamp(affine(exp(affine(ce, -1)), -1, 1), 1e-7, 1), gamma);
  let loss = mul(ce, gamma === 0 ? 1 : compat ? noGrad(factor) : factor());
  if (alpha !== undefined) {
    const list = typeof alpha === "number" ? [alpha, 1 - alpha] : alpha;
    if (list.length !== input.shape[1]) {
      throw new ConfigError(`${op}: alpha ${showShape(list)} stands for ${list.length} classes, the input has ${input.shape[1]}`);
    }
    const table = input.device.tensor({ data: list, shape: [list.length] });
    loss = mul(loss, reshape(gather(table, 0, cast(reshape(index, [index.size]), "i32")), loss.shape));
  }
  return sizeAverage ? mean(loss) : sum(loss);
}

/** Options of `quickNatCombinedLoss`. */
export interface QuickNatCombinedLossOptions {
  /** `[N, …]`: factor of the cross-entropy of each position, as from `medianFrequencyWeights`. */
  readonly weight?: Tensor;
  /** The original's numbers: its Dice applies softmax twice. */
  readonly compat?: "quicknat";
}

/**
 * QuickNAT's loss: the mean of the weighted logistic loss plus `quickNatDiceLoss`.
 * @param input logits `[N, C, …]`
 * @param target class indices `[N, …]`
 * @throws ShapeError
 */
export function quickNatCombinedLoss(input: Tensor, target: Tensor, options: QuickNatCombinedLossOptions = {}): Tensor {
  expectOptions("quickNatCombinedLoss", options, "weight compat");
  if (options.weight !== undefined) expectKind("quickNatCombinedLoss", { "options.weight": options.weight });
  expectKind("quickNatCombinedLoss", { input, target });
  const { weight, compat } = options;
  const dice = quickNatDiceLoss(input, target, { compat });
  if (!weight) return add(mean(crossEntropyLoss(input, target, { reduction: "none" })), dice);
  if (!sameShape(weight.shape, target.shape)) {
    throw new ShapeError(
      `quickNatCombinedLoss: weight ${showShape(weight.shape)} must have the shape of the target ${showShape(target.shape)}`,
    );
  }
  return add(mean(mul(crossEntropyLoss(input, target, { reduction: "none" }), weight)), dice);
}
