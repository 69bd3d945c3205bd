/** @file Indices from values and values by indices: argmax, one-hot, and picking or adding along an axis where an index tensor tells. */

import { ConfigError, DTypeError, ShapeError } from "../host/errors.ts";
import { sizeOf } from "../host/array.ts";
import { read, update, write } from "../tensor/kernel.ts";
import { expectOptions } from "../host/options.ts";
import { normalizeAxis, type Shape, showShape, stridesOf } from "../host/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { expectTensors } from "./lib/args.ts";
import { eachPart } from "./lib/parts.ts";
import { argmaxShader } from "./shaders/indexing/argmax.gen.ts";
import { oneHotShader } from "./shaders/indexing/one_hot.gen.ts";
import { placeShader } from "./shaders/indexing/place.gen.ts";
import { scatterAddShader } from "./shaders/indexing/scatter_add.gen.ts";
import { takeShader } from "./shaders/indexing/take.gen.ts";
import { aroundAxis } from "./softmax.ts";
import { axisWords, expectWords, gather } from "./lib/strided.ts";
import { classCheck, ignoring, targetKind } from "./lib/target.ts";
import { grid } from "./lib/workgroups.ts";
import { full } from "./view.ts";
import { expectKind } from "../tensor/kind.ts";

/** Index (i32) of the first largest element along `axis`. Throws `ShapeError` for an empty axis. */
export function argmax(x: Tensor, axis: number, keepDims = false): Tensor {
  return extremeIndex("argmax", x, axis, keepDims);
}

/** Index (i32) of the first smallest element along `axis`. Throws `ShapeError` for an empty axis. */
export function argmin(x: Tensor, axis: number, keepDims = false): Tensor {
  return extremeIndex("argmin", x, axis, keepDims);
}

function extremeIndex(op: "argmax" | "argmin", x: Tensor, axis: number, keepDims: boolean): Tensor {
  expectTensors(op, { input: x });
  const at = normalizeAxis(op, axis, x.rank);
  if (x.shape[at] === 0) throw new ShapeError(`${op}: axis ${axis} of ${showShape(x.shape)} is empty`);
  const shape = keepDims ? x.shape.with(at, 1) : x.shape.toSpliced(at, 1);
  const y = x.device.empty(shape, "i32");
  if (y.size === 0) return y;
  const { outer, axis: size, inner } = aroundAxis(op, x.shape, axis);
  eachPart(op, { samples: outer, length: inner }, [read(x), write(y)], ([from, to], { samples, length }) => {
    x.device.run(
      argmaxShader({
        overrides: { LEAST: op === "argmin" ? 1 : 0 },
        variant: op,
        params: { outer: samples, axis: size, inner: length },
        bind: { x: from, y: write(to) },
        workgroups: grid(x.device, op, to.size, 64),
      }),
    );
  });
  return y;
}

/** A tensor of `shape` with `x` at `index` along `axis` and zeros elsewhere; `x` and `index` lack that axis or have it with size 1. */
export function place(x: Tensor, index: Tensor, shape: Shape, axis: number): Tensor {
  const y = x.device.empty(shape);
  if (y.size === 0) return y;
  const { outer, axis: size, inner } = aroundAxis("place", shape, axis);
  const bindings = [read(x), read(index), write(y)];
  eachPart("place", { samples: outer, length: inner }, bindings, ([from, at, to], { length }) => {
    x.device.run(
      placeShader({
        params: { axis: size, inner: length, count: to.size },
        bind: { x: from, index: at, y: write(to) },
        workgroups: grid(x.device, "place", to.size, 64),
      }),
    );
  });
  return y;
}

/** Shape rule of one-hot on channel axis 1: `[N, 1, …]` → `[N, classes, …]`. Throws `ShapeError`. */
function oneHotShape(index: Shape, classes: number): number[] {
  if (index.length < 2 || index[1] !== 1)
    throw new ShapeError(`oneHot: the index must be [N, 1, spatial…], got ${showShape(index)}`);
  if (!Number.isInteger(classes) || classes < 1)
    throw new ShapeError(`oneHot: classes must be a positive integer, got ${classes}`);
  return [index[0], classes, ...index.slice(2)];
}

/** Options of `oneHot`. */
export interface OneHotOptions {
  /** A class index that gives zeros. */
  readonly ignoreIndex?: number;
}

/** See `oneHot` of autograd. */
export function oneHot(index: Tensor, classes: number, options: OneHotOptions = {}): Tensor {
  expectOptions("oneHot", options, "ignoreIndex");
  const { ignoreIndex } = options;
  expectKind("oneHot", { index });
  if (index.dtype === "f16") throw new DTypeError("oneHot: the index has type f16, expected f32, i32 or u32");
  const shape = oneHotShape(index.shape, classes);
  const y = index.device.empty(shape);
  if (y.size === 0) return y;
  const { TARGET, name } = targetKind(index, false);
  const { fault, faults } = classCheck(index.device, "oneHot", classes, ignoreIndex);
  const axis = { samples: shape[0], length: sizeOf(shape.slice(2)) };
  eachPart("oneHot", axis, [read(index), write(y)], ([from, to], { length }) => {
    index.device.run(
      oneHotShader({
        overrides: { TARGET },
        variant: name,
        params: { classes, inner: length, positions: from.size, ...ignoring("oneHot", ignoreIndex), fault },
        bind: { index: from, y: write(to), faults },
        workgroups: grid(index.device, "oneHot", from.size, 64),
      }),
    );
  });
  return y;
}

