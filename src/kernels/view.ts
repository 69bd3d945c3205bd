/** @file Copies that move elements without computing: slices, permutations, flips, rotations, expansions, concatenation, filling. */

import { ShapeError } from "../host/errors.ts";
import type { DType } from "../host/array.ts";
import { write } from "../tensor/kernel.ts";
import { normalizeAxis, sameShape, type Shape, showShape, stridesOf } from "../host/shape.ts";
import type { Device } from "../tensor/device.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { eachPiece } from "./lib/pieces.ts";
import { gather, scatter, wordKind } from "./lib/strided.ts";
import { flat } from "./lib/workgroups.ts";
import { fillShader } from "./shaders/view/fill.gen.ts";
import { expectArguments } from "../host/kinds.ts";
import { expectDevice } from "../tensor/kind.ts";

const word = new DataView(new ArrayBuffer(4));

/** A tensor full of one value. Of the given shape; default type f32. */
export function full(device: Device, shape: Shape, value: number, dtype: DType = "f32"): Tensor {
  expectDevice("full", device);
  expectArguments("full", "number", { value });
  const y = device.empty(shape, dtype);
  if (y.size === 0) return y;
  if (dtype === "f32" || dtype === "f16") word.setFloat32(0, value);
  else word.setInt32(0, value);
  const bits = word.getInt32(0);
  eachPiece("full", y.rank, [write(y)], ([piece]) => {
    const wide = piece.size % 4 === 0;
    const { words, workgroups } = flat(device, "full", wide ? piece.size / 4 : piece.size);
    device.run(
      fillShader[wordKind(dtype, wide)]({
        variant: wide ? "vec4" : undefined,
        params: { ...words, value: bits },
        bind: { y: write(piece) },
        workgroups,
      }),
    );
  });
  return y;
}

/** Where an axis range begins and how many elements it has, for `start:stop:step` with Python's clamping; steps are positive. */
export interface Range {
  readonly start: number;
  readonly count: number;
  readonly step: number;
}

/** `[start, stop, step]` of an axis of `size` elements; negative bounds count from the end. */
export type SliceSpec = readonly [start?: number | undefined, stop?: number | undefined, step?: number | undefined];

/** Shape rule of `slice`: one entry per leading axis, missing ones keep the axis whole. Throws `ShapeError`. */
export function sliceRanges(shape: Shape, slices: readonly (SliceSpec | undefined)[]): Range[] {
  if (slices.length > shape.length)
    throw new ShapeError(`slice: ${slices.length} ranges for a tensor of shape ${showShape(shape)}`);
  return shape.map((size, axis) => {
    const [start = 0, stop = size, step = 1] = slices[axis] ?? [];
    if (!Number.isInteger(step) || step < 1)
      throw new ShapeError(`slice: step ${step} on axis ${axis} must be a positive integer`);
    if (!Number.isInteger(start) || !Number.isInteger(stop)) {
      throw new ShapeError(`slice: bounds ${start} and ${stop} on axis ${axis} must be integers`);
    }
    const clamp = (v: number) => Math.min(size, Math.max(0, v < 0 ? v + size : v));
    const first = clamp(start);
    return { start: first, step, count: Math.max(0, Math.ceil((clamp(stop) - first) / step)) };
  });
}

function rangeStrides(shape: Shape, ranges: readonly Range[]): { strides: number[]; start: number } {
  const strides = stridesOf(shape);
  return {
    strides: strides.map((s, i) => s * ranges[i].step),
    start: ranges.reduce((sum, r, i) => sum + r.start * strides[i], 0),
  };
}

export function slice(x: Tensor, ranges: readonly Range[]): Tensor {
  const { strides, start } = rangeStrides(x.shape, ranges);
  return gather(
    "slice",
    x,
    ranges.map((r) => r.count),
    strides,
    start,
  );
}

/** Gradient of `slice`: zeros of `shape` with `dy` at the ranges. */
export function sliceGradient(dy: Tensor, shape: Shape, ranges: readonly Range[]): Tensor {
  const dx = full(dy.device, shape, 0, dy.dtype);
  const { strides, start } = rangeStrides(shape, ranges);
  scatter("slice", dy, dx, strides, start);
  return dx;
}

/** Shape rule of `concat`. Throws `ShapeError` if other axes than `axis` differ. */
export function concatShape(shapes: readonly Shape[], axis: number): number[] {
  if (shapes.length === 0) throw new ShapeError("concat: needs at least one tensor");
  const at = normalizeAxis("concat", axis, shapes[0].length);
  const out = [...shapes[0]];
  out[at] = 0;
  shapes.forEach((shape, i) => {
    if (shape.length !== out.length || shape.some((d, k) => k !== at && d !== shapes[0][k])) {
      throw new ShapeError(
        `concat: tensor ${i} ${showShape(shape)} and tensor 0 ${showShape(shapes[0])} differ on another axis than ${at}`,
      );
    }
    out[at] += shape[at];
  });
  return out;
}

export function concat(tensors: readonly Tensor[], axis: number): Tensor {
  const shape = concatShape(
    tensors.map((t) => t.shape),
    axis,
  );
  const at = normalizeAxis("concat", axis, shape.length);
  const y = tensors[0].device.empty(shape, tensors[0].dtype);
  const strides = stridesOf(shape);
  let offset = 0;
  for (const t of tensors) {
    scatter("concat", t, y, strides, offset * strides[at]);
    offset += t.shape[at];
  }
  return y;
}

