/** @file MONAI's sums of two losses, and the loss over several resolutions. */

import { expectWord } from "../../host/words.ts";
import { expectArguments } from "../../host/kinds.ts";
import { expectKind, expectTensorList } from "../../tensor/kind.ts";
import { cast } from "../../autograd/cast.ts";
import { crossEntropyLoss } from "../../autograd/cross_entropy.ts";
import { focalLoss } from "../../autograd/focal.ts";
import { interpolate } from "../../autograd/interpolate.ts";
import { add, affine } from "../../autograd/pointwise.ts";
import { reshape } from "../../autograd/view.ts";
import { ConfigError, ShapeError } from "../../host/errors.ts";
import { expectOptions } from "../../host/options.ts";
import { sameShape, showShape } from "../../host/shape.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { diceLoss, type DiceLossOptions, generalizedDiceLoss, type GeneralizedDiceLossOptions } from "./dice.ts";
import { bceWithLogitsLoss } from "./elementwise.ts";
import { composed, expectReduction, overlapLossNames } from "./overlap.ts";

function expectPair(op: string, input: Tensor, target: Tensor): void {
  expectKind(op, { input, target });
  const fits = input.rank >= 2 && target.rank === input.rank && [1, input.shape[1]].includes(target.shape[1]);
  if (fits) return;
  throw new ShapeError(
    `${op}: target ${showShape(target.shape)} must have the axes of the input ${showShape(input.shape)} and as many channels, or one`,
  );
}

function expectFactors(op: string, factors: Readonly<Record<string, number>>): void {
  for (const [name, value] of Object.entries(factors)) {
    if (!(value >= 0)) throw new ConfigError(`${op}: ${name} must not be negative, got ${value}`);
  }
}

/** Options of `diceCELoss`. */
export interface DiceCELossOptions extends Omit<DiceLossOptions, "weight" | "softLabel" | "reduction"> {
  /** Default "mean". */
  readonly reduction?: "mean" | "sum";
  /** Factor of each class in both losses, the background's too; for one channel the factor of the positives. */
  readonly weight?: readonly number[];
  /** Factor of the Dice loss; default 1. */
  readonly lambdaDice?: number;
  /** Factor of the cross-entropy; default 1. */
  readonly lambdaCe?: number;
  /** Share of the target that is spread over all classes in the cross-entropy, in [0, 1]; default 0. */
  readonly labelSmoothing?: number;
}

/**
 * lambdaDice · Dice loss + lambdaCe · cross-entropy of the logits, over all channels whatever `includeBackground` says; binary cross-entropy for one.
 * @param input logits `[N, C, spatial…]`
 * @param target probabilities of the same shape, or `[N, 1, spatial…]` class indices with `toOnehotY`
 * @throws ShapeError, ConfigError
 */
export function diceCELoss(input: Tensor, target: Tensor, options: DiceCELossOptions = {}): Tensor {
  expectOptions(
    "diceCELoss",
    options,
    `weight:numbers lambdaDice:number lambdaCe:number labelSmoothing:number squaredPred:boolean jaccard:boolean voxelWeight ${overlapLossNames}`,
  );
  const { lambdaDice = 1, lambdaCe = 1, labelSmoothing, weight, reduction = "mean", ...rest } = options;
  expectReduction("diceCELoss", reduction, ["mean", "sum"]);
  expectFactors("diceCELoss", { lambdaDice, lambdaCe });
  expectPair("diceCELoss", input, target);
  return composed(input, () => {
    const factors = weight && input.device.tensor({ data: weight, shape: [weight.length] });
    const diceWeight = options.includeBackground === false ? weight?.slice(1) : weight;
    const dice = diceLoss(input, target, { ...rest, reduction, weight: diceWeight });
    const entropy =
      input.shape[1] === 1
        ? bceWithLogitsLoss(input, cast(target, "f32"), { posWeight: factors, reduction })
        : crossEntropyLoss(input, classTarget(input, target), {
            weight: factors,
            labelSmoothing,
            reduction,
            ignoreIndex: rest.ignoreIndex,
          });
    return add(affine(dice, lambdaDice), affine(entropy, lambdaCe));
  });
}

/** Class indices without their channel axis, or probabilities. */
const classTarget = (input: Tensor, target: Tensor): Tensor =>
  target.shape[1] === 1 ? reshape(target, input.shape.toSpliced(1, 1)) : cast(target, "f32");

/** Options of `diceFocalLoss`. */
export interface DiceFocalLossOptions extends Omit<DiceLossOptions, "softLabel"> {
  /** Exponent of the focal loss; default 2. */
  readonly gamma?: number;
  /** Balance of the focal loss. */
  readonly alpha?: number;
  /** Factor of the Dice loss; default 1. */
  readonly lambdaDice?: number;
  /** Factor of the focal loss; default 1. */
  readonly lambdaFocal?: number;
}

/**
 * lambdaDice · Dice loss + lambdaFocal · focal loss (always with sigmoid, as MONAI's), with the same class weights and reduction.
 * @param input logits `[N, C, spatial…]`
 * @param target as for `diceLoss`
 * @returns one number, or `[N, C, spatial…]` for the reduction "none"
 * @throws ShapeError, ConfigError
 */
