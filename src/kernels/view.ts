/** @file Copies that move elements without computing: slices, permutations, flips, expansions, concatenation, filling. */

import { DTypeError, ShapeError } from "../tensor/errors.ts";
import type { DType } from "../tensor/host.ts";
import { read, write } from "../tensor/kernel.ts";
import { normalizeAxis, type Shape, showShape, stridesOf } from "../tensor/shape.ts";
import type { Device } from "../tensor/device.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { grid, program } from "./program.ts";

const libs = ["lib/grid", "lib/strided"] as const;

function six(op: string, list: readonly number[], fill: number): number[] {
  if (list.length > 6) throw new ShapeError(`${op}: more than six axes in ${showShape(list)}`);
  return [...new Array<number>(6 - list.length).fill(fill), ...list, 0, 0];
}

// Elements are moved as 32-bit words.
function expectWords(op: string, dtype: DType): void {
  if (dtype === "f16") throw new DTypeError(`${op}: the tensor has type f16, expected f32, i32 or u32`);
}

/** Elements `start + Σ index·stride` of `x` as a tensor of shape `shape`. */
export function gather(op: string, x: Tensor, shape: Shape, strides: readonly number[], start: number): Tensor {
  expectWords(op, x.dtype);
  const y = x.device.empty(shape, x.dtype);
  if (y.size === 0) return y;
  x.device.run({
    program: program("view/gather", { libs }),
    bindings: [read(x), write(y)],
    params: [...six(op, shape, 1), ...six(op, strides, 0), start, y.size],
    workgroups: grid(x.device, op, y.size, 64),
  });
  return y;
}

/** Writes all of `x` to elements `start + Σ index·stride` of `y`, which must be distinct. */
export function scatter(op: string, x: Tensor, y: Tensor, strides: readonly number[], start: number): void {
  expectWords(op, x.dtype);
  if (x.size === 0) return;
  x.device.run({
    program: program("view/scatter", { libs }),
    bindings: [read(x), write(y)],
    params: [...six(op, x.shape, 1), ...six(op, strides, 0), start, x.size],
    workgroups: grid(x.device, op, x.size, 64),
  });
}

const word = new DataView(new ArrayBuffer(4));

/** A tensor full of one value. */
export function full(device: Device, shape: Shape, value: number, dtype: DType = "f32"): Tensor {
  expectWords("full", dtype);
  const y = device.empty(shape, dtype);
  if (y.size === 0) return y;
  if (dtype === "f32") word.setFloat32(0, value);
  else word.setInt32(0, value);
  device.run({
    program: program("view/fill", { libs: ["lib/grid"] }),
    bindings: [write(y)],
    params: [y.size, word.getInt32(0)],
    workgroups: grid(device, "full", y.size, 64),
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
  if (slices.length > shape.length) throw new ShapeError(`slice: ${slices.length} ranges for a tensor of shape ${showShape(shape)}`);
  return shape.map((size, axis) => {
    const [start = 0, stop = size, step = 1] = slices[axis] ?? [];
    if (!Number.isInteger(step) || step < 1) throw new ShapeError(`slice: step ${step} on axis ${axis} must be a positive integer`);
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
      throw new ShapeError(`concat: tensor ${i} ${showShape(shape)} and tensor 0 ${showShape(shapes[0])} differ on another axis than ${at}`);
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

/** Repeats axes of size 1 up to `shape`, which has the same rank. */
export function expand(x: Tensor, shape: Shape): Tensor {
  const strides = stridesOf(x.shape);
  return gather(
    "expand",
    x,
    shape,
    strides.map((s, i) => (x.shape[i] === 1 ? 0 : s)),
    0,
  );
}
