/** @file Hausdorff losses by distance transforms, with MONAI's options and defaults. */

import { expectKind } from "../../tensor/kind.ts";
import { cast } from "../../autograd/cast.ts";
import { affine, floor, log, mul, pow, sigmoid, square, sub, add } from "../../autograd/pointwise.ts";
import { mean, sum } from "../../autograd/reduce.ts";
import { softmax } from "../../autograd/softmax.ts";
import { noGrad } from "../../autograd/tape.ts";
import { slice } from "../../autograd/view.ts";
import { distanceField } from "../../kernels/distance_field.ts";
import { oneHot } from "../../kernels/indexing.ts";
import type { Reduction } from "../../autograd/cross_entropy.ts";
import { ConfigError, ShapeError } from "../../host/errors.ts";
import { expectOptions } from "../../host/options.ts";
import { sameShape, showShape } from "../../host/shape.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { composed, countedClasses, expectReduction, expectTargetOptions, type TargetOptions, wantsCompat } from "./overlap.ts";

/** Options of `hausdorffDTLoss`, `logHausdorffDTLoss`. */
export interface HausdorffDTLossOptions extends TargetOptions {
  /** Exponent of the distances; default 2. */
  readonly alpha?: number;
  /** Count channel 0; default **false**. Ignored for one channel. */
  readonly includeBackground?: boolean;
  /** Default "mean"; "none" keeps `[N, C, 1, …]`. */
  readonly reduction?: Reduction;
  /** Mean over the batch too before the reduction; default false. */
  readonly batch?: boolean;
  /** MONAI's numbers for a target of integers with all its channels: its distances are cut to whole numbers. */
  readonly compat?: "monai";
}

/**
 * Mean of (p − y)² · (D(p)^alpha + D(y)^alpha) per sample and channel, then reduced (Karimi and Salcudean 2019). D is the distance in voxels to the
 * nearest voxel on the other side of 0.5, exact, 0 where a channel is all on one side; made on the device, so this works in captured steps. No gradient
 * flows through the distances, as in the original, nor to the target.
 * @param input `[N, C, H, W]` or `[N, C, D, H, W]`
 * @param target the same shape, or one channel of class indices with `toOnehotY`
 * @returns one number; for the reduction "none" `[N, C, 1, …]`, or `[1, C, 1, …]` with `batch`
 * @throws ShapeError, ConfigError
 */
export function hausdorffDTLoss(input: Tensor, target: Tensor, options: HausdorffDTLossOptions = {}): Tensor {
  expectKind("hausdorffDTLoss", { input, target });
  return composed(input, () => hausdorff("hausdorffDTLoss", input, target, options));
}

/** log(1 + `hausdorffDTLoss`); the same options, shapes and errors. */
export function logHausdorffDTLoss(input: Tensor, target: Tensor, options: HausdorffDTLossOptions = {}): Tensor {
  expectKind("logHausdorffDTLoss", { input, target });
  return composed(input, () => log(affine(hausdorff("logHausdorffDTLoss", input, target, options), 1, 1)));
}

function hausdorff(op: string, input: Tensor, target: Tensor, options: HausdorffDTLossOptions): Tensor {
  expectOptions(
    op,
    options,
    "alpha:number includeBackground reduction batch:boolean compat toOnehotY sigmoid softmax otherAct:function",
  );
  const { alpha = 2, includeBackground = false, reduction = "mean", batch = false, otherAct } = options;
  expectReduction(op, reduction);
  expectTargetOptions(op, { ...options, otherAct: undefined });
  if (options.sigmoid && options.softmax) throw new ConfigError(`${op}: give at most one of sigmoid and softmax`);
  if (input.rank !== 4 && input.rank !== 5)
    throw new ShapeError(`${op}: input must be [N, C, H, W] or [N, C, D, H, W], got ${showShape(input.shape)}`);
  const channels = input.shape[1];
  let p = options.sigmoid ? sigmoid(input) : input;
  if (options.softmax && channels > 1) p = softmax(p, 1);
  if (otherAct) p = otherAct(p);
  const indexTarget = options.toOnehotY && channels > 1;
  let y = indexTarget ? oneHot(target, channels) : cast(target, "f32");
  if (!sameShape(y.shape, p.shape)) {
    const hint = target.shape[1] === 1 ? "; for class indices set the option toOnehotY: true" : "";
    throw new ShapeError(`${op}: target ${showShape(target.shape)} does not fit the input ${showShape(input.shape)}${hint}`);
  }
  if (countedClasses(input, { includeBackground }) < channels) [p, y] = [p, y].map((t) => slice(t, [undefined, [1]]));
  const whole = wantsCompat(op, options.compat, "monai") && !indexTarget && target.dtype !== "f32";
  const distances = noGrad(() => {
    const far = distanceField(y);
    // Below a whole number m lies √(m² − 1), 1 / 2m away: less than 0.001 is an error of the root.
    return add(pow(distanceField(p), alpha), pow(whole ? floor(affine(far, 1, 0.001)) : far, alpha));
  });
  const spatial = p.shape.map((_, i) => i).slice(2);
  const each = mean(mul(square(sub(p, y)), distances), batch ? [0, ...spatial] : spatial, { keepDims: true });
  if (reduction === "none") return each;
  return reduction === "mean" ? mean(each) : sum(each);
}
