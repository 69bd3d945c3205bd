/** @file Instance, group, layer and batch normalization with gradients. */

import { expectFloats } from "../kernels/lib/args.ts";
import { channelLine } from "../kernels/norm/channel_line.ts";
import * as kernels from "../kernels/norm/norm.ts";
import { batchNormShape, groupNormShape, layerNormShape, type NormGeometry, type Residual } from "../kernels/norm/shape.ts";
import { unaryGradient } from "../kernels/pointwise.ts";
import { preluShape } from "../kernels/prelu.ts";
import { ShapeError } from "../host/errors.ts";
import { expectNormActivation } from "./option_words.ts";
import { sizeOf } from "../host/array.ts";
import { expectOptions } from "../host/options.ts";
import { sameShape, type Shape, showShape } from "../host/shape.ts";
import { expectKind } from "../tensor/kind.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { add, affine, leakyRelu, mul, reciprocal, relu, sqrt } from "./pointwise.ts";
import { prelu } from "./prelu.ts";
import { type Arguments, type Backward, composite, noted, observed, record } from "./tape.ts";
import { reshape } from "./view.ts";
import { expectArguments } from "../host/kinds.ts";

/**
 * An activation of two straight lines, done in the same pass, for which nothing more is kept for the gradients: "relu"; leaky ReLU with its slope;
 * parametric ReLU with its slopes `[1]` or `[C]`. Slopes: `leakyRelu`, `prelu`.
 */
export type NormActivation = "relu" | { readonly leakyRelu: number } | { readonly prelu: Tensor };

/** A tensor of the shape and type of the result that is added to it: behind the activation, or before it as in residual networks (He et al. 2016). */
export type NormResidual = { readonly behind: Tensor } | { readonly before: Tensor };

/** Options of `instanceNorm`, `groupNorm`, `batchNorm` and others. */
export interface NormCallOptions {
  /** Added to the variance; default 1e-5. */
  readonly eps?: number;
  /** Of what is normalized, scaled and shifted; default none. */
  readonly activation?: NormActivation;
  /** Default none. */
  readonly residual?: NormResidual;
}

const normCallNames = "eps activation residual";

interface Call {
  readonly args: Arguments;
  readonly geometry: NormGeometry;
  readonly activation?: NormActivation;
  readonly residual?: NormResidual;
  /** Looks at the statistics. */
  readonly withStats?: (stats: Tensor) => void;
}

function slopeOf(op: string, x: Tensor, activation: NormActivation | undefined): number | Tensor {
  if (activation === undefined) return 1;
  if (activation === "relu") return 0;
  expectNormActivation(op, activation);
  if ("leakyRelu" in activation) return activation.leakyRelu;
  preluShape(x.shape, activation.prelu.shape); // checks it
  return activation.prelu;
}

function activate(z: Tensor, activation: NormActivation): Tensor {
  if (activation === "relu") return relu(z);
  return "leakyRelu" in activation ? leakyRelu(z, activation.leakyRelu) : prelu(z, activation.prelu);
}

function residualOf(op: string, x: Tensor, given: NormResidual | undefined): Residual | undefined {
  if (!given) return undefined;
  const before = "before" in given;
  const tensor = before ? given.before : given.behind;
  expectKind(op, { residual: tensor });
  if (!sameShape(tensor.shape, x.shape) || tensor.dtype !== x.dtype)
    throw new ShapeError(
      `${op}: residual is ${tensor.dtype} ${showShape(tensor.shape)}, must be ${x.dtype} ${showShape(x.shape)}`,
    );
  return { tensor, before };
}

/** The activation and what is added, as operations of their own. */
function finished(z: Tensor, activation: NormActivation | undefined, residual: Residual | undefined): Tensor {
  const steps: ((v: Tensor) => Tensor)[] = activation ? [(v) => activate(v, activation)] : [];
  if (residual) steps.splice(residual.before ? 0 : steps.length, 0, (v) => add(v, residual.tensor));
  return steps.reduce((v, step) => {
    const y = step(v);
    // Without a note nobody else frees them.
    if (y.origin === undefined && !observed()) v.dispose();
    return y;
  }, z);
}