export function diceFocalLoss(input: Tensor, target: Tensor, options: DiceFocalLossOptions = {}): Tensor {
  expectOptions(
    "diceFocalLoss",
    options,
    `gamma:number alpha:number lambdaDice:number lambdaFocal:number weight:spread squaredPred:boolean jaccard:boolean voxelWeight ${overlapLossNames}`,
  );
  const { gamma, alpha, lambdaDice = 1, lambdaFocal = 1, ...rest } = options;
  expectFactors("diceFocalLoss", { lambdaDice, lambdaFocal });
  expectPair("diceFocalLoss", input, target);
  return composed(input, () => {
    const dice = diceLoss(input, target, rest);
    const { includeBackground, toOnehotY, weight, reduction, ignoreIndex } = rest;
    const focal = focalLoss(input, target, { includeBackground, toOnehotY, gamma, alpha, weight, reduction, ignoreIndex });
    return add(affine(dice, lambdaDice), affine(focal, lambdaFocal));
  });
}

/** Options of `generalizedDiceFocalLoss`. */
export interface GeneralizedDiceFocalLossOptions extends Omit<GeneralizedDiceLossOptions, "softLabel"> {
  /** Exponent of the focal loss; default 2. */
  readonly gamma?: number;
  /** Factor of each counted class in the focal loss, or one for all. */
  readonly weight?: number | readonly number[];
  /** Factor of the generalized Dice loss; default 1. */
  readonly lambdaGdl?: number;
  /** Factor of the focal loss; default 1. */
  readonly lambdaFocal?: number;
}

/**
 * lambdaGdl · generalized Dice loss + lambdaFocal · focal loss (with sigmoid).
 * @param input logits `[N, C, spatial…]`
 * @param target as for `diceLoss`
 * @returns one number, or `[N, C, spatial…]` for the reduction "none"
 * @throws ShapeError, ConfigError
 */
export function generalizedDiceFocalLoss(input: Tensor, target: Tensor, options: GeneralizedDiceFocalLossOptions = {}): Tensor {
  expectOptions(
    "generalizedDiceFocalLoss",
    options,
    `gamma:number weight:spread lambdaGdl:number lambdaFocal:number wType ${overlapLossNames}`,
  );
  const { gamma, weight, lambdaGdl = 1, lambdaFocal = 1, ...rest } = options;
  expectFactors("generalizedDiceFocalLoss", { lambdaGdl, lambdaFocal });
  expectPair("generalizedDiceFocalLoss", input, target);
  return composed(input, () => {
    const dice = generalizedDiceLoss(input, target, rest);
    const { includeBackground, toOnehotY, reduction, ignoreIndex } = rest;
    const focal = focalLoss(input, target, { includeBackground, toOnehotY, gamma, weight, reduction, ignoreIndex });
    return add(affine(dice, lambdaGdl), affine(focal, lambdaFocal));
  });
}

/** Options of `deepSupervisionLoss`. */
export interface DeepSupervisionOptions {
  /** Weights of the levels: "exp" max(½ˡ, 1/16) (the default), "same" 1, "two" 1 and then ½. */
  readonly weightMode?: "exp" | "same" | "two";
  /** Weights instead of these; used if there are enough for all levels. */
  readonly weights?: readonly number[];
}

const rules = { exp: (l: number) => Math.max(0.5 ** l, 0.0625), same: () => 1, two: (l: number) => (l === 0 ? 1 : 0.5) };

/** Weights of so many levels. */
function levelWeights(levels: number, { weightMode = "exp", weights }: DeepSupervisionOptions): readonly number[] {
  if (weights && weights.length >= levels) return weights.slice(0, levels);
  return Array.from({ length: levels }, (_, l) => rules[weightMode](l));
}

/**
 * Weighted sum of a loss over the outputs of a deeply supervised network (Lee et al. 2015), MONAI's DeepSupervisionLoss. Levels of weight 0 count
 * too, so that the heads that made them have a gradient, which is 0.
 * @param outputs `[N, C, spatial…]` from fine to coarse; one tensor is just handed to the loss
 * @param target one for all levels, resized to theirs (nearest-exact), or one per level as nnU-Net has them
 * @throws ShapeError, ConfigError, and what the loss throws
 */
export function deepSupervisionLoss(
  outputs: Tensor | readonly Tensor[],
  target: Tensor | readonly Tensor[],
  loss: (output: Tensor, target: Tensor) => Tensor,
  options: DeepSupervisionOptions = {},
): Tensor {
  expectOptions("deepSupervisionLoss", options, "weightMode weights:numbers");
  expectWord("deepSupervisionLoss", "weightMode", options.weightMode ?? "exp", rules);
  expectArguments("deepSupervisionLoss", "function", { loss });
  const [levels, targets] = [severalOf("outputs", outputs), severalOf("target", target)];
  if (levels?.length === 0) throw new ConfigError("deepSupervisionLoss: there is no output");
  if (targets && targets.length < (levels?.length ?? 1)) {
    throw new ConfigError(
      `deepSupervisionLoss: ${targets.length} targets for ${levels?.length ?? 1} outputs; give one for each, or one for all`,
    );
  }
  if (!levels) return loss(outputs as Tensor, targets ? targets[0] : (target as Tensor));
  const weights = levelWeights(levels.length, options);
  return levels
    .map((output, l) => {
      const wanted = targets ? targets[l] : resized(target as Tensor, output);
      return affine(loss(output, wanted), weights[l]);
    })
    .reduce((a, b) => add(a, b));
}

/** A list of tensors, or undefined for a single one. */
function severalOf(name: string, given: Tensor | readonly Tensor[]): readonly Tensor[] | undefined {
  if (!Array.isArray(given)) expectKind("deepSupervisionLoss", { [name]: given });
  else expectTensorList("deepSupervisionLoss", name, given);
  return Array.isArray(given) ? (given as readonly Tensor[]) : undefined;
}

function resized(target: Tensor, output: Tensor): Tensor {
  const size = output.shape.slice(2);
  if (sameShape(target.shape.slice(2), size)) return target;
  return interpolate(cast(target, "f32"), { size, mode: "nearest-exact" });
}
