/** @file Tensors one after the other along their axes: a strided copy in which each axis is a pair [count, size]. */

import { ShapeError } from "../host/errors.ts";
import { type Shape, showShape, stridesOf } from "../host/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { gather, maxAxes, mergeAxes } from "./lib/strided.ts";

/** Shape rule: sizes of the input's axes, with new ones of 1 on the left. Throws `ShapeError` unless there is a count for each axis. */
export function repeatedSizes(op: string, shape: Shape, counts: readonly number[]): number[] {
  const lead = counts.length - shape.length;
  if (lead < 0 || !counts.every((n) => Number.isInteger(n) && n >= 0)) {
    throw new ShapeError(`${op}: needs a count of at least 0 for each axis of ${showShape(shape)}, got ${showShape(counts)}`);
  }
  return counts.map((_, i) => (i < lead ? 1 : shape[i - lead]));
}

/** `x`, seen with these sizes, `counts[i]` times along axis i. */
export function repeat(op: string, x: Tensor, sizes: readonly number[], counts: readonly number[]): Tensor {
  const strides = stridesOf(sizes);
  const layout = { shape: sizes.flatMap((d, i) => [counts[i], d]), strides: strides.flatMap((s) => [0, s]) };
  // More pairs than the kernel has axes: three from the right first, then the rest.
  const changed = counts.flatMap((n, i) => (n === 1 ? [] : [i]));
  if (changed.length > 3 && mergeAxes(layout).shape.length > maxAxes) {
    const first = counts.map((n, i) => (changed.slice(-3).includes(i) ? n : 1));
    const part = repeat(op, x, sizes, first);
    const rest = counts.map((n, i) => (first[i] === n ? 1 : n));
    const y = repeat(op, part, part.shape, rest);
    part.dispose();
    return y;
  }
  const flat = gather(op, x, layout.shape, layout.strides, 0);
  const y = flat.view(sizes.map((d, i) => counts[i] * d));
  flat.dispose();
  return y;
}
