/** @file Reshape, slice, concat and permute with gradients. */

import * as kernels from "../kernels/view.ts";
import type { SliceSpec } from "../kernels/view.ts";
import { ConfigError, ShapeError } from "../tensor/errors.ts";
import { sizeOf } from "../tensor/host.ts";
import { normalizeAxis, type Shape, showShape } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { record } from "./tape.ts";

/** The same elements under another shape; one size may be −1. Shares memory. Throws `ShapeError`. */
export function reshape(x: Tensor, shape: Shape): Tensor {
  const open = shape.indexOf(-1);
  const target = open < 0 ? shape : shape.with(open, x.size / sizeOf(shape.toSpliced(open, 1)));
  // A second −1, or another negative size, could multiply to the right count.
  if (!target.every((d) => Number.isInteger(d) && d >= 0)) {
    throw new ShapeError(`reshape: ${showShape(x.shape)} does not fit ${showShape(shape)}`);
  }
  return record("reshape", [x], x.view(target), (dy) => [dy.view(x.shape)]);
}

/**
 * Part of a tensor: one `[start, stop, step]` per leading axis, `undefined` keeps an axis whole; negative bounds count from the end.
 * Throws `ShapeError`.
 */
export function slice(x: Tensor, slices: readonly (SliceSpec | undefined)[]): Tensor {
  const ranges = kernels.sliceRanges(x.shape, slices);
  return record("slice", [x], kernels.slice(x, ranges), (dy) => [kernels.sliceGradient(dy, x.shape, ranges)]);
}

/** Tensors one after the other along `axis` (the channels by default). Throws `ShapeError` if other axes differ. */
export function concat(tensors: readonly Tensor[], axis = 1): Tensor {
  for (const t of tensors) {
    if (t.device !== tensors[0].device || t.dtype !== tensors[0].dtype) {
      throw new ConfigError("concat: tensors must be of one type on one device");
    }
  }
  const y = kernels.concat(tensors, axis);
  return record("concat", tensors, y, (dy, needs) => {
    const at = normalizeAxis("concat", axis, y.rank);
    let start = 0;
    return tensors.map((t, i) => {
      const from = start;
      start += t.shape[at];
      if (!needs[i]) return undefined;
      const ranges = y.shape.map((size, k) =>
        k === at ? { start: from, count: t.shape[at], step: 1 } : { start: 0, count: size, step: 1 },
      );
      return kernels.slice(dy, ranges);
    });
  });
}

/** Axes in a new order. Throws `ShapeError` unless `axes` is a permutation. */
export function permute(x: Tensor, axes: readonly number[]): Tensor {
  return record("permute", [x], kernels.permute(x, axes), (dy) => [
    kernels.permute(
      dy,
      axes.map((_, i) => axes.indexOf(i)),
    ),
  ]);
}
