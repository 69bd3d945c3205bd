/** @file Dice losses and their relatives with MONAI's options and defaults, on the fused region sums. */

import { expectKind } from "../../tensor/kind.ts";
import { classWeights } from "../../autograd/focal.ts";
import { cast } from "../../autograd/cast.ts";
import { add, affine, div, lt, mul, reciprocal, square, sub, where } from "../../autograd/pointwise.ts";
import { amax, sum } from "../../autograd/reduce.ts";
import { noGrad } from "../../autograd/tape.ts";
import { ConfigError } from "../../host/errors.ts";
import { expectOptions } from "../../host/options.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import {
  composed,
  countedClasses,
  type Overlap,
  overlapLossNames,
  overlapOf,
  type OverlapLossOptions,
  perClass,
  reduced,
} from "./overlap.ts";

/** Options of `diceLoss`. */
export interface DiceLossOptions extends OverlapLossOptions {
  /** Squares in the denominator; default false. */
  readonly squaredPred?: boolean;
  /** Intersection over union instead of Dice; default false. */
  readonly jaccard?: boolean;
  /** Factor of each counted class, or one for all. Ignored for one class. */
  readonly weight?: number | readonly number[];
  /** Targets between 0 and 1; default false. */
  readonly softLabel?: boolean;
  /** Factor of each voxel in overlap, prediction and target alike, f32 `[N, 1, spatial…]`; 0 leaves a voxel out. */
  readonly voxelWeight?: Tensor | undefined;
}

/** The names of these options. */
const diceLossNames =
  `squaredPred:boolean jaccard:boolean weight:spread softLabel:boolean voxelWeight ${overlapLossNames}` as const;

/**
 * 1 − (2·overlap + smoothNr) / (prediction + target + smoothDr) per sample and channel, then reduced (Milletari et al. 2016); soft labels and Jaccard
 * after Wang et al. 2023. No gradient flows to the target.
 * @param input `[N, C, spatial…]`
 * @param target the same shape, or `[N, 1, spatial…]` class indices (f32, i32 or u32) with `toOnehotY`
 * @returns one number; for the reduction "none" `[N, C, 1, …]`, or `[C, 1, …]` with `batch`
 * @throws ShapeError, ConfigError; for a class index outside of the classes the next read-back throws `DataError`, in all losses that take class indices
 */
export function diceLoss(input: Tensor, target: Tensor, options: DiceLossOptions = {}): Tensor {
  expectOptions("diceLoss", options, diceLossNames);
  expectKind("diceLoss", { input, target });
  return composed(input, () => dice("diceLoss", input, target, options));
}

/** Options of `maskedDiceLoss`. */
export interface MaskedDiceLossOptions extends DiceLossOptions {
  /** Of any type, `[N, 1, spatial…]` or `[1, 1, spatial…]`; without one this is `diceLoss`. */
  readonly mask?: Tensor;
}

/**
 * Dice loss inside of a mask, as MONAI's MaskedDiceLoss: input and target are multiplied by it **before** the activation, so that a sigmoid is 0.5
 * outside, and class indices become 0, the background. Arguments and shapes are those of `diceLoss`.
 * @throws ShapeError, ConfigError
 */
export function maskedDiceLoss(input: Tensor, target: Tensor, given: MaskedDiceLossOptions = {}): Tensor {
  expectOptions("maskedDiceLoss", given, `mask ${diceLossNames}`);
  expectKind("maskedDiceLoss", { input, target });
  const { mask, ...options } = given;
  return composed(input, () => {
    // A function of the user's cannot run inside the kernel.
    const factor = mask && cast(mask, "f32");
    if (factor && options.otherAct) {
      return dice("maskedDiceLoss", mul(input, factor), mul(cast(target, "f32"), factor), options);
    }
    return dice("maskedDiceLoss", input, target, options, factor);
  });
}

function dice(op: string, input: Tensor, target: Tensor, options: DiceLossOptions, mask?: Tensor): Tensor {
  const { smoothNr = 1e-5, smoothDr = 1e-5, weight } = options;
  // Squares alone need no L1 form: (|q|² + |t|² − |q − t|²) / 2 = q t.
  const mode = options.squaredPred ? "squared" : options.softLabel ? "soft" : "plain";
  const classes = countedClasses(input, options);
  const factors = weight === undefined || classes === 1 ? undefined : classWeights(op, weight, classes);
  const weighted = options.voxelWeight ? { mask: options.voxelWeight } : {};
  const sums = overlapOf(op, input, target, options, { mode, ...(mask ? { mask, maskOf: "inputs" } : weighted) });
  let total = add(sums.prediction, sums.target);
  if (options.jaccard) total = affine(sub(total, sums.overlap), 2);
  const loss = oneMinusRatio(affine(sums.overlap, 2, smoothNr), affine(total, 1, smoothDr));
  return reduced(factors ? perClass(loss, factors) : loss, options, input.rank - 2);
}

