/**
 * @file Convolutions of tensors over the binding limit: sample by sample, and a sample in pieces of its first spatial axis with the rows that their taps
 * reach. A piece of all channels is a copy, because channels lie apart; that costs a pass over memory, where splitting channels would cost several passes
 * and half of the kernel's tile. brainchop's MeshNet of 5 channels at 256³ on lavapipe: 110 s split by channels, 33 s in pieces of an axis.
 */

import { read, write } from "../../tensor/kernel.ts";
import { stridesOf } from "../../host/shape.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import type { ConvGeometry } from "./shape.ts";
import { pieces, tooLarge } from "../lib/pieces.ts";
import { scatter } from "../lib/strided.ts";
import { slice } from "../view.ts";

/** One run of the gather kernels: `y` from `x`. */
export interface Gather {
  readonly g: ConvGeometry;
  readonly transposed: boolean;
  readonly x: Tensor;
  readonly weight: Tensor;
  readonly bias: Tensor | undefined;
  readonly y: Tensor;
  readonly relu: boolean;
  /** Added to the result, before `relu`; of its shape and type. Not in pieces. */
  readonly residual?: Tensor | undefined;
}

/** One run of the weight gradient kernels. */
export interface WeightGradient {
  readonly g: ConvGeometry;
  readonly small: Tensor;
  readonly large: Tensor;
}

interface Rows {
  readonly start: number;
  readonly count: number;
}

/**
 * What a job whose tensors cannot be bound consists of: its samples, which may have to be split again, or pieces of one sample, each of which is in
 * place when the next is asked for. Throws `TensorTooLargeError` if a piece of one row is too large.
 */
export function* gatherPieces(job: Gather): Generator<Gather> {
  const { g, transposed, x, y } = job;
  if (g.samples > 1) {
    for (const { tensors } of pieces("conv", 1, [read(x), write(y)], true)) {
      const [x, y] = tensors;
      yield { ...job, x, y, g: { ...g, samples: x.shape[0] } };
    }
    return;
  }
  const axis = firstAxis(g);
  const [inputs, outputs] = transposed ? [g.smallChannels, g.largeChannels] : [g.largeChannels, g.smallChannels];
  const [from, to] = transposed ? [g.small, g.large] : [g.large, g.small];
  const whole = x.view([inputs, ...from]);
  // Phases begin anew at multiples of the stride.
  const step = rowsPerPiece(x, y, to[axis], from[axis], transposed ? g.stride[axis] : 1, (start, count) =>
    reach(g, transposed, axis, start, count),
  );
  for (let start = 0; start < to[axis]; start += step) {
    const count = Math.min(step, to[axis] - start);
    const near = reach(g, transposed, axis, start, count);
    const piece = cut(whole, axis, near);
    const [large, small] = transposed ? [count, near.count] : [near.count, count];
    const shape = [outputs, ...to.with(axis, count)];
    const result = x.device.empty(shape, y.dtype);
    yield { ...job, x: piece, y: result, g: pieceGeometry(g, axis, large, small, near.padding) };
    const strides = stridesOf([outputs, ...to]);
    scatter("conv", result, y, strides, start * strides[axis + 1]);
    result.dispose();
    piece.dispose();
  }
  whole.dispose();
}

/** The same of the weight gradient, which is the sum of theirs. */
export function* weightGradientPieces({ g, small, large }: WeightGradient): Generator<WeightGradient> {
  if (g.samples > 1) {
    for (const { tensors } of pieces("conv", 1, [read(small), read(large)], true)) {
      const [small, large] = tensors;
      yield { small, large, g: { ...g, samples: small.shape[0] } };
    }
    return;
  }
  const axis = firstAxis(g);
  const [of, under] = [small.view([g.smallChannels, ...g.small]), large.view([g.largeChannels, ...g.large])];
  const near = (start: number, count: number) => reach(g, false, axis, start, count);
  const step = rowsPerPiece(large, small, g.small[axis], g.large[axis], 1, near);
  for (let start = 0; start < g.small[axis]; start += step) {
    const count = Math.min(step, g.small[axis] - start);
    const { padding, ...rows } = near(start, count);
    const [s, l] = [cut(of, axis, { start, count }), cut(under, axis, rows)];
    yield { small: s, large: l, g: pieceGeometry(g, axis, rows.count, count, padding) };
    s.dispose();
    l.dispose();
  }
  of.dispose();
  under.dispose();
}

// The first axis that is longer than 1, of D, H and W.
const firstAxis = (g: ConvGeometry): number => [0, 1, 2].find((i) => g.large[i] > 1 || g.small[i] > 1) ?? 2;

// `[channels, D, H, W]` cut along one of the three.
function cut(t: Tensor, axis: number, { start, count }: Rows): Tensor {
  const all = (size: number) => ({ start: 0, count: size, step: 1 });
  return slice(
    t,
    t.shape.map((size, i) => (i === axis + 1 ? { start, count, step: 1 } : all(size))),
  );
}

function pieceGeometry(g: ConvGeometry, axis: number, large: number, small: number, padding: number): ConvGeometry {
  const put = (t: ConvGeometry["large"], value: number) => t.with(axis, value) as unknown as ConvGeometry["large"];
  return { ...g, large: put(g.large, large), small: put(g.small, small), padding: put(g.padding, padding) };
}

// Rows of the output per piece, in multiples of `rule`, so that it and the input rows it sees can be bound.
function rowsPerPiece(
  x: Tensor,
  y: Tensor,
  outputs: number,
  inputs: number,
  rule: number,
  near: (start: number, count: number) => Rows,
): number {
  const limit = x.device.maxBindingSize;
  const tooTall = (count: number): boolean => {
    const middle = Math.max(0, (outputs - count) >> 1);
    return ((near(middle - (middle % rule), count).count + 1) * x.bytes) / inputs > limit;
  };
  let step = Math.floor(Math.min(outputs, (limit * outputs) / y.bytes) / rule) * rule;
  while (step >= rule && tooTall(step)) step = Math.floor((0.9 * step) / rule) * rule;
  if (step < rule) throw tooLarge("conv", x.bytes > y.bytes ? x : y);
  return step;
}

// Input rows that outputs start … start + count see, and the padding as seen from the first of them; it may be negative.
function reach(
  g: ConvGeometry,
  transposed: boolean,
  axis: number,
  start: number,
  count: number,
): Rows & { readonly padding: number } {
  const [s, d, p, k] = [g.stride[axis], g.dilation[axis], g.padding[axis], g.taps[axis]];
  const size = (transposed ? g.small : g.large)[axis];
  const clamp = (v: number) => Math.min(size - 1, Math.max(0, v));
  const [low, high] = transposed
    ? [Math.floor((start + p - d * (k - 1)) / s), Math.floor((start + count - 1 + p) / s)]
    : [start * s - p, (start + count - 1) * s - p + d * (k - 1)];
  const first = clamp(low);
  const rows = { start: first, count: clamp(high) - first + 1 };
  return { ...rows, padding: transposed ? p + (start / s - first) * s : p + first - start * s };
}
