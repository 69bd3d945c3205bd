/** @file Layers without weights that move, join or reduce channels-first tensors as a channels-last model would its own. */

import { pad } from "../../autograd/pad.ts";
import { add, affine, maximum, minimum, mul, sub } from "../../autograd/pointwise.ts";
import { amax, mean } from "../../autograd/reduce.ts";
import { concat, permute, reshape, slice } from "../../autograd/view.ts";
import { sizeOf } from "../../host/array.ts";
import { ShapeError } from "../../host/errors.ts";
import { showShape } from "../../host/shape.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import type { TfjsOperation } from "../../weights/tfjs/operation.ts";
import { Module } from "../module.ts";

type Operation<K extends TfjsOperation["kind"]> = Extract<TfjsOperation, { readonly kind: K }>;

/** A function of one or more tensors as a layer. */
class Arranged extends Module {
  private readonly apply: (...inputs: Tensor[]) => Tensor;

  constructor(apply: (...inputs: Tensor[]) => Tensor) {
    super();
    this.apply = apply;
  }

  forward(...inputs: Tensor[]): Tensor {
    return this.apply(...inputs);
  }
}

/** `[N, C, …]` as `[N, …, C]`, and back. */
export const channelsLast = (x: Tensor): Tensor =>
  x.rank < 3 ? x : permute(x, [0, ...x.shape.keys()].toSpliced(1, 2).concat(1));
export const channelsFirst = (x: Tensor): Tensor =>
  x.rank < 3 ? x : permute(x, [0, x.rank - 1, ...Array.from({ length: x.rank - 2 }, (_, i) => i + 1)]);

/** Our axis for one of a model. */
function axisOf(axis: number, rank: number, first: boolean): number {
  const at = axis < 0 ? axis + rank : axis;
  if (at < 1 || at >= rank) throw new ShapeError(`layersModel: axis ${axis} of a layer is outside of a tensor of ${rank} axes`);
  return first ? at : at === rank - 1 ? 1 : at + 1;
}

export const joined = ({ axis, channelsFirst }: Operation<"concat">): Arranged =>
  new Arranged((...inputs) => concat(inputs, axisOf(axis, inputs[0].rank, channelsFirst)));

const pairs = { add, subtract: sub, multiply: mul, average: add, maximum, minimum } as const;

/** With axes of size 1 behind the channels, as Keras puts them behind the batch of a tensor that has fewer than the others. */
function widened(x: Tensor, rank: number): Tensor {
  if (x.rank === rank) return x;
  return reshape(x, x.shape.toSpliced(2, 0, ...new Array<number>(rank - x.rank).fill(1)));
}

export const merged = ({ of }: Operation<"merge">): Arranged =>
  new Arranged((...inputs) => {
    const rank = Math.max(...inputs.map((x) => x.rank));
    const all = inputs.map((x) => widened(x, rank)).reduce((a, b) => pairs[of](a, b));
    return of === "average" ? affine(all, 1 / inputs.length) : all;
  });

export const pooledGlobally = ({ of, keepDims }: Operation<"globalPool">): Arranged =>
  new Arranged((x) => (of === "max" ? amax : mean)(x, [...x.shape.keys()].slice(2), { keepDims }));

export const padded = ({ ends }: Operation<"pad" | "crop">): Arranged => new Arranged((x) => pad(x, ends.toReversed().flat()));

export const cropped = ({ ends }: Operation<"pad" | "crop">): Arranged =>
  new Arranged((x) => {
    const inside = ends.map(([before, after], i): [number, number] => [before, x.shape[i + 2] - after]);
    if (inside.some(([from, to]) => to <= from))
      throw new ShapeError(`layersModel: nothing of ${showShape(x.shape)} is left when its borders are cropped`);
    return slice(x, [undefined, undefined, ...inside]);
  });

export const scaled = ({ factor, offset }: Operation<"affine">): Arranged => new Arranged((x) => affine(x, factor, offset));

/** Elements keep the order that they have with the channels last. */
export const reshaped = ({ shape }: Operation<"reshape">): Arranged =>
  new Arranged((x) => {
    const rest = sizeOf(x.shape.slice(1));
    const known = sizeOf(shape.filter((d) => d !== -1));
    const sizes = shape.map((d) => (d === -1 ? rest / known : d));
    if (sizeOf(sizes) !== rest || !sizes.every(Number.isInteger))
      throw new ShapeError(`layersModel: ${showShape(x.shape)} cannot be reshaped to [N, ${shape.join(", ")}]`);
    return channelsFirst(reshape(channelsLast(x), [x.shape[0], ...sizes]));
  });
