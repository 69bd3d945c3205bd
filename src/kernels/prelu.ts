/** @file Parametric ReLU with one slope for all channels or one per channel. */

import { ShapeError } from "../host/errors.ts";
import { sizeOf } from "../host/array.ts";
import { type Binding, read, write } from "../tensor/kernel.ts";
import { type Shape, showShape } from "../host/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { expectFloats, expectTensors, half } from "./lib/args.ts";
import { eachPiece, fits } from "./lib/pieces.ts";
import { lanes } from "./lib/occupancy.ts";
import { flat, fold } from "./lib/workgroups.ts";
import { binary, unary } from "./pointwise.ts";
import { reduceSum } from "./reduce.ts";
import { forwardShader } from "./shaders/prelu/forward.gen.ts";
import { inputGradientShader } from "./shaders/prelu/input_gradient.gen.ts";
import { slopeGradientShader } from "./shaders/prelu/slope_gradient.gen.ts";

const maxFloat = 3.4028234e38;

export interface PreluGeometry {
  readonly outer: number;
  readonly slopes: number;
  readonly inner: number;
}

/** `[N, C, …]` with slope `[1]` or `[C]`. Throws `ShapeError`. */
export function preluShape(x: Shape, slope: Shape): PreluGeometry {
  const channels = x[1] ?? 1;
  if (slope.length !== 1 || (slope[0] !== 1 && slope[0] !== channels)) {
    throw new ShapeError(`prelu: weight ${showShape(slope)} must be [1] or [${channels}] for an input ${showShape(x)}`);
  }
  if (slope[0] === 1) return { outer: 1, slopes: 1, inner: sizeOf(x) };
  return { outer: x[0], slopes: channels, inner: sizeOf(x.slice(2)) };
}

// In pieces of all elements in a row.
const eachRun = (bindings: readonly Binding<Tensor>[], body: (pieces: readonly Tensor[], start: number) => void) =>
  eachPiece("prelu", bindings[0].tensor.rank, bindings, body);

const marks = { 1: "", 4: "x4" } as const;

// Elements that a thread takes together: four, if they have one slope.
const widthOf = ({ inner, slopes }: PreluGeometry, count: number, start: number): 1 | 4 =>
  count % 4 === 0 && (slopes === 1 || (inner % 4 === 0 && start % 4 === 0)) ? 4 : 1;

export function prelu(x: Tensor, slope: Tensor, g: PreluGeometry): Tensor {
  expectFloats("prelu", { input: x });
  expectTensors("prelu", { weight: slope });
  const y = x.device.empty(x.shape, x.dtype);
  if (x.size === 0) return y;
  eachRun([read(x), write(y)], ([from, to], start) => {
    const width = widthOf(g, to.size, start);
    const { words, workgroups } = flat(x.device, "prelu", to.size / width);
    x.device.run(
      (width === 4 ? forwardShader.wide : forwardShader.scalar)({
        variant: marks[width],
        half: half(x),
        params: { ...words, inner: g.inner, slopes: g.slopes, start },
        bind: { x: from, slope, y: write(to) },
        workgroups,
      }),
    );
  });
  return y;
}

export function preluInputGradient(x: Tensor, slope: Tensor, dy: Tensor, g: PreluGeometry): Tensor {
  const dx = x.device.empty(x.shape, x.dtype);
  if (x.size === 0) return dx;
  eachRun([read(x), read(dy), write(dx)], ([from, given, to], start) => {
    const width = widthOf(g, to.size, start);
    const { words, workgroups } = flat(x.device, "prelu", to.size / width);
    x.device.run(
      (width === 4 ? inputGradientShader.wide : inputGradientShader.scalar)({
        variant: marks[width],
        half: half(x),
        params: { ...words, inner: g.inner, slopes: g.slopes, start },
        bind: { x: from, slope, dy: given, dx: write(to) },
        workgroups,
      }),
    );
  });
  return dx;
}

export function preluSlopeGradient(x: Tensor, dy: Tensor, g: PreluGeometry): Tensor {
  if (!fits(x)) {
    // min(x, 0) dy, summed over all but the channel.
    const below = unary("clamp", x, -maxFloat, 0);
    const product = binary("mul", below, dy);
    below.dispose();
    const flat = product.view([g.outer, g.slopes, g.inner]);
    product.dispose();
    const sums = reduceSum(flat, [0, 2], false);
    flat.dispose();
    return sums;
  }
  const width = g.inner % 4 === 0 ? 4 : 1;
  const inner = g.inner / width;
  const slab = (64 / width) * lanes(x.device);
  const slabs = Math.max(1, Math.ceil((g.outer * inner) / slab));
  const partial = x.device.empty([slabs, g.slopes]);
  x.device.run(
    (width === 4 ? slopeGradientShader.wide : slopeGradientShader.scalar)({
      consts: { LANES: lanes(x.device) },
      variant: marks[width],
      half: half(x),
      params: { ...g, inner, slab, slabs },
      bind: { x, dy, partial: write(partial) },
      workgroups: fold(x.device, "prelu", slabs * g.slopes),
    }),
  );
  const out = slabs === 1 ? partial.view([g.slopes]) : reduceSum(partial, [0], false);
  partial.dispose();
  return out;
}