const oneMinusRatio = (a: Tensor, b: Tensor): Tensor => affine(div(a, b), -1, 1);

/** Options of `tverskyLoss`. */
export interface TverskyLossOptions extends OverlapLossOptions {
  /** Factor of the false positives; default 0.5. */
  readonly alpha?: number;
  /** Factor of the false negatives; default 0.5. */
  readonly beta?: number;
  /** Targets between 0 and 1; default false. */
  readonly softLabel?: boolean;
}

/**
 * 1 − (tp + smoothNr) / (tp + alpha·fp + beta·fn + smoothDr) per sample and channel, then reduced (Salehi et al. 2017). With 0.5 and 0.5 it is
 * the Dice loss, but for the smoothing. No gradient flows to the target.
 * @param input `[N, C, spatial…]`
 * @param target as for `diceLoss`
 * @returns one number; for the reduction "none" `[N, C]`, or `[C]` with `batch`
 * @throws ShapeError, ConfigError
 */
export function tverskyLoss(input: Tensor, target: Tensor, options: TverskyLossOptions = {}): Tensor {
  expectOptions("tverskyLoss", options, `alpha:number beta:number softLabel:boolean ${overlapLossNames}`);
  expectKind("tverskyLoss", { input, target });
  const { alpha = 0.5, beta = 0.5, smoothNr = 1e-5, smoothDr = 1e-5 } = options;
  return composed(input, () => {
    const sums = overlapOf("tverskyLoss", input, target, options, { mode: options.softLabel ? "soft" : "plain" });
    const wrong = add(affine(sub(sums.prediction, sums.overlap), alpha), affine(sub(sums.target, sums.overlap), beta));
    const total = add(sums.overlap, wrong);
    return reduced(oneMinusRatio(affine(sums.overlap, 1, smoothNr), affine(total, 1, smoothDr)), options, 0);
  });
}

/** Options of `generalizedDiceLoss`. */
export interface GeneralizedDiceLossOptions extends OverlapLossOptions {
  /** Weight of a class with volume g in the target: 1 / g² ("square", the default), 1 / g ("simple") or 1 ("uniform"). */
  readonly wType?: "square" | "simple" | "uniform";
  /** Targets between 0 and 1; default false. */
  readonly softLabel?: boolean;
}

/**
 * Dice loss over all classes at once, each weighted by its volume (Sudre et al. 2017): 1 − (2 Σ w·overlap + smoothNr) / (Σ w·(prediction + target) +
 * smoothDr) per sample. A class that is missing in the target takes the largest weight of the sample's others. No gradient flows to the target.
 * @param input `[N, C, spatial…]`
 * @param target as for `diceLoss`
 * @returns one number; for the reduction "none" `[N, 1, 1, …]`, or `[1, 1, …]` with `batch`
 * @throws ShapeError, ConfigError
 */
export function generalizedDiceLoss(input: Tensor, target: Tensor, options: GeneralizedDiceLossOptions = {}): Tensor {
  expectOptions("generalizedDiceLoss", options, `wType softLabel:boolean ${overlapLossNames}`);
  expectKind("generalizedDiceLoss", { input, target });
  const { wType = "square", softLabel = false, smoothNr = 1e-5, smoothDr = 1e-5 } = options;
  if (!["square", "simple", "uniform"].includes(wType)) {
    throw new ConfigError(`generalizedDiceLoss: wType must be "square", "simple" or "uniform", got ${JSON.stringify(wType)}`);
  }
  return composed(input, () => {
    const sums = overlapOf("generalizedDiceLoss", input, target, options, { mode: softLabel ? "soft" : "plain" });
    const weights = noGrad(() => volumeWeights(sums, wType));
    const weighted = (t: Tensor) => sum(weights ? mul(t, weights) : t, 2, { keepDims: true });
    const overlap = weighted(sums.overlap);
    const total = weighted(add(sums.prediction, sums.target));
    return reduced(oneMinusRatio(affine(overlap, 2, smoothNr), affine(total, 1, smoothDr)), options, input.rank - 2);
  });
}

function volumeWeights({ target }: Overlap, wType: "square" | "simple" | "uniform"): Tensor | undefined {
  if (wType === "uniform") return undefined;
  const volume = wType === "square" ? square(target) : target;
  // The smallest normal f32: below it 1 / volume is not finite, and WGSL promises no infinity to test for.
  const missing = lt(volume, 1.1754944e-38);
  const weights = where(missing, 0, reciprocal(where(missing, 1, volume)));
  return where(missing, amax(weights, 2, { keepDims: true }), weights);
}
