/** @file Sum and mean with gradients. */

import { unary } from "../kernels/pointwise.ts";
import { reduceAxes, reducedShape, reduceSum } from "../kernels/reduce.ts";
import { expand } from "../kernels/view.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { record } from "./tape.ts";

export interface ReduceOptions {
  /** Keep reduced axes with size 1; default false. */
  readonly keepDims?: boolean;
}

function apply(op: string, x: Tensor, axes: number | readonly number[] | undefined, keepDims: boolean, average: boolean): Tensor {
  const list = reduceAxes(op, x.shape, axes);
  const factor = average ? list.reduce((f, a) => f / x.shape[a], 1) : 1;
  return record(op, [x], reduceSum(x, list, keepDims, factor), (dy) => {
    const scaled = average ? unary("affine", dy, factor) : dy;
    const aligned = scaled.view(reducedShape(x.shape, list, true));
    return [expand(aligned, x.shape)];
  });
}

/** Sum over `axes`, or over everything. Throws `ShapeError` for axes that are not there. */
export function sum(x: Tensor, axes?: number | readonly number[], { keepDims = false }: ReduceOptions = {}): Tensor {
  return apply("sum", x, axes, keepDims, false);
}

/** Mean over `axes`, or over everything. Throws `ShapeError` for axes that are not there. */
export function mean(x: Tensor, axes?: number | readonly number[], { keepDims = false }: ReduceOptions = {}): Tensor {
  return apply("mean", x, axes, keepDims, true);
}