function expectIndex(op: string, x: Tensor, index: Tensor): void {
  expectTensors(op, { input: x }, x.dtype);
  expectTensors(op, { index }, index.dtype);
  if (index.device !== x.device) throw new ConfigError(`${op}: index is on another device than the first argument`);
  if (index.dtype !== "i32" && index.dtype !== "u32")
    throw new DTypeError(`${op}: the index has type ${index.dtype}, expected i32 or u32`);
}

/** Shape rule of `gather`: the index may be smaller than `x`, except along `axis`, where it has any size. Returns the axis. Throws `ShapeError`. */
export function gatherAxis(op: string, x: Shape, axis: number, index: Shape): number {
  const at = normalizeAxis(op, axis, x.length);
  if (index.length !== x.length || index.some((d, i) => i !== at && d > x[i])) {
    throw new ShapeError(
      `${op}: the index ${showShape(index)} must have the rank of ${showShape(x)} and no larger size on other axes than ${at}`,
    );
  }
  return at;
}

/** Shape rule of `scatterAdd`: the index is no larger than `src`, nor than `x` on other axes than `axis`. Returns the axis. Throws `ShapeError`. */
export function scatterAxis(x: Shape, axis: number, index: Shape, src: Shape): number {
  const at = gatherAxis("scatterAdd", x, axis, index);
  if (src.length !== index.length || index.some((d, i) => d > src[i])) {
    throw new ShapeError(
      `scatterAdd: the index ${showShape(index)} must have the rank of src ${showShape(src)} and no larger size`,
    );
  }
  return at;
}

// Where an element of the result finds its index: at its own place, or, for an index of one axis, at its place along the axis.
function indexStrides(index: Shape, rank: number, at: number): number[] {
  return index.length === rank ? stridesOf(index) : Array.from({ length: rank }, (_, i) => (i === at ? 1 : 0));
}

/** `x` along axis `at` at the places of `index`, which is of the rank of `x` or a list for all rows; 0 where an index is outside. */
export function take(op: string, x: Tensor, at: number, index: Tensor): Tensor {
  expectWords(op, x.dtype);
  expectIndex(op, x, index);
  const shape = index.rank === x.rank ? index.shape : x.shape.with(at, index.size);
  const strides = stridesOf(x.shape);
  const walk = {
    shape: axisWords(op, shape, 1),
    x_stride: axisWords(op, strides.with(at, 0), 0),
    index_stride: axisWords(op, indexStrides(index.shape, x.rank, at), 0),
  };
  const y = x.device.empty(shape, x.dtype);
  if (y.size === 0) return y;
  x.device.run(
    takeShader({
      consts: { AXES: x.rank },
      params: { ...walk, axis_size: x.shape[at], axis_stride: strides[at], count: y.size },
      bind: { x, index, y: write(y) },
      workgroups: grid(x.device, op, y.size, 64),
    }),
  );
  return y;
}

/** Adds `src` to `y` along axis `at` at the places of `index`, in order; an index outside adds nowhere. Changes `y`. */
function addAt(op: string, y: Tensor, at: number, index: Tensor, src: Tensor): void {
  const list = index.rank !== y.rank;
  const limit = (list ? y.shape : index.shape).with(at, -1); // along the axis the index tells
  const indices = indexStrides(index.shape, y.rank, at);
  const sources = stridesOf(src.shape);
  if (y.size === 0 || index.size === 0) return;
  y.device.run(
    scatterAddShader({
      consts: { AXES: y.rank },
      params: {
        shape: axisWords(op, y.shape, 1),
        limit: axisWords(op, limit, 1),
        index_stride: axisWords(op, indices.with(at, 0), 0),
        src_stride: axisWords(op, sources.with(at, 0), 0),
        axis: y.rank - 1 - at,
        terms: list ? index.size : index.shape[at],
        index_step: indices[at],
        src_step: sources[at],
        count: y.size,
      },
      bind: { index, src, y: update(y) },
      workgroups: grid(y.device, op, y.size, 64),
    }),
  );
}

/** `x` with `src` added along axis `at` at the places of `index`. Throws `DTypeError`, and `ShapeError` for more than eight axes. */
export function scatterAdd(x: Tensor, at: number, index: Tensor, src: Tensor): Tensor {
  expectTensors("scatterAdd", { input: x, src });
  expectIndex("scatterAdd", x, index);
  axisWords("scatterAdd", x.shape, 1); // refuses before memory is taken
  const y = gather("scatterAdd", x, x.shape, stridesOf(x.shape), 0);
  addAt("scatterAdd", y, at, index, src);
  return y;
}

/** Gradient of `take`: zeros of `shape` with `dy` added where its elements came from. */
export function takeGradient(op: string, dy: Tensor, shape: Shape, at: number, index: Tensor): Tensor {
  const dx = full(dy.device, shape, 0);
  addAt(op, dx, at, index, dy);
  return dx;
}
