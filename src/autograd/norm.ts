/** @file Instance, group, layer and batch normalisation with gradients. */

import * as kernels from "../kernels/norm.ts";
import { ShapeError } from "../tensor/errors.ts";
import { sizeOf } from "../tensor/host.ts";
import { type Shape, showShape } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { type Arguments, type Backward, composite, record } from "./tape.ts";
import { add, affine, mul, reciprocal, sqrt } from "./pointwise.ts";
import { reshape } from "./view.ts";

function withGradient(
  op: string,
  args: Arguments,
  x: Tensor,
  weight: Tensor | undefined,
  bias: Tensor | undefined,
  y: Tensor,
  stats: Tensor,
  g: kernels.NormGeometry,
  affineGradient = kernels.normAffineGradient,
): Tensor {
  const backward: Backward = (dy, needs) => {
    const dx = needs[0] ? kernels.normInputGradient(x, weight, stats, dy, g) : undefined;
    if (!needs[1] && !needs[2]) return [dx];
    const { dWeight, dBias } = affineGradient(x, stats, dy, g);
    return [dx, dWeight, dBias];
  };
  record(op, [x, weight, bias], y, backward, args);
  // Without a note nobody else frees them.
  if (y.origin === undefined) stats.dispose();
  return y;
}

function apply(op: string, x: Tensor, weight: Tensor | undefined, bias: Tensor | undefined, groups: number, eps: number): Tensor {
  const g = kernels.groupNormShape(op, x.shape, groups, eps, weight?.shape, bias?.shape);
  const { y, stats } = kernels.norm(x, weight, bias, g);
  return withGradient(op, { groups, eps }, x, weight, bias, y, stats, g);
}

/**
 * Instance normalisation (Ulyanov et al. 2016): each channel of each sample to zero mean and unit biased variance, also in evaluation.
 * @param x `[N, C, spatial…]`, more than one spatial element
 * @param weight scale `[C]`, with `bias` shift `[C]`, or neither
 * @throws ShapeError
 */
export function instanceNorm(x: Tensor, weight?: Tensor, bias?: Tensor, { eps = 1e-5 } = {}): Tensor {
  if (x.rank >= 2 && sizeOf(x.shape.slice(2)) === 1) {
    throw new ShapeError(
      `instanceNorm: expected more than 1 spatial element, got ${showShape(x.shape)}; use a larger input or fewer strides`,
    );
  }
  return apply("instanceNorm", x, weight, bias, x.shape[1], eps);
}

/** Group normalisation (Wu and He 2018) of `[N, C, spatial…]` over `groups` groups of channels. Throws `ShapeError`. */
export function groupNorm(x: Tensor, groups: number, weight?: Tensor, bias?: Tensor, { eps = 1e-5 } = {}): Tensor {
  return apply("groupNorm", x, weight, bias, groups, eps);
}

/**
 * Layer normalisation (Ba et al. 2016): the trailing elements of each leading index to zero mean and unit biased variance.
 * @param x `[…, normalizedShape…]`
 * @param weight scale of `normalizedShape`, with `bias` shift, or neither
 * @throws ShapeError
 */
export function layerNorm(
  x: Tensor,
  normalizedShape: number | Shape,
  weight?: Tensor,
  bias?: Tensor,
  { eps = 1e-5 } = {},
): Tensor {
  const trailing = typeof normalizedShape === "number" ? [normalizedShape] : normalizedShape;
  const g = kernels.layerNormShape(x.shape, trailing, eps, weight?.shape, bias?.shape);
  const { y, stats } = kernels.norm(x, weight, bias, g);
  return withGradient("layerNorm", { axes: trailing.length, eps }, x, weight, bias, y, stats, g, (...args) => {
    const { dWeight, dBias } = kernels.layerNormAffineGradient(...args);
    return { dWeight: reshaped(dWeight, trailing), dBias: reshaped(dBias, trailing) };
  });
}

function reshaped(t: Tensor, shape: Shape): Tensor {
  const view = t.view(shape);
  t.dispose();
  return view;
}

export interface RunningStats {
  readonly mean: Tensor;
  readonly var: Tensor;
  /** Share of the new batch; default 0.1. */
  readonly momentum?: number;
}

/**
 * Batch normalisation (Ioffe and Szegedy 2015) of `[N, C, spatial…]` with the statistics of the batch, as in training.
 * @param running statistics `[C]` that are moved towards the batch's mean and unbiased variance
 * @throws ShapeError
 */
export function batchNorm(x: Tensor, weight?: Tensor, bias?: Tensor, running?: RunningStats, { eps = 1e-5 } = {}): Tensor {
  const g = kernels.batchNormShape(x.shape, eps, weight?.shape, bias?.shape);
  if (g.count <= 1)
    throw new ShapeError(`batchNorm: expected more than 1 value per channel in training, got ${showShape(x.shape)}`);
  const { y, stats } = kernels.norm(x, weight, bias, g);
  if (running) kernels.normRunning(stats, running.mean, running.var, g, running.momentum ?? 0.1);
  return withGradient("batchNorm", { eps }, x, weight, bias, y, stats, g);
}

/**
 * Batch normalisation of `[N, C, spatial…]` with given statistics, as in evaluation: (x − mean) / √(variance + eps) · weight + bias.
 * @param mean `[C]`, with `variance` `[C]`
 * @throws ShapeError
 */
export function fixedBatchNorm(
  x: Tensor,
  weight: Tensor | undefined,
  bias: Tensor | undefined,
  mean: Tensor,
  variance: Tensor,
  { eps = 1e-5 } = {},
): Tensor {
  for (const [name, t] of Object.entries({ weight, bias, mean, variance })) {
    if (t && (t.rank !== 1 || t.size !== x.shape[1])) {
      throw new ShapeError(`fixedBatchNorm: ${name} ${showShape(t.shape)} must be [${x.shape[1]}], one per channel`);
    }
  }
  return composite("fixedBatchNorm", [x, weight, bias, mean, variance], { eps }, () => {
    const made: Tensor[] = [];
    const own = (t: Tensor) => (made.push(t), t);
    const shape = [1, mean.size, ...x.shape.slice(2).map(() => 1)];
    const scale = own(reciprocal(own(sqrt(own(affine(variance, 1, eps))))));
    const factor = weight ? own(mul(scale, weight)) : scale;
    const offset = own(mul(mean, own(affine(factor, -1))));
    const shift = bias ? own(add(offset, bias)) : offset;
    const y = add(own(mul(x, own(reshape(factor, shape)))), own(reshape(shift, shape)));
    // Without a note nobody else frees them.
    if (y.origin === undefined) for (const t of made) t.dispose();
    return y;
  });
}
