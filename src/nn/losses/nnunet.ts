/** @file nnU-Net's losses (Isensee et al. 2021) with its options and defaults; its Dice is negative, so sums with cross-entropy reach down to −1. */

import { refused } from "../../host/kinds.ts";
import { expectKind } from "../../tensor/kind.ts";
import { cast } from "../../autograd/cast.ts";
import { crossEntropyLoss, crossEntropyLossNames, type CrossEntropyLossOptions } from "../../autograd/cross_entropy.ts";
import { add, affine, clamp, div, gt, mul, ne, where } from "../../autograd/pointwise.ts";
import { mean, sum } from "../../autograd/reduce.ts";
import { regionSums } from "../../autograd/region.ts";
import { reshape, slice } from "../../autograd/view.ts";
import { noGrad } from "../../autograd/tape.ts";
import { topShare } from "../../kernels/top_share.ts";
import { ConfigError, ShapeError } from "../../host/errors.ts";
import { expectOptions } from "../../host/options.ts";
import { sameShape, showShape } from "../../host/shape.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { bceWithLogitsLoss, type BCEWithLogitsLossOptions } from "./elementwise.ts";
import { composed } from "./overlap.ts";

/** Options of `softDiceLoss`. */
export interface SoftDiceLossOptions {
  /** Applied to the input; default none. A function keeps the shape. */
  readonly applyNonlin?: "softmax" | "sigmoid" | ((x: Tensor) => Tensor);
  /** Sum over the batch before the ratio; default false. */
  readonly batchDice?: boolean;
  /** Count channel 0; default true. */
  readonly doBg?: boolean;
  /** Added to the numerator and the denominator; default 1. */
  readonly smooth?: number;
  /** Least overlap. */
  readonly clipTp?: number;
  /** `[N, 1, spatial…]`, factor of each position. */
  readonly mask?: Tensor | undefined;
  /** Positions with this class index count for nothing. */
  readonly ignoreIndex?: number | undefined;
}

// Class indices on a channel of their own.
function withChannel(op: string, input: Tensor, target: Tensor): Tensor {
  const one = input.shape.with(1, 1);
  if (sameShape(target.shape, one) || sameShape(target.shape, input.shape)) return target;
  if (sameShape(target.shape, one.toSpliced(1, 1))) return reshape(target, one);
  throw new ShapeError(
    `${op}: target ${showShape(target.shape)} does not fit the input ${showShape(input.shape)}; expected its shape or class indices ${showShape(one)}`,
  );
}

/**
 * Minus the mean Dice score (2·overlap + smooth) / (prediction + target + smooth): SoftDiceLoss and MemoryEfficientSoftDiceLoss of nnU-Net, which
 * differ in memory only. The smallest value is −1. No gradient flows to the target or the mask.
 * @param input `[N, C, spatial…]`
 * @param target f32 of the same shape, or class indices (f32, i32 or u32) `[N, 1, spatial…]` or `[N, spatial…]`
 * @throws ShapeError, DTypeError
 */
export function softDiceLoss(input: Tensor, target: Tensor, options: SoftDiceLossOptions = {}): Tensor {
  expectOptions(
    "softDiceLoss",
    options,
    "applyNonlin batchDice:boolean doBg:boolean smooth:number clipTp:number mask ignoreIndex:number",
  );
  expectKind("softDiceLoss", { input, target });
  const named = options.applyNonlin;
  if (named !== undefined && named !== "softmax" && named !== "sigmoid" && typeof named !== "function")
    refused("softDiceLoss", "options.applyNonlin", '"softmax", "sigmoid" or a function', named);
  const { applyNonlin, batchDice = false, doBg = true, smooth = 1, clipTp, mask, ignoreIndex } = options;
  if (input.rank < 2) throw new ShapeError(`softDiceLoss: input must be [N, C, spatial…], got ${showShape(input.shape)}`);
  return composed(input, () => {
    const wanted = withChannel("softDiceLoss", input, target);
    const indexTarget = !sameShape(wanted.shape, input.shape);
    const own = typeof applyNonlin === "function";
    let sums = regionSums(own ? applyNonlin(input) : input, indexTarget ? wanted : cast(wanted, "f32"), {
      activation: own ? "none" : (applyNonlin ?? "none"),
      indexTarget,
      op: "softDiceLoss",
      ignoreIndex,
      mask: mask && cast(mask, "f32"),
    });
    if (!doBg) {
      if (input.shape[1] === 1) throw new ShapeError("softDiceLoss: doBg false leaves nothing of one channel");
      sums = slice(sums, [undefined, undefined, [1]]);
    }
    if (batchDice) sums = sum(sums, 1, { keepDims: true });
    const [overlap, prediction, volume] = [0, 1, 2].map((k) => slice(sums, [[k, k + 1]]));
    const total = add(prediction, volume);
    let [numerator, denominator] = [overlap, total];
    if (clipTp !== undefined) {
      numerator = clamp(overlap, clipTp, largest);
      // 2·tp + fp + fn, of which the first is clipped.
      denominator = add(total, affine(add(numerator, affine(overlap, -1)), 2));
    }
    return affine(mean(div(affine(numerator, 2, smooth), clamp(affine(denominator, 1, smooth), 1e-8, largest))), -1);
  });
}

