/** @file Pixel shuffle: channels to space and back, as permutations. */

import { ShapeError } from "../host/errors.ts";
import { sizeOf } from "../host/array.ts";
import { type Shape, showShape } from "../host/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { permute } from "./view.ts";

export interface ShuffleGeometry {
  readonly factor: number;
  /** Samples times channels of the large side. */
  readonly planes: number;
  /** Spatial size of the small side. */
  readonly size: Shape;
  readonly outShape: Shape;
}

function expectFactor(op: string, x: Shape, factor: number): void {
  const dims = x.length - 2;
  if (dims < 1 || dims > 3)
    throw new ShapeError(`${op}: input must be [N, C, spatial…] with 1 to 3 spatial axes, got ${showShape(x)}`);
  if (!Number.isInteger(factor) || factor < 1) throw new ShapeError(`${op}: factor must be a positive integer, got ${factor}`);
}

/** `[N, C·factorᵈ, size…]` → `[N, C, size·factor…]`. Throws `ShapeError`. */
export function pixelShuffleShape(x: Shape, factor: number): ShuffleGeometry {
  const op = "pixelShuffle";
  expectFactor(op, x, factor);
  const [n, channels, ...size] = x;
  const parts = factor ** size.length;
  if (channels % parts !== 0) {
    throw new ShapeError(`${op}: ${channels} channels of ${showShape(x)} must be a multiple of factor^${size.length} = ${parts}`);
  }
  return { factor, planes: (n * channels) / parts, size, outShape: [n, channels / parts, ...size.map((s) => s * factor)] };
}

/** `[N, C, size·factor…]` → `[N, C·factorᵈ, size…]`. Throws `ShapeError`. */
export function pixelUnshuffleShape(x: Shape, factor: number): ShuffleGeometry {
  const op = "pixelUnshuffle";
  expectFactor(op, x, factor);
  const [n, channels, ...large] = x;
  if (large.some((s) => s % factor !== 0)) {
    throw new ShapeError(`${op}: the spatial size of ${showShape(x)} must be a multiple of the factor ${factor}`);
  }
  const size = large.map((s) => s / factor);
  return { factor, planes: n * channels, size, outShape: [n, channels * factor ** size.length, ...size] };
}

// `shape` is a way to read x; the order of its axes is changed.
function moved(x: Tensor, shape: Shape, axes: readonly number[]): Tensor {
  const seen = x.view(shape);
  const y = permute(seen, axes);
  seen.dispose();
  return y;
}

// Three axes with three factors and the planes are one axis more than a copy moves, so that depth goes on its own: [P, r, r·r, D, H·W] is
// [P, D, r, r·r, H·W], which is [P·D·r, r, r, H, W], the case of two axes.
const innerAxes = { 1: [0, 2, 1], 2: [0, 3, 1, 4, 2] } as const;

function finish(y: Tensor, shape: Shape): Tensor {
  const result = y.view(shape);
  y.dispose();
  return result;
}

/** `[planes, factor…, size…]` to `[planes, (size, factor)…]`, as `shape`. */
export function pixelShuffle(x: Tensor, { factor: r, planes, size }: ShuffleGeometry, shape: Shape): Tensor {
  const flat = size.slice(-2);
  const axes = innerAxes[flat.length as 1 | 2];
  const factors = flat.map(() => r);
  if (size.length < 3) return finish(moved(x, [planes, ...factors, ...flat], axes), shape);
  const [depth] = size;
  const deep = moved(x, [planes, r, r * r, depth, sizeOf(flat)], [0, 3, 1, 2, 4]);
  const y = moved(deep, [planes * depth * r, ...factors, ...flat], axes);
  deep.dispose();
  return finish(y, shape);
}

/** The reverse of `pixelShuffle`, as `shape`. */
export function pixelUnshuffle(x: Tensor, { factor: r, planes, size }: ShuffleGeometry, shape: Shape): Tensor {
  const flat = size.slice(-2);
  const axes = flat.length === 1 ? [0, 2, 1] : [0, 2, 4, 1, 3];
  const pairs = flat.flatMap((s) => [s, r]);
  if (size.length < 3) return finish(moved(x, [planes, ...pairs], axes), shape);
  const [depth] = size;
  const deep = moved(x, [planes * depth * r, ...pairs], axes);
  const y = moved(deep, [planes, depth, r, r * r, sizeOf(flat)], [0, 2, 3, 1, 4]);
  deep.dispose();
  return finish(y, shape);
}
