/** @file Instance and group normalisation with gradients. */

import * as kernels from "../kernels/norm.ts";
import { ShapeError } from "../tensor/errors.ts";
import { showShape } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { record } from "./tape.ts";

function apply(op: string, x: Tensor, weight: Tensor | undefined, bias: Tensor | undefined, groups: number, eps: number): Tensor {
  const g = kernels.groupNormShape(op, x.shape, groups, eps, weight?.shape, bias?.shape);
  const { y, stats } = kernels.norm(x, weight, bias, g);
  return record(op, [x, weight, bias], y, (dy, needs) => {
    const dx = needs[0] ? kernels.normInputGradient(x, weight, stats, dy, g) : undefined;
    if (!needs[1] && !needs[2]) return [dx];
    const { dWeight, dBias } = kernels.normAffineGradient(x, stats, dy, g);
    return [dx, dWeight, dBias];
  });
}

/**
 * Instance normalisation (Ulyanov et al. 2016): each channel of each sample to zero mean and unit biased variance, also in evaluation.
 * @param x `[N, C, spatial…]`, more than one spatial element
 * @param weight scale `[C]`, with `bias` shift `[C]`, or neither
 * @throws ShapeError
 */
export function instanceNorm(x: Tensor, weight?: Tensor, bias?: Tensor, { eps = 1e-5 } = {}): Tensor {
  if (x.size === x.shape[0] * x.shape[1]) {
    throw new ShapeError(`instanceNorm: expected more than 1 spatial element, got ${showShape(x.shape)}; use a larger input or fewer strides`);
  }
  return apply("instanceNorm", x, weight, bias, x.shape[1], eps);
}

/** Group normalisation (Wu and He 2018) of `[N, C, spatial…]` over `groups` groups of channels. Throws `ShapeError`. */
export function groupNorm(x: Tensor, groups: number, weight?: Tensor, bias?: Tensor, { eps = 1e-5 } = {}): Tensor {
  return apply("groupNorm", x, weight, bias, groups, eps);
}
