/** @file Largest and smallest elements along one axis with their indices, and gradients. */

import { argmax, argmin, place } from "../kernels/indexing.ts";
import { reduce } from "../kernels/reduce.ts";
import { normalizeAxis } from "../host/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { ReduceOptions } from "./reduce.ts";
import { float32 } from "./precision.ts";
import { record } from "./tape.ts";

/** A type and not an interface, so that a scope may return it. */
export type Extremes = {
  readonly values: Tensor;
  /** i32, of the first among equals. */
  readonly indices: Tensor;
};

function extreme(op: "max" | "min", x: Tensor, axis: number, keepDims: boolean): Extremes {
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

/** Largest elements along `axis`, as torch.max(x, dim): the gradient goes to the first among equals. Throws `ShapeError`. */
export function max(x: Tensor, axis: number, { keepDims = false }: ReduceOptions = {}): Extremes {
  return extreme("max", x, axis, keepDims);
}

/** Smallest elements along `axis`, as torch.min(x, dim): the gradient goes to the first among equals. Throws `ShapeError`. */
export function min(x: Tensor, axis: number, { keepDims = false }: ReduceOptions = {}): Extremes {
  return extreme("min", x, axis, keepDims);
}
