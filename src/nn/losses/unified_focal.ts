/** @file Asymmetric unified focal loss with MONAI's options and defaults. */

import { expectKind } from "../../tensor/kind.ts";
import { add, affine, clamp, div, log, mul, pow } from "../../autograd/pointwise.ts";
import { mean, sum } from "../../autograd/reduce.ts";
import { slice } from "../../autograd/view.ts";
import { cast } from "../../autograd/cast.ts";
import { oneHot } from "../../kernels/indexing.ts";
import type { Reduction } from "../../autograd/cross_entropy.ts";
import { ShapeError } from "../../host/errors.ts";
import { expectOptions } from "../../host/options.ts";
import { sameShape, showShape } from "../../host/shape.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { composed, expectReduction } from "./overlap.ts";

/** Options of `asymmetricUnifiedFocalLoss`. */
export interface AsymmetricUnifiedFocalLossOptions {
  /** Share of the focal loss; the rest is the focal Tversky loss. Default 0.5. */
  readonly weight?: number;
  /** How much sure positions count for less; default 0.5. */
  readonly gamma?: number;
  /** Balance of foreground against background; default 0.7. */
  readonly delta?: number;
  /** The parts are means already: all reductions give the same number. */
  readonly reduction?: Reduction;
}

/** Keeps logarithms and powers finite. */
const epsilon = 1e-7;

/**
 * Weighted sum of the asymmetric focal and the asymmetric focal Tversky loss (Yeung et al. 2022) of a background and a foreground channel.
 * @param input **probabilities** `[N, 2, H, W]` or `[N, 2, D, H, W]`. One channel is taken for class indices, as the original does: no gradient flows then
 * @param target of the same shape: as in the original one-hot, and for two classes alone
 * @throws ShapeError, ConfigError
 */
export function asymmetricUnifiedFocalLoss(
  input: Tensor,
  target: Tensor,
  options: AsymmetricUnifiedFocalLossOptions = {},
): Tensor {
  expectOptions("asymmetricUnifiedFocalLoss", options, "weight:number gamma:number delta:number reduction");
  expectKind("asymmetricUnifiedFocalLoss", { input, target });
  const op = "asymmetricUnifiedFocalLoss";
  const { weight = 0.5, gamma = 0.5, delta = 0.7, reduction = "mean" } = options;
  expectReduction(op, reduction);
  if (!sameShape(input.shape, target.shape)) {
    throw new ShapeError(`${op}: target ${showShape(target.shape)} must have the shape of the input ${showShape(input.shape)}`);
  }
  if ((input.rank !== 4 && input.rank !== 5) || input.shape[1] > 2) {
    throw new ShapeError(`${op}: input must be [N, 2, H, W] or [N, 2, D, H, W], got ${showShape(input.shape)}`);
  }
  return composed(input, () => {
    const single = input.shape[1] === 1;
    // Class indices below the whole number, as a cast to integers has them.
    const indices = (t: Tensor) => oneHot(cast(t, "i32"), 2);
    const p = clamp(single ? indices(input) : input, epsilon, 1 - epsilon);
    const y = single ? indices(target) : cast(target, "f32");
    return add(affine(focal(p, y, gamma, delta), weight), affine(focalTversky(p, y, gamma, delta), 1 - weight));
  });
}

const channel = (t: Tensor, c: number): Tensor => slice(t, [undefined, [c, c + 1]]);
const complement = (t: Tensor): Tensor => affine(t, -1, 1);

/** Mean over positions of the background's focal cross-entropy and the foreground's plain one. */
function focal(p: Tensor, y: Tensor, gamma: number, delta: number): Tensor {
  const entropy = (c: number) => mul(affine(channel(y, c), -1), log(channel(p, c)));
  const back = affine(mul(pow(complement(channel(p, 0)), gamma), entropy(0)), 1 - delta);
  return mean(add(back, affine(entropy(1), delta)));
}

/** Mean of the background's Tversky loss and the foreground's to the power 1 − gamma. */
function focalTversky(p: Tensor, y: Tensor, gamma: number, delta: number): Tensor {
  const spatial = p.shape.map((_, i) => i).slice(2);
  const volume = (a: Tensor, b: Tensor) => sum(mul(a, b), spatial);
  const hits = volume(y, p);
  const wrong = add(affine(volume(y, complement(p)), delta), affine(volume(complement(y), p), 1 - delta));
  const loss = complement(div(affine(hits, 1, epsilon), affine(add(hits, wrong), 1, epsilon)));
  // Clamped probabilities are never quite right, so the true value is positive; 2^-24 is the least that f32 can show, and keeps the power's slope finite.
  const fore = pow(clamp(channel(loss, 1), 2 ** -24, 1), 1 - gamma);
  return mean(add(affine(channel(loss, 0), 0.5), affine(fore, 0.5)));
}
