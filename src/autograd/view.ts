/**
 * @file Operations that move elements, with gradients: reshape, squeeze, unsqueeze, slice, split, concat, stack, permute, expand, flip and
 * rot90. They take f32, i32 and u32.
 */

import * as kernels from "../kernels/view.ts";
import type { SliceSpec } from "../kernels/view.ts";
import { reduceAxes } from "../kernels/reduce.ts";
import { ConfigError, ShapeError } from "../host/errors.ts";
import { sizeOf } from "../host/array.ts";
import { normalizeAxis, type Shape, showShape } from "../host/shape.ts";
import { expectKind, expectTensorList } from "../tensor/kind.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { float32, sumAs } from "./precision.ts";
import { type Backward, noGrad, record } from "./tape.ts";
import { expectArguments } from "../host/kinds.ts";

export type { SliceSpec } from "../kernels/view.ts";

/** The same elements under another shape; one size may be −1. Shares memory. Throws `ShapeError`. */
export function reshape(x: Tensor, shape: Shape): Tensor {
  expectKind("reshape", { x });
  expectArguments("reshape", "numbers", { shape });
  const open = shape.indexOf(-1);
  const target = open < 0 ? shape : shape.with(open, x.size / sizeOf(shape.toSpliced(open, 1)));
  // A second −1, or another negative size, could multiply to the right count.
  if (!target.every((d) => Number.isInteger(d) && d >= 0)) {
    throw new ShapeError(`reshape: ${showShape(x.shape)} does not fit ${showShape(shape)}`);
  }
  return record("reshape", [x], x.view(target), (dy) => [dy.view(x.shape)]);
}

/** The same values and shape without their history: no gradient flows back through the result. Shares memory, so it must not be changed in place. */
export function detach(x: Tensor): Tensor {
  expectKind("detach", { x });
  return noGrad(() => reshape(x, x.shape));
}

/** Without the axes of size 1: all, or those named that have size 1, as PyTorch. Shares memory. Throws `ShapeError` for axes that are not there. Any shape. */
export function squeeze(x: Tensor, axes?: number | readonly number[]): Tensor {
  expectKind("squeeze", { x });
  const list = reduceAxes("squeeze", x.shape, axes);
  const shape = x.shape.filter((d, i) => d !== 1 || !list.includes(i));
  return record("squeeze", [x], x.view(shape), (dy) => [dy.view(x.shape)], { axes: list });
}

/** With a new axis of size 1 at `axis` of the result. Shares memory. Throws `ShapeError` outside of [−rank − 1, rank]. */
export function unsqueeze(x: Tensor, axis: number): Tensor {
  expectKind("unsqueeze", { x });
  const at = normalizeAxis("unsqueeze", axis, x.rank + 1);
  return record("unsqueeze", [x], x.view(x.shape.toSpliced(at, 0, 1)), (dy) => [dy.view(x.shape)], { axis: at });
}

/**
 * Part of a tensor: one `[start, stop, step]` per leading axis, `undefined` keeps an axis whole; negative bounds count from the end.
 * Throws `ShapeError`.
 */
export function slice(x: Tensor, slices: readonly (SliceSpec | undefined)[]): Tensor {
  expectKind("slice", { x });
  expectArguments("slice", "list", { slices });
  slices.forEach((range, axis) => expectArguments("slice", "list?", { [`the range of axis ${axis}`]: range }));
  return cut("slice", x, kernels.sliceRanges(x.shape, slices));
}

function cut(op: string, x: Tensor, ranges: readonly kernels.Range[]): Tensor {
  return record(op, [x], kernels.slice(x, ranges), (dy) => [kernels.sliceGradient(dy, x.shape, ranges)], { ranges });
}

const along = (shape: Shape, axis: number, start: number, count: number): kernels.Range[] =>
  shape.map((size, i) => (i === axis ? { start, count, step: 1 } : { start: 0, count: size, step: 1 }));

/**
 * The reverse of `concat`: parts of these sizes along `axis` (the channels by default), or of one size, with what is left in the last part.
 * Throws `ShapeError` if the sizes do not add up. Parts have the shape of `x` but for `axis`.
 */
export function split(x: Tensor, sizes: number | readonly number[], axis = 1): Tensor[] {
  expectKind("split", { x });
  if (typeof sizes !== "number") expectArguments("split", "numbers", { sizes });
  const at = normalizeAxis("split", axis, x.rank);
  let start = 0;
  return kernels.splitSizes(x.shape[at], sizes).map((count) => {
    const part = cut("split", x, along(x.shape, at, start, count));
    start += count;
    return part;
  });
}

