/** @file Max and average pooling, unpooling, with gradients. */

import * as kernels from "../kernels/pool.ts";
import { avgPoolNames, type AvgPoolOptions, maxPoolNames, type MaxPoolOptions, type PoolGeometry } from "../kernels/pool.ts";
import * as unpool from "../kernels/pool_unpool.ts";
import type { MaxUnpoolOptions } from "../kernels/pool_unpool.ts";
import { type AxisMaps, resample, resampleGradient } from "../kernels/resample.ts";
import { ShapeError } from "../host/errors.ts";
import { expectOptions } from "../host/options.ts";
import { type Shape, showShape, type Spatial } from "../host/shape.ts";
import { expectFloats } from "../kernels/lib/args.ts";
import { expectKind } from "../tensor/kind.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { mean } from "./reduce.ts";
import { type Arguments, type Backward, record } from "./tape.ts";
import { expectArguments } from "../host/kinds.ts";

export type { AvgPoolOptions, MaxPoolOptions, PoolWindowOptions } from "../kernels/pool.ts";
export type { MaxUnpoolOptions } from "../kernels/pool_unpool.ts";

/** Result of a max pool, and for each of its elements where the maximum was: the flat index in its plane. */
export interface MaxPoolResult {
  /** The maxima, `[N, C, …]`. */
  readonly output: Tensor;
  /** i32, the shape of `output`: position of each maximum inside its input plane, as PyTorch. Gradients need it: dispose it after them. */
  readonly indices: Tensor;
}

function max(op: string, x: Tensor, g: PoolGeometry, args: Arguments): MaxPoolResult {
  const { y, indices } = kernels.maxPool(op, x, g);
  const backward: Backward = (dy) => [kernels.maxPoolGradient(op, indices, dy, g, x.shape)];
  const output = record(op, [x], y, backward, { ...args, indices });
  return { output, indices };
}

function withoutIndices({ output, indices }: MaxPoolResult): Tensor {
  // Without a note nobody else frees them.
  if (output.origin === undefined) indices.dispose();
  return output;
}

/**
 * The largest element of each window; of equal ones the first gets the gradient.
 * @param x `[N, C, spatial…]` with 1 to 3 spatial axes
 * @returns `[N, C, ⌊(size + 2·padding − dilation·(kernelSize − 1) − 1) / stride⌋ + 1 …]`, rounded up with `ceilMode`
 * @throws ShapeError
 */
export function maxPool(x: Tensor, options: MaxPoolOptions): Tensor {
  expectArguments("maxPool", "object", { options });
  expectOptions("maxPool", options, maxPoolNames);
  return withoutIndices(maxPoolWithIndices(x, options));
}

/** `maxPool` and where the maxima were, for `maxUnpool`. Throws `ShapeError`. Shapes as there. */
export function maxPoolWithIndices(x: Tensor, options: MaxPoolOptions): MaxPoolResult {
  expectArguments("maxPoolWithIndices", "object", { options });
  expectOptions("maxPoolWithIndices", options, maxPoolNames);
  expectKind("maxPool", { x });
  return max("maxPool", x, kernels.maxPoolShape(x.shape, options), { options });
}

/** Max pooling to `outputSize` with windows ⌊o·size/out⌋ … ⌈(o+1)·size/out⌉. Throws `ShapeError`. `[N, C, …]` to `[N, C, …outputSize]`. */
export function adaptiveMaxPool(x: Tensor, outputSize: Spatial): Tensor {
  return withoutIndices(adaptiveMaxPoolWithIndices(x, outputSize));
}

/** `adaptiveMaxPool` and where the maxima were. Throws `ShapeError`. Shapes as there. */
export function adaptiveMaxPoolWithIndices(x: Tensor, outputSize: Spatial): MaxPoolResult {
  expectKind("adaptiveMaxPool", { x });
  return max("adaptiveMaxPool", x, kernels.adaptiveMaxPoolShape(x.shape, outputSize), { outputSize });
}

/**
 * The reverse of `maxPoolWithIndices`: zeros with the elements of `x` where the maxima were. Of several inputs with one index the last
 * one stays; indices outside the plane are ignored.
 * @param x `[N, C, spatial…]`
 * @param indices i32, of the same shape
 * @returns `[N, C, outputSize…]`
 * @throws ShapeError, DTypeError for indices of another type
 */
export function maxUnpool(x: Tensor, indices: Tensor, options: MaxUnpoolOptions): Tensor {
  expectArguments("maxUnpool", "object", { options });
  expectOptions("maxUnpool", options, "outputSize kernelSize stride padding");
  expectKind("maxUnpool", { x, indices });
  const shape = unpool.maxUnpoolShape(x.shape, indices.shape, options);
  const backward: Backward = (dy) => [unpool.maxUnpoolGradient(indices, dy)];
  return record("maxUnpool", [x], unpool.maxUnpool(x, indices, shape), backward, { indices, options });
}

function average(op: string, x: Tensor, { maps, outShape }: { maps: AxisMaps; outShape: Shape }, args: Arguments): Tensor {
  return record(op, [x], resample(op, x, maps, outShape), (dy) => [resampleGradient(op, dy, maps, x.shape)], args);
}

/**
 * The average of each window.
 * @param x `[N, C, spatial…]` with 1 to 3 spatial axes
 * @returns `[N, C, ⌊(size + 2·padding − kernelSize) / stride⌋ + 1 …]`, rounded up with `ceilMode`
 * @throws ShapeError, ConfigError for a divisor of 0
 */
export function avgPool(x: Tensor, options: AvgPoolOptions): Tensor {
  expectArguments("avgPool", "object", { options });
  expectOptions("avgPool", options, avgPoolNames);
  expectKind("avgPool", { x });
  return average("avgPool", x, kernels.avgPoolShape(x.shape, options), { options });
}

/** Average pooling to `outputSize` with windows ⌊o·size/out⌋ … ⌈(o+1)·size/out⌉. Throws `ShapeError`. `[N, C, …]` to `[N, C, …outputSize]`. */
export function adaptiveAvgPool(x: Tensor, outputSize: Spatial): Tensor {
  expectKind("adaptiveAvgPool", { x });
  return average("adaptiveAvgPool", x, kernels.adaptiveAvgPoolShape(x.shape, outputSize), { outputSize });
}

/** Mean over all positions, `[N, C, spatial…]` → `[N, C, 1…]`. Throws `ShapeError` without a spatial axis. */
export function globalAvgPool(x: Tensor): Tensor {
  expectFloats("globalAvgPool", { x });
  if (x.rank < 3) throw new ShapeError(`globalAvgPool: input must be [N, C, spatial…], got ${showShape(x.shape)}`);
  return mean(x, x.shape.map((_, i) => i).slice(2), { keepDims: true });
}
