/** @file Sums, means, extremes, norms and spreads over axes, with gradients; names and rules are PyTorch's. */

import { argmax, argmin, place } from "../kernels/indexing.ts";
import { expectFloats } from "../kernels/lib/args.ts";
import { binary, unary } from "../kernels/pointwise.ts";
import { reduce, reduceAxes, reducedShape, reduceSum, reduceTerms } from "../kernels/reduce.ts";
import { reduceGradient } from "../kernels/reduce_gradient.ts";
import type { Combination } from "../kernels/reduce_operators.ts";
import { expand } from "../kernels/view.ts";
import { ConfigError, ShapeError } from "../host/errors.ts";
import { expectOptions } from "../host/options.ts";
import { normalizeAxis, showShape } from "../host/shape.ts";
import { expectKind } from "../tensor/kind.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { float32 } from "./precision.ts";
import { type Backward, record } from "./tape.ts";

/** One axis, several, or all of them; negative ones count from the end. */
export type Axes = number | readonly number[];

/** Options of `sum`, `mean` and the other reductions. */
export interface ReduceOptions {
  /** Keep reduced axes with size 1; default false. */
  readonly keepDims?: boolean;
}

/** The names of these options. @internal */
export const reduceNames = "keepDims";

function apply(op: string, x: Tensor, axes: Axes | undefined, keepDims: boolean, average: boolean): Tensor {
  expectFloats(op, { x });
  x = float32(x);
  const list = reduceAxes(op, x.shape, axes);
  const divisor = average ? reduceTerms(op, x.shape, list) : 1;
  const backward: Backward = (dy) => {
    const scaled = average ? binary("div", dy, divisor) : dy;
    const aligned = scaled.view(reducedShape(x.shape, list, true));
    return [expand(aligned, x.shape)];
  };
  return record(op, [x], reduceSum(x, list, keepDims, divisor), backward, { axes: list, keepDims });
}

/** Sum over `axes`, or over everything. Throws `ShapeError` for axes that are not there. Any shape; without `keepDims` the axes go. */
export function sum(x: Tensor, axes?: Axes, options: ReduceOptions = {}): Tensor {
  expectOptions("sum", options, reduceNames);
  const { keepDims = false } = options;
  return apply("sum", x, axes, keepDims, false);
}

/** Mean over `axes`, or over everything. Throws `ShapeError` for axes that are not there. Any shape; without `keepDims` the axes go. */
export function mean(x: Tensor, axes?: Axes, options: ReduceOptions = {}): Tensor {
  expectOptions("mean", options, reduceNames);
  const { keepDims = false } = options;
  return apply("mean", x, axes, keepDims, true);
}

function extreme(op: string, combine: Combination, x: Tensor, axes: Axes | undefined, keepDims: boolean): Tensor {
  expectKind(op, { x });
  x = float32(x);
  const list = reduceAxes(op, x.shape, axes);
  reduceTerms(op, x.shape, list, 1);
  const y = reduce(op, x, list, keepDims, { combine });
  const backward: Backward = (dy) => {
    const other = reduce(op, x, list, keepDims, { map: "equal", center: y });
    const dx = reduceGradient("extreme", x, list, dy, { value: y, other });
    other.dispose();
    return [dx];
  };
  return record(op, [x], y, backward, { axes: list, keepDims });
}

/** Largest element over `axes`, or of everything; equal ones share the gradient evenly. Throws `ShapeError` if there is none. */
export function amax(x: Tensor, axes?: Axes, options: ReduceOptions = {}): Tensor {
  expectOptions("amax", options, reduceNames);
  const { keepDims = false } = options;
  return extreme("amax", "max", x, axes, keepDims);
}

/** Smallest element over `axes`, or of everything; equal ones share the gradient evenly. Throws `ShapeError` if there is none. */
export function amin(x: Tensor, axes?: Axes, options: ReduceOptions = {}): Tensor {
  expectOptions("amin", options, reduceNames);
  const { keepDims = false } = options;
  return extreme("amin", "min", x, axes, keepDims);
}

/** A type and not an interface, so that a scope may return it. */
export type Extremes = {
  /** The extreme values, in the shape that the reduction leaves. */
  readonly values: Tensor;
  /** i32, of the first among equals. Same shape as `values`. */
  readonly indices: Tensor;
};

function firstExtreme(op: "max" | "min", x: Tensor, axis: number, keepDims: boolean): Extremes {
  expectFloats(op, { x });
  x = float32(x);
  const at = normalizeAxis(op, axis, x.rank);
  const indices = (op === "max" ? argmax : argmin)(x, at, keepDims);
  const values = reduce(op, x, [at], keepDims, { combine: op });
  // A view of its own: callers may dispose the indices before the gradient is taken.
  const saved = indices.view(indices.shape);
  record(op, [x], values, (dy) => [place(dy, saved, x.shape, at)], { axis: at, keepDims, indices });
  if (values.origin === undefined) saved.dispose();
  return { values, indices };
}