const largest = 3.4028234e38;

/** Cross-entropy that takes class indices of any type, also with a channel axis of size 1: `[N, 1, spatial…]`. Throws as `crossEntropyLoss`. */
export function robustCrossEntropyLoss(input: Tensor, target: Tensor, options: CrossEntropyLossOptions = {}): Tensor {
  expectOptions("robustCrossEntropyLoss", options, crossEntropyLossNames);
  expectKind("robustCrossEntropyLoss", { input, target });
  const squeezed = target.rank === input.rank && target.shape[1] === 1;
  const indices = squeezed ? reshape(target, target.shape.toSpliced(1, 1)) : target;
  if (indices.rank === input.rank) {
    throw new ShapeError(
      `robustCrossEntropyLoss: target ${showShape(target.shape)} must be class indices on one channel for the input ${showShape(input.shape)}`,
    );
  }
  return crossEntropyLoss(input, indices, options);
}

/** Options of `topKLoss`. */
export interface TopKLossOptions extends Omit<CrossEntropyLossOptions, "reduction"> {
  /** Percentage of the positions that count, those with the largest loss; default 10. */
  readonly k?: number;
}

/**
 * Mean cross-entropy of the worst k percent of all positions of the batch. Found on the device; of positions that are equal at the bound, each counts
 * in part.
 * @param input logits `[N, C, spatial…]`
 * @param target class indices `[N, 1, spatial…]` or `[N, spatial…]`
 * @throws ShapeError, also if k percent are less than one position; DTypeError, ConfigError
 */
export function topKLoss(input: Tensor, target: Tensor, options: TopKLossOptions = {}): Tensor {
  expectOptions("topKLoss", options, "k:number weight ignoreIndex labelSmoothing");
  expectKind("topKLoss", { input, target });
  const { k = 10, ...rest } = options;
  return composed(input, () => {
    const losses = robustCrossEntropyLoss(input, target, { ...rest, reduction: "none" });
    const count = Math.floor((losses.size * k) / 100);
    if (count < 1 || count > losses.size)
      throw new ShapeError(`topKLoss: ${k} percent of ${losses.size} positions are ${count}; give more positions or another k`);
    return affine(
      sum(
        mul(
          losses,
          noGrad(() => topShare(losses, count)),
        ),
      ),
      1 / count,
    );
  });
}

/** Options that `DCAndCELossOptions`, `DCAndBCELossOptions` share. */
export interface DCCompoundLossOptions {
  /** Options of the Dice loss. */
  readonly softDice?: Omit<SoftDiceLossOptions, "applyNonlin" | "mask" | "ignoreIndex">;
  /** Factor of the cross-entropy; default 1. A part of factor 0 is not computed. */
  readonly weightCe?: number;
  /** Factor of the Dice loss; default 1. */
  readonly weightDice?: number;
}

/** weightCe · cross-entropy + weightDice · Dice loss. Throws `ConfigError` if both weights are 0. */
function compound(
  op: string,
  input: Tensor,
  { weightCe = 1, weightDice = 1 }: DCCompoundLossOptions,
  partsOf: () => { readonly entropy: () => Tensor; readonly dice: () => Tensor },
): Tensor {
  if (weightCe === 0 && weightDice === 0) throw new ConfigError(`${op}: weightCe and weightDice are both 0`);
  return composed(input, () => {
    const { entropy, dice } = partsOf();
    const parts = [weightCe === 0 ? [] : affine(entropy(), weightCe), weightDice === 0 ? [] : affine(dice(), weightDice)];
    return parts.flat().reduce((a, b) => add(a, b));
  });
}

/** Options of `dcAndCELoss`. */
export interface DCAndCELossOptions extends DCCompoundLossOptions {
  /** Options of the cross-entropy. */
  readonly ce?: Omit<CrossEntropyLossOptions, "ignoreIndex">;
  /** Positions with this label count in neither part. */
  readonly ignoreLabel?: number;
}

/**
 * weightCe · cross-entropy + weightDice · `softDiceLoss` of the softmax: nnU-Net's loss for labels. In the range (−1, ∞) with weights 1.
 * @param input logits `[N, C, spatial…]`
 * @param target class indices `[N, 1, spatial…]` (f32, i32 or u32)
 * @throws ShapeError, DTypeError, ConfigError if both weights are 0
 */
export function dcAndCELoss(input: Tensor, target: Tensor, given: DCAndCELossOptions = {}): Tensor {
  expectOptions("dcAndCELoss", given, "ce:object ignoreLabel:number softDice:object weightCe:number weightDice:number");
  const { ce, ...options } = given;
  return labelLoss("dcAndCELoss", input, target, options, () =>
    robustCrossEntropyLoss(input, target, { ...ce, ignoreIndex: options.ignoreLabel }),
  );
}