// The tensors as they are joined: of one type on one device; f16 and f32 together are f32.
function alike(op: string, given: readonly Tensor[]): readonly Tensor[] {
  expectTensorList(op, "tensors", given);
  const tensors = given.some((t) => t.dtype === "f32") ? given.map(float32) : given;
  for (const t of tensors) {
    if (t.device !== tensors[0].device || t.dtype !== tensors[0].dtype) {
      throw new ConfigError(`${op}: tensors must be of one type on one device`);
    }
  }
  return tensors;
}

/** Tensors one after the other along `axis` (the channels by default). Throws `ShapeError` if other axes differ. Their shapes are equal but for `axis`. */
export function concat(tensors: readonly Tensor[], axis = 1): Tensor {
  tensors = alike("concat", tensors);
  const y = kernels.concat(tensors, axis);
  const at = normalizeAxis("concat", axis, y.rank);
  const backward: Backward = (dy, needs) => {
    let start = 0;
    return tensors.map((t, i) => {
      const from = start;
      start += t.shape[at];
      return needs[i] ? kernels.slice(dy, along(y.shape, at, from, t.shape[at])) : undefined;
    });
  };
  return record("concat", tensors, y, backward, { axis: at });
}

/** Tensors of one shape along a new axis, the first by default. Throws `ShapeError` if shapes differ. */
export function stack(tensors: readonly Tensor[], axis = 0): Tensor {
  tensors = alike("stack", tensors);
  const shape = kernels.stackShape(
    tensors.map((t) => t.shape),
    axis,
  );
  const at = normalizeAxis("stack", axis, shape.length);
  const parts = tensors.map((t) => t.view(t.shape.toSpliced(at, 0, 1)));
  const y = kernels.concat(parts, at);
  for (const p of parts) p.dispose();
  const backward: Backward = (dy, needs) =>
    tensors.map((t, i) => {
      if (!needs[i]) return undefined;
      const part = kernels.slice(dy, along(y.shape, at, i, 1));
      const out = part.view(t.shape);
      part.dispose();
      return out;
    });
  return record("stack", tensors, y, backward, { axis: at });
}

/** Axes in a new order. Throws `ShapeError` unless `axes` is a permutation. Any shape: axis i of the result is axis `axes[i]` of `x`. */
export function permute(x: Tensor, axes: readonly number[]): Tensor {
  expectKind("permute", { x });
  expectArguments("permute", "numbers", { axes });
  const inverse = axes.map((_, i) => axes.indexOf(i));
  return record("permute", [x], kernels.permute(x, axes), (dy) => [kernels.permute(dy, inverse)], { axes });
}

/**
 * Axes of size 1 repeated up to `shape`, as by broadcasting; new axes come on the left and −1 keeps a size (PyTorch's expand, but with memory of
 * its own). Throws `ShapeError`.
 */
export function expand(x: Tensor, shape: Shape): Tensor {
  expectKind("expand", { x });
  expectArguments("expand", "numbers", { shape });
  const target = kernels.expandShape(x.shape, shape);
  return record("expand", [x], kernels.expand(x, target), (dy) => {
    const lead = target.length - x.rank;
    const grown = target.flatMap((d, i) => (i < lead || d !== x.shape[i - lead] ? [i] : []));
    return [sumAs(dy, grown, x)];
  });
}

/** Reversed along one or more axes. Throws `ShapeError` for axes that are not there or named twice. Any shape, kept. */
export function flip(x: Tensor, axes: number | readonly number[]): Tensor {
  expectKind("flip", { x });
  expectArguments("flip", typeof axes === "number" ? "number" : "numbers", { axes });
  const list = reduceAxes("flip", x.shape, axes);
  return record("flip", [x], kernels.flip(x, list), (dy) => [kernels.flip(dy, list)], { axes: list });
}

/**
 * Turned by `k` quarters in the plane of two axes, from the first towards the second (numpy's and PyTorch's rot90). Throws `ShapeError`. Any shape; for odd
 * `k` the two sizes change places.
 */
export function rot90(x: Tensor, k = 1, axes: readonly [number, number] = [0, 1]): Tensor {
  expectKind("rot90", { x });
  expectArguments("rot90", "numbers", { axes });
  return record("rot90", [x], kernels.rot90(x, k, axes), (dy) => [kernels.rot90(dy, -k, axes)], { k, axes });
}