/** Largest elements along `axis`, as `torch.max(x, dim)`: the gradient goes to the first among equals. Throws `ShapeError`. */
export function max(x: Tensor, axis: number, options: ReduceOptions = {}): Extremes {
  expectOptions("max", options, reduceNames);
  const { keepDims = false } = options;
  return firstExtreme("max", x, axis, keepDims);
}

/** Smallest elements along `axis`, as `torch.min(x, dim)`: the gradient goes to the first among equals. Throws `ShapeError`. */
export function min(x: Tensor, axis: number, options: ReduceOptions = {}): Extremes {
  expectOptions("min", options, reduceNames);
  const { keepDims = false } = options;
  return firstExtreme("min", x, axis, keepDims);
}

/** Options of `variance` and `std`. */
export interface VarianceOptions extends ReduceOptions {
  /** The sum of squares is divided by the number of elements less this; default 1, Bessel's. */
  readonly correction?: number;
}

const varianceNames = "correction keepDims";

// The mean, then the squares around it: the difference of two large sums would keep no digit of images like CT, mean 1000 and deviation 1.
function spread(
  op: "variance" | "std",
  x: Tensor,
  axes: Axes | undefined,
  { correction = 1, keepDims = false }: VarianceOptions,
): Tensor {
  expectKind(op, { x });
  x = float32(x);
  const list = reduceAxes(op, x.shape, axes);
  const terms = reduceTerms(op, x.shape, list, 1);
  if (!(terms > correction)) {
    throw new ShapeError(
      `${op}: ${terms} elements of ${showShape(x.shape)} for each result leave nothing with correction ${correction}; reduce more axes`,
    );
  }
  const factor = 1 / (terms - correction);
  const center = reduce(op, x, list, false, { divisor: terms });
  const variance = reduce(op, x, list, keepDims, { map: "deviation", center, divisor: terms - correction });
  const y = op === "std" ? unary("sqrt", variance) : variance;
  if (y !== variance) variance.dispose();
  const backward: Backward = (dy) => [
    op === "std"
      ? reduceGradient(op, x, list, dy, { value: center, other: y, factor })
      : reduceGradient(op, x, list, dy, { value: center, factor: 2 * factor }),
  ];
  record(op, [x], y, backward, { axes: list, keepDims, correction });
  // Without a note nobody else frees it.
  if (y.origin === undefined) center.dispose();
  return y;
}

/** Variance over `axes`, or of everything, in two passes. Throws `ShapeError` for axes that are not there or too few elements. */
export function variance(x: Tensor, axes?: Axes, options: VarianceOptions = {}): Tensor {
  expectOptions("variance", options, varianceNames);
  return spread("variance", x, axes, options);
}

/** Square root of the variance; where it is 0 the gradient is 0. Throws `ShapeError` as `variance` does. Shapes as there. */
export function std(x: Tensor, axes?: Axes, options: VarianceOptions = {}): Tensor {
  expectOptions("std", options, varianceNames);
  return spread("std", x, axes, options);
}

/** Options of `vectorNorm`. */
export interface VectorNormOptions extends ReduceOptions {
  /** Σ|x|, √Σx² or max|x|; default 2. */
  readonly p?: 1 | 2 | typeof Infinity;
  /** Default: all. */
  readonly axes?: Axes;
}

/**
 * Vector norm over axes. Where PyTorch takes a subgradient so does this: 0 for the 2-norm of zeros, equal shares among the largest of the maximum
 * norm. Throws `ShapeError`, and `ConfigError` for another p. Any shape; without `keepDims` the axes go.
 */
export function vectorNorm(x: Tensor, options: VectorNormOptions = {}): Tensor {
  expectOptions("vectorNorm", options, "p axes keepDims");
  const { p = 2, axes, keepDims = false } = options;
  expectFloats("vectorNorm", { x });
  x = float32(x);
  const list = reduceAxes("vectorNorm", x.shape, axes);
  const args = { p, axes: list, keepDims };
  switch (p) {
    case 1: {
      const backward: Backward = (dy) => [reduceGradient("norm1", x, list, dy, { value: dy })];
      return record("vectorNorm", [x], reduce("norm", x, list, keepDims, { map: "abs" }), backward, args);
    }
    case 2: {
      const squares = reduce("vectorNorm", x, list, keepDims, { map: "square" });
      const y = unary("sqrt", squares);
      squares.dispose();
      return record("vectorNorm", [x], y, (dy) => [reduceGradient("norm2", x, list, dy, { value: y })], args);
    }
    case Infinity: {
      reduceTerms("vectorNorm", x.shape, list, 1);
      const y = reduce("vectorNorm", x, list, keepDims, { map: "abs", combine: "max" });
      const backward: Backward = (dy) => {
        const other = reduce("vectorNorm", x, list, keepDims, { map: "absEqual", center: y });
        const dx = reduceGradient("normInfinity", x, list, dy, { value: y, other });
        other.dispose();
        return [dx];
      };
      return record("vectorNorm", [x], y, backward, args);
    }
    default:
      throw new ConfigError(`vectorNorm: p must be 1, 2 or Infinity, got ${String(p)}`);
  }
}