/** Options of `dcAndTopKLoss`. */
export interface DCAndTopKLossOptions extends Omit<DCAndCELossOptions, "ce"> {
  /** Options of the cross-entropy. */
  readonly ce?: Omit<TopKLossOptions, "ignoreIndex">;
}

/** weightCe · `topKLoss` + weightDice · `softDiceLoss` of the softmax; shapes, arguments and errors as `dcAndCELoss`. */
export function dcAndTopKLoss(input: Tensor, target: Tensor, given: DCAndTopKLossOptions = {}): Tensor {
  expectOptions("dcAndTopKLoss", given, "ce:object ignoreLabel:number softDice:object weightCe:number weightDice:number");
  const { ce, ...options } = given;
  return labelLoss("dcAndTopKLoss", input, target, options, () =>
    topKLoss(input, target, { ...ce, ignoreIndex: options.ignoreLabel }),
  );
}

function labelLoss(
  op: string,
  input: Tensor,
  target: Tensor,
  options: Omit<DCAndCELossOptions, "ce">,
  entropyOf: () => Tensor,
): Tensor {
  expectKind(op, { input, target });
  const { ignoreLabel, softDice } = options;
  if (!sameShape(target.shape, input.shape.with(1, 1))) {
    throw new ShapeError(
      `${op}: target ${showShape(target.shape)} must be class indices ${showShape(input.shape.with(1, 1))} for the input ${showShape(input.shape)}`,
    );
  }
  return compound(op, input, options, () => {
    const mask = ignoreLabel === undefined ? undefined : ne(cast(target, "f32"), ignoreLabel);
    return {
      // A mean over no position is not a number.
      entropy: () => (mask ? where(gt(sum(mask), 0), entropyOf(), 0) : entropyOf()),
      dice: () => softDiceLoss(input, target, { ...softDice, applyNonlin: "softmax", ignoreIndex: ignoreLabel }),
    };
  });
}

/** Options of `dcAndBCELoss`. */
export interface DCAndBCELossOptions extends DCCompoundLossOptions {
  /** Options of the binary cross-entropy. */
  readonly bce?: Omit<BCEWithLogitsLossOptions, "reduction">;
  /** The target has one channel more, the last, that is 1 where nothing counts; default false. */
  readonly useIgnoreLabel?: boolean;
}

/**
 * weightCe · binary cross-entropy + weightDice · `softDiceLoss` of the sigmoid: nnU-Net's loss for regions that overlap. With ignored positions the
 * cross-entropy is divided by the number of the others only, not by the channels too, as in the original.
 * @param input logits `[N, C, spatial…]`
 * @param target f32 of the same shape, with `useIgnoreLabel` one channel more
 * @throws ShapeError, DTypeError, ConfigError if both weights are 0
 */
export function dcAndBCELoss(input: Tensor, target: Tensor, options: DCAndBCELossOptions = {}): Tensor {
  expectOptions("dcAndBCELoss", options, "bce:object useIgnoreLabel:boolean softDice:object weightCe:number weightDice:number");
  expectKind("dcAndBCELoss", { input, target });
  const { useIgnoreLabel = false, softDice, bce } = options;
  const channels = input.shape[1] + (useIgnoreLabel ? 1 : 0);
  if (!sameShape(target.shape, input.shape.with(1, channels))) {
    throw new ShapeError(
      `dcAndBCELoss: target ${showShape(target.shape)} must be ${showShape(input.shape.with(1, channels))} for the input ${showShape(input.shape)}`,
    );
  }
  return compound("dcAndBCELoss", input, options, () => {
    const all = cast(target, "f32");
    const regions = useIgnoreLabel ? slice(all, [undefined, [0, -1]]) : all;
    const mask = useIgnoreLabel ? ne(slice(all, [undefined, [-1]]), 1) : undefined;
    const each = () => bceWithLogitsLoss(input, regions, { ...bce, reduction: "none" });
    return {
      entropy: () =>
        mask ? div(sum(mul(each(), mask)), clamp(sum(mask), 1e-8, largest)) : bceWithLogitsLoss(input, regions, bce),
      dice: () => softDiceLoss(input, regions, { ...softDice, applyNonlin: "sigmoid", mask }),
    };
  });
}

/**
 * nnU-Net's weights of so many outputs, from fine to coarse, for `deepSupervisionLoss`: 1, ½, ¼ …, the last 0, divided by their sum. A single output
 * has weight 1. Throws `ConfigError`.
 */
export function deepSupervisionWeights(outputs: number): number[] {
  if (!(Number.isInteger(outputs) && outputs >= 1))
    throw new ConfigError(`deepSupervisionWeights: outputs must be a positive whole number, got ${outputs}`);
  if (outputs === 1) return [1];
  const weights = Array.from({ length: outputs }, (_, i) => (i === outputs - 1 ? 0 : 0.5 ** i));
  const total = weights.reduce((a, b) => a + b);
  return weights.map((w) => w / total);
}