/** Results of pieces as one along an axis. Takes them over. */
export function joined(pieces: readonly Tensor[], axis: number): Tensor {
  if (pieces.length === 1) return pieces[0];
  const all = concat(pieces, axis);
  for (const t of pieces) t.dispose();
  return all;
}

/** Shape rule of `stack`. Throws `ShapeError` if shapes differ. */
export function stackShape(shapes: readonly Shape[], axis: number): number[] {
  if (shapes.length === 0) throw new ShapeError("stack: needs at least one tensor");
  const other = shapes.findIndex((s) => !sameShape(s, shapes[0]));
  if (other > 0)
    throw new ShapeError(`stack: tensor ${other} ${showShape(shapes[other])} and tensor 0 ${showShape(shapes[0])} differ`);
  return shapes[0].toSpliced(normalizeAxis("stack", axis, shapes[0].length + 1), 0, shapes.length);
}

/** Sizes of the parts of an axis of `size` elements; one number cuts it in parts of that size and a rest. Throws `ShapeError`. */
export function splitSizes(size: number, sizes: number | readonly number[]): number[] {
  if (typeof sizes === "number") {
    if (!Number.isInteger(sizes) || sizes < 1)
      throw new ShapeError(`split: the size of parts must be a positive integer, got ${sizes}`);
    return Array.from({ length: Math.max(1, Math.ceil(size / sizes)) }, (_, i) => Math.min(sizes, size - i * sizes));
  }
  if (!sizes.every((n) => Number.isInteger(n) && n >= 0) || sizes.reduce((a, b) => a + b, 0) !== size) {
    throw new ShapeError(`split: sizes ${showShape(sizes)} must be integers of at least 0 that add up to ${size}`);
  }
  return [...sizes];
}

/** Axes in a new order. Throws `ShapeError` unless `axes` is a permutation. */
export function permute(x: Tensor, axes: readonly number[]): Tensor {
  if (axes.length !== x.rank || [...axes].sort((a, b) => a - b).some((a, i) => a !== i)) {
    throw new ShapeError(`permute: [${axes.join(", ")}] is not a permutation of the axes of ${showShape(x.shape)}`);
  }
  const strides = stridesOf(x.shape);
  return gather(
    "permute",
    x,
    axes.map((a) => x.shape[a]),
    axes.map((a) => strides[a]),
    0,
  );
}

/** Shape rule of `expand`: −1 keeps a size, new axes come on the left. Throws `ShapeError` unless sizes that change are 1. */
export function expandShape(from: Shape, to: Shape): number[] {
  const lead = to.length - from.length;
  const shape = to.map((d, i) => (d === -1 && i >= lead ? from[i - lead] : d));
  if (
    lead < 0 ||
    shape.some((d, i) => !Number.isInteger(d) || d < 0 || (i >= lead && from[i - lead] !== 1 && d !== from[i - lead]))
  ) {
    throw new ShapeError(
      `expand: ${showShape(from)} does not expand to ${showShape(to)}: only axes of size 1 grow, new ones come on the left`,
    );
  }
  return shape;
}

/** Repeats axes of size 1 up to `shape`, which has at least the rank of `x`. */
export function expand(x: Tensor, shape: Shape): Tensor {
  const strides = stridesOf(x.shape);
  const lead = shape.length - x.rank;
  return gather(
    "expand",
    x,
    shape,
    shape.map((_, i) => (i < lead || x.shape[i - lead] === 1 ? 0 : strides[i - lead])),
    0,
  );
}

/** Reverses axes, which are normalized and differ. */
export function flip(x: Tensor, axes: readonly number[]): Tensor {
  const strides = stridesOf(x.shape);
  return gather(
    "flip",
    x,
    x.shape,
    strides.map((s, i) => (axes.includes(i) ? -s : s)),
    axes.reduce((start, i) => start + Math.max(0, x.shape[i] - 1) * strides[i], 0),
  );
}

/** Turns the plane of two axes by `k` quarters from the first towards the second. Throws `ShapeError` unless both are there and differ. */
export function rot90(x: Tensor, k: number, axes: readonly [number, number]): Tensor {
  const [a, b] = axes.map((axis) => normalizeAxis("rot90", axis, x.rank));
  if (axes.length !== 2 || a === b) throw new ShapeError(`rot90: needs two different axes, got [${axes.join(", ")}]`);
  if (!Number.isInteger(k)) throw new ShapeError(`rot90: k must be an integer, got ${k}`);
  const quarters = ((k % 4) + 4) % 4;
  const strides = stridesOf(x.shape);
  // Odd turns exchange the axes; the first axis of the result runs backwards for 1 and 2, the second for 2 and 3.
  const source = x.shape.map((_, i) => (quarters % 2 === 0 ? i : i === a ? b : i === b ? a : i));
  const reversed = [...(quarters === 1 || quarters === 2 ? [a] : []), ...(quarters > 1 ? [b] : [])];
  return gather(
    "rot90",
    x,
    source.map((i) => x.shape[i]),
    source.map((i, axis) => (reversed.includes(axis) ? -strides[i] : strides[i])),
    reversed.reduce((start, axis) => start + Math.max(0, x.shape[source[axis]] - 1) * strides[source[axis]], 0),
  );
}
