/**
 * @file Convolutions of tensors over the binding limit: sample by sample, and a sample in slabs of its first spatial axis with the rows that their taps
 * reach. A slab of all channels is a copy, because channels lie apart; that costs a pass over memory, where splitting channels would cost several passes
 * and half of the kernel's tile. brainchop's MeshNet of 5 channels at 256³ on lavapipe: 110 s split by channels, 33 s in slabs.
 */

import { read, write } from "../../tensor/kernel.ts";
import { type Shape, stridesOf } from "../../host/shape.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import type { ConvGeometry } from "./shape.ts";
import { eachPiece, fits, tooLarge } from "../lib/pieces.ts";
import { binary } from "../pointwise.ts";
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
}

interface Slab {
  readonly start: number;
  readonly count: number;
}

/** Runs `job`, in parts if its tensors cannot be bound. Throws `TensorTooLargeError` if a slab of one row is too large. */
export function gatherParts(job: Gather, run: (job: Gather) => void): void {
  const { g, transposed, x, y } = job;
  if (fits(x, y)) return run(job);
  if (g.samples > 1) {
    const one = ([x, y]: readonly Tensor[]) => gatherParts({ ...job, x, y, g: { ...g, samples: x.shape[0] } }, run);
    return eachPiece("conv", 1, [read(x), write(y)], one, one);
  }
  const axis = slabAxis(g);
  const [inputs, outputs] = transposed ? [g.smallChannels, g.largeChannels] : [g.largeChannels, g.smallChannels];
  const [from, to] = transposed ? [g.small, g.large] : [g.large, g.small];
  const whole = x.view([inputs, ...from]);
  // Phases begin anew at multiples of the stride.
  const step = slabRows(x, y, to[axis], from[axis], transposed ? g.stride[axis] : 1, (start, count) =>
    reach(g, transposed, axis, start, count),
  );
  for (let start = 0; start < to[axis]; start += step) {
    const count = Math.min(step, to[axis] - start);
    const near = reach(g, transposed, axis, start, count);
    const part = slab(whole, axis, near);
    const [large, small] = transposed ? [count, near.count] : [near.count, count];
    const shape = [outputs, ...to.with(axis, count)];
    const result = x.device.empty(shape, y.dtype);
    run({ ...job, x: part, y: result, g: slabGeometry(g, axis, large, small, near.padding) });
    const strides = stridesOf([outputs, ...to]);
    scatter("conv", result, y, strides, start * strides[axis + 1]);
    result.dispose();
    part.dispose();
  }
  whole.dispose();
}

type WeightGradient = (small: Tensor, large: Tensor, g: ConvGeometry, weightShape: Shape) => Tensor;

/** `run`, in parts that are added if the tensors cannot be bound. */
export function weightGradientParts(
  small: Tensor,
  large: Tensor,
  g: ConvGeometry,
  weightShape: Shape,
  run: WeightGradient,
): Tensor {
  if (fits(small, large)) return run(small, large, g, weightShape);
  const parts: Tensor[] = [];
  if (g.samples > 1) {
    const one = ([s, l]: readonly Tensor[]) =>
      parts.push(weightGradientParts(s, l, { ...g, samples: s.shape[0] }, weightShape, run));
    eachPiece("conv", 1, [read(small), read(large)], one, one);
    return added(parts);
  }
  const axis = slabAxis(g);
  const [of, under] = [small.view([g.smallChannels, ...g.small]), large.view([g.largeChannels, ...g.large])];
  const near = (start: number, count: number) => reach(g, false, axis, start, count);
  const step = slabRows(large, small, g.small[axis], g.large[axis], 1, near);
  for (let start = 0; start < g.small[axis]; start += step) {
    const count = Math.min(step, g.small[axis] - start);
    const { padding, ...rows } = near(start, count);
    const [s, l] = [slab(of, axis, { start, count }), slab(under, axis, rows)];
    parts.push(run(s, l, slabGeometry(g, axis, rows.count, count, padding), weightShape));
    s.dispose();
    l.dispose();
  }
  of.dispose();
  under.dispose();
  return added(parts);
}

// The first axis that is longer than 1, of D, H and W.
const slabAxis = (g: ConvGeometry): number => [0, 1, 2].find((i) => g.large[i] > 1 || g.small[i] > 1) ?? 2;

// `[channels, D, H, W]` cut along one of the three.
function slab(t: Tensor, axis: number, { start, count }: Slab): Tensor {
  const all = (size: number) => ({ start: 0, count: size, step: 1 });
  return slice(
    t,
    t.shape.map((size, i) => (i === axis + 1 ? { start, count, step: 1 } : all(size))),
  );
}

function slabGeometry(g: ConvGeometry, axis: number, large: number, small: number, padding: number): ConvGeometry {
  const put = (t: ConvGeometry["large"], value: number) => t.with(axis, value) as unknown as ConvGeometry["large"];
  return { ...g, large: put(g.large, large), small: put(g.small, small), padding: put(g.padding, padding) };
}

// Rows of the output per slab, in multiples of `rule`, so that it and the input rows it sees can be bound.
function slabRows(
  x: Tensor,
  y: Tensor,
  outputs: number,
  inputs: number,
  rule: number,
  near: (start: number, count: number) => Slab,
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
): Slab & { readonly padding: number } {
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

function added(parts: readonly Tensor[]): Tensor {
  return parts.reduce((sum, part) => {
    const next = binary("add", sum, part);
    sum.dispose();
    part.dispose();
    return next;
  });
}
