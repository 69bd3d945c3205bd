/** @file Indices of extremes, which have no gradient, and picking and adding along an axis by an index tensor, which have. */

import {
  argmax as argmaxKernel,
  argmin as argminKernel,
  gatherAxis,
  oneHot as oneHotKernel,
  type OneHotOptions,
  scatterAdd as scatterKernel,
  scatterAxis,
  take,
  takeGradient,
} from "../kernels/indexing.ts";
import { pad, padAxes } from "../kernels/pad.ts";
import { ShapeError } from "../host/errors.ts";
import { expectOptions } from "../host/options.ts";
import { normalizeAxis, sameShape, type Shape, showShape } from "../host/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { float32 } from "./precision.ts";
import { reduceNames, type ReduceOptions } from "./reduce.ts";
import { record, report } from "./tape.ts";
import { expectKind } from "../tensor/kind.ts";

/**
 * Index (i32) of the first largest element along `axis`: `[…, size, …]` → `[…, …]`, with `keepDims` `[…, 1, …]`. Throws `ShapeError` for an axis that is
 * not there or empty, `DTypeError` unless f32.
 */
export function argmax(x: Tensor, axis: number, options: ReduceOptions = {}): Tensor {
  return place("argmax", argmaxKernel, x, axis, options);
}

/** Index (i32) of the first smallest element along `axis`; shapes and errors as `argmax`. */
export function argmin(x: Tensor, axis: number, options: ReduceOptions = {}): Tensor {
  return place("argmin", argminKernel, x, axis, options);
}

function place(op: string, kernel: typeof argmaxKernel, x: Tensor, axis: number, options: ReduceOptions): Tensor {
  expectOptions(op, options, reduceNames);
  const { keepDims = false } = options;
  const y = kernel(x, axis, keepDims);
  return report(op, [x], y, { axis: normalizeAxis(op, axis, x.rank), keepDims });
}

/**
 * f32 indicator channels of class indices (f32, i32 or u32) `[N, 1, …]` → `[N, classes, …]`. An index outside of the classes gives zeros, and the
 * next read-back throws `DataError`. Throws `ShapeError`, `DTypeError`, `ConfigError`.
 */
export function oneHot(index: Tensor, classes: number, options: OneHotOptions = {}): Tensor {
  return report("oneHot", [index], oneHotKernel(index, classes, options), { classes, ignoreIndex: options.ignoreIndex });
}

// Both ways of picking have the same gradient: dy goes back to where its elements came from.
function picked(op: string, x: Tensor, at: number, index: Tensor): Tensor {
  x = float32(x);
  return record(op, [x], take(op, x, at, index), (dy) => [takeGradient(op, dy, x.shape, at, index)], { axis: at, index });
}

/**
 * PyTorch's gather: `y[i][j][k] = x[i][index[i][j][k]][k]` for axis 1. The result has the shape of the index (i32 or u32), which has the rank of `x`
 * and may be smaller on other axes. Unlike there an index outside the axis, also a negative one, gives 0 and no gradient: the device does not stop.
 * Throws `ShapeError`, `DTypeError`.
 */
export function gather(x: Tensor, axis: number, index: Tensor): Tensor {
  expectKind("gather", { x, index });
  return picked("gather", x, gatherAxis("gather", x.shape, axis, index.shape), index);
}

/**
 * PyTorch's index_select: `x` along `axis` at the places that a one-dimensional index names. Indices outside as for `gather`. Throws `ShapeError`,
 * `DTypeError`. The result has the shape of `x` with the length of `index` along `axis`.
 */
export function indexSelect(x: Tensor, axis: number, index: Tensor): Tensor {
  expectKind("indexSelect", { x, index });
  const at = normalizeAxis("indexSelect", axis, x.rank);
  if (index.rank !== 1) throw new ShapeError(`indexSelect: the index must have one axis, got ${showShape(index.shape)}`);
  return picked("indexSelect", x, at, index);
}

function grown(t: Tensor, shape: Shape): Tensor {
  if (sameShape(t.shape, shape)) return t;
  const widths = shape.flatMap((d, i) => [d - t.shape[i], 0]).toReversed();
  const out = pad("scatterAdd", t, padAxes(t.shape, widths, "constant"), "constant");
  t.dispose();
  return out;
}

/**
 * PyTorch's scatter_add: `x` with `src` added at `x[i][index[i][j][k]][k]` for axis 1. The index is no larger than `src`, nor than `x` on other axes;
 * an index outside the axis adds nowhere. Values meant for one element are added in their order along the axis, so the result is the same in every
 * bit each time, at the price of a look at the whole row of the index per element. Throws `ShapeError`, `DTypeError`.
 */
export function scatterAdd(x: Tensor, axis: number, index: Tensor, src: Tensor): Tensor {
  expectKind("scatterAdd", { x, index, src });
  [x, src] = [float32(x), float32(src)];
  const at = scatterAxis(x.shape, axis, index.shape, src.shape);
  return record("scatterAdd", [x, src], scatterKernel(x, at, index, src), (dy, needs) => [
    dy,
    needs[1] ? grown(take("scatterAdd", dy, at, index), src.shape) : undefined,
  ]);
}