function apply(op: string, x: Tensor, weight: Tensor | undefined, bias: Tensor | undefined, call: Call): Tensor {
  const { args, geometry: g, activation, withStats } = call;
  expectFloats(op, { input: x });
  const slope = slopeOf(op, x, activation);
  const residual = residualOf(op, x, call.residual);
  // The sign of the result tells the side of the activation, unless a slope turns it.
  const told = typeof slope === "number" && slope >= 0;
  // To observers these are several operations.
  if ((activation || residual) && (observed() || (residual?.before && !told))) {
    return finished(apply(op, x, weight, bias, { ...call, activation: undefined, residual: undefined }), activation, residual);
  }
  const affine = { weight, bias, slope };
  const { y, stats } = kernels.norm(x, affine, g, residual);
  withStats?.(stats);
  const backward: Backward = (dy, needs, sofar) => {
    const channels = needs.slice(1, 4).includes(true);
    const early = residual?.before && slope !== 1;
    const dz = early ? unaryGradient("leakyRelu", y, dy, slope as number) : dy;
    const { dx, dWeight, dBias, dSlope } = kernels.normGradients(x, early ? { weight, bias } : affine, stats, dz, g, {
      channels,
      sofar: needs[0] ? sofar(0) : undefined,
    });
    if (early && !needs[4]) dz.dispose();
    return [dx, dWeight, dBias, dSlope, residual && dz];
  };
  record(op, [x, weight, bias, typeof slope === "number" ? undefined : slope, residual?.tensor], y, backward, args);
  // Without a note nobody else frees them.
  if (y.origin === undefined) stats.dispose();
  return y;
}

/**
 * Instance normalization (Ulyanov et al. 2016): each channel of each sample to zero mean and unit biased variance, also in evaluation.
 * @param x `[N, C, spatial…]`, more than one spatial element
 * @param weight scale `[C]`, with `bias` shift `[C]`, or neither
 * @throws ShapeError
 */
export function instanceNorm(x: Tensor, weight?: Tensor, bias?: Tensor, options: NormCallOptions = {}): Tensor {
  expectOptions("instanceNorm", options, normCallNames);
  expectKind("instanceNorm", { x });
  if (x.rank >= 2 && sizeOf(x.shape.slice(2)) === 1) {
    throw new ShapeError(
      `instanceNorm: expected more than 1 spatial element, got ${showShape(x.shape)}; use a larger input or fewer strides`,
    );
  }
  return byGroups("instanceNorm", x, x.shape[1], weight, bias, options);
}

/** Group normalization (Wu and He 2018) of `[N, C, spatial…]` over `groups` groups of channels. Throws `ShapeError`. */
export function groupNorm(x: Tensor, groups: number, weight?: Tensor, bias?: Tensor, options: NormCallOptions = {}): Tensor {
  expectOptions("groupNorm", options, normCallNames);
  expectKind("groupNorm", { x });
  return byGroups("groupNorm", x, groups, weight, bias, options);
}

function byGroups(
  op: string,
  x: Tensor,
  groups: number,
  weight: Tensor | undefined,
  bias: Tensor | undefined,
  options: NormCallOptions,
) {
  const { eps = 1e-5, activation, residual } = options;
  const geometry = groupNormShape(op, x.shape, groups, eps, weight?.shape, bias?.shape);
  return apply(op, x, weight, bias, { args: { groups, eps }, geometry, activation, residual });
}

/**
 * Layer normalization (Ba et al. 2016): the trailing elements of each leading index to zero mean and unit biased variance.
 * @param x `[…, normalizedShape…]`
 * @param weight scale of `normalizedShape`, with `bias` shift, or neither
 * @param options `eps` is added to the variance; default 1e-5
 * @throws ShapeError
 */
export function layerNorm(
  x: Tensor,
  normalizedShape: number | Shape,
  weight?: Tensor,
  bias?: Tensor,
  options: { readonly eps?: number } = {},
): Tensor {
  expectOptions("layerNorm", options, "eps");
  const { eps = 1e-5 } = options;
  expectFloats("layerNorm", { x });
  if (typeof normalizedShape !== "number") expectArguments("layerNorm", "numbers", { normalizedShape });
  const trailing = typeof normalizedShape === "number" ? [normalizedShape] : normalizedShape;
  const g = layerNormShape(x.shape, trailing, eps, weight?.shape, bias?.shape);
  const affine = { weight, bias };
  const { y, stats } = kernels.norm(x, affine, g);
  const backward: Backward = (dy, needs) => {
    const dx = needs[0] ? kernels.normGradients(x, affine, stats, dy, g, { channels: false, each: true }).dx : undefined;
    if (!needs[1] && !needs[2]) return [dx];
    const { dWeight, dBias } = kernels.layerNormAffineGradient(x, stats, dy, g);
    return [dx, reshaped(dWeight, trailing), reshaped(dBias, trailing)];
  };
  record("layerNorm", [x, weight, bias], y, backward, { axes: trailing.length, eps });
  if (y.origin === undefined) stats.dispose();
  return y;
}

function reshaped(t: Tensor, shape: Shape): Tensor {
  const view = t.view(shape);
  t.dispose();
  return view;
}

/** Running mean and variance of each channel, `[C]`, and how fast they follow. */
export interface RunningStats {
  /** Mean of each channel, `[C]`; written in place. */
  readonly mean: Tensor;
  /** Unbiased variance of each channel, `[C]`; written in place. */
  readonly var: Tensor;
  /** Share of the new batch; default 0.1. */
  readonly momentum?: number;
}

/**
 * Batch normalization (Ioffe and Szegedy 2015) of `[N, C, spatial…]` with the statistics of the batch, as in training.
 * @param running statistics `[C]` that are moved towards the batch's mean and unbiased variance
 * @throws ShapeError
 */
export function batchNorm(
  x: Tensor,
  weight?: Tensor,
  bias?: Tensor,
  running?: RunningStats,
  options: NormCallOptions = {},
): Tensor {
  expectOptions("batchNorm", options, normCallNames);
  const { eps = 1e-5, activation, residual } = options;
  expectKind("batchNorm", { x });
  const geometry = batchNormShape(x.shape, eps, weight?.shape, bias?.shape);
  if (geometry.count <= 1)
    throw new ShapeError(`batchNorm: expected more than 1 value per channel in training, got ${showShape(x.shape)}`);
  const withStats = (stats: Tensor) => {
    if (running) kernels.normRunning(stats, running.mean, running.var, geometry, running.momentum ?? 0.1);
  };
  return apply("batchNorm", x, weight, bias, { args: { eps }, geometry, activation, residual, withStats });
}

/**
 * Batch normalization of `[N, C, spatial…]` with given statistics, as in evaluation: (x − mean) / √(variance + eps) · weight + bias. One pass where
 * nothing is noted for gradients.
 * @param mean `[C]`, with `variance` `[C]`
 * @throws ShapeError
 */
export function fixedBatchNorm(
  x: Tensor,
  weight: Tensor | undefined,
  bias: Tensor | undefined,
  mean: Tensor,
  variance: Tensor,
  options: NormCallOptions = {},
): Tensor {
  expectOptions("fixedBatchNorm", options, normCallNames);
  const { eps = 1e-5, activation } = options;
  expectKind("fixedBatchNorm", { x, mean, variance });
  for (const [name, t] of Object.entries({ weight, bias, mean, variance })) {
    if (t && (t.rank !== 1 || t.size !== x.shape[1])) {
      throw new ShapeError(`fixedBatchNorm: ${name} ${showShape(t.shape)} must be [${x.shape[1]}], one per channel`);
    }
  }
  const slope = slopeOf("fixedBatchNorm", x, activation);
  const inputs = [x, weight, bias, mean, variance];
  const residual = residualOf("fixedBatchNorm", x, options.residual);
  const behind = [typeof slope === "number" ? undefined : slope, residual?.tensor];
  const onePass = !noted([...inputs, ...behind]) && !((activation || residual) && observed());
  const y = composite("fixedBatchNorm", inputs, { eps }, () => {
    const made: Tensor[] = [];
    const own = (t: Tensor) => (made.push(t), t);
    const scale = own(reciprocal(own(sqrt(own(affine(variance, 1, eps))))));
    const factor = weight ? own(mul(scale, weight)) : scale;
    const offset = own(mul(mean, own(affine(factor, -1))));
    const shift = bias ? own(add(offset, bias)) : offset;
    const shape = [1, mean.size, ...x.shape.slice(2).map(() => 1)];
    const z = onePass
      ? channelLine(x, factor, shift, slope, residual)
      : add(own(mul(x, own(reshape(factor, shape)))), own(reshape(shift, shape)));
    // Without a note nobody else frees them.
    if (z.origin === undefined) for (const t of made) t.dispose();
    return z;
  });
  return onePass ? y : finished(y, activation, residual);
}
