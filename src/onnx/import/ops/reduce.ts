/** @file Reductions. */

import { cast } from "../../../autograd/cast.ts";
import * as f from "../../../autograd/pointwise.ts";
import { amax, amin, mean, type ReduceOptions, sum, vectorNorm } from "../../../autograd/reduce.ts";
import { concat, permute, reshape, slice } from "../../../autograd/view.ts";
import { sizeOf } from "../../../host/array.ts";
import { stridesOf } from "../../../host/shape.ts";
import { full } from "../../../kernels/view.ts";
import type { Tensor } from "../../../tensor/tensor.ts";
import { hostOf } from "../../values.ts";
import { strided } from "../broadcast.ts";
import type { Op } from "../call.ts";
import { first } from "../known.ts";
import { isInteger } from "../integers.ts";
import type { Operator, Operators } from "../operator.ts";
import { reducedAxes } from "../shapes.ts";

type Reduction = (x: Tensor, axes: readonly number[], options: ReduceOptions) => Tensor;

interface Device {
  /** The operator set from which on the axes are an input. */
  readonly since: number;
  readonly fn: Reduction;
  /** Of no elements. */
  readonly empty: number;
  /** What remains of each element when no axis is reduced. */
  readonly single?: (x: Tensor) => Tensor;
}

const device =
  ({ since, fn, empty, single = (x) => x }: Device): Op =>
  (c) => {
    const x = c.float(0);
    const axes = reducedAxes(c, x.rank, since);
    const keepDims = c.flag("keepdims", true);
    const none = axes?.some((a) => x.shape[a] === 0);
    const y = !axes ? single(x) : none ? full(c.device, reducedShape(x.shape, axes, keepDims), empty) : fn(x, axes, { keepDims });
    return isInteger(c.input(0)) ? cast(y, "i32") : y;
  };

const reducedShape = (shape: readonly number[], axes: readonly number[], keepDims: boolean): number[] =>
  keepDims ? shape.map((d, i) => (axes.includes(i) ? 1 : d)) : shape.filter((_, i) => !axes.includes(i));

/** Halves are multiplied until one element of each row is left. */
const product: Reduction = (x, axes, { keepDims = false }) => {
  const kept = x.shape.map((_, i) => i).filter((i) => !axes.includes(i));
  const rows = sizeOf(kept.map((a) => x.shape[a]));
  let left = reshape(permute(x, [...kept, ...axes]), [rows, x.size / rows]);
  while (left.shape[1] > 1) {
    const [size, half] = [left.shape[1], left.shape[1] >> 1];
    const pairs = f.mul(slice(left, [undefined, [0, half]]), slice(left, [undefined, [half, 2 * half]]));
    left = size % 2 === 0 ? pairs : concat([pairs, slice(left, [undefined, [size - 1, size]])], 1);
  }
  return reshape(left, reducedShape(x.shape, axes, keepDims));
};

// The largest element is taken out first: exp of what is left does not overflow.
const logSumExp: Reduction = (x, axes, { keepDims }) => {
  const top = amax(x, axes, { keepDims: true });
  const rest = f.add(f.log(sum(f.exp(f.sub(x, top)), axes, { keepDims: true })), top);
  return keepDims ? rest : reshape(rest, reducedShape(x.shape, axes, false));
};

const host =
  (since: number, f: (values: readonly number[]) => number): Op =>
  (c) => {
    const x = first(c);
    const axes = reducedAxes(c, x.shape.length, since);
    if (!axes) return x;
    const kept = x.shape.map((_, i) => i).filter((i) => !axes.includes(i));
    const strides = stridesOf(x.shape);
    const order = [...kept, ...axes];
    const moved = strided(
      c,
      x,
      order.map((a) => x.shape[a]),
      order.map((a) => strides[a]),
    );
    const terms = sizeOf(axes.map((a) => x.shape[a]));
    const shape = c.flag("keepdims", true) ? x.shape.map((d, i) => (axes.includes(i) ? 1 : d)) : kept.map((a) => x.shape[a]);
    return hostOf(x.kind, shape, (i) => f(Array.from(moved.data.subarray(i * terms, (i + 1) * terms))));
  };

const add = (v: readonly number[]): number => v.reduce((a, b) => a + b, 0);

const reduction = (
  since: number,
  fn: Reduction,
  empty: number,
  { single, onHost }: { single?: (x: Tensor) => Tensor; onHost?: (values: readonly number[]) => number } = {},
): Operator => ({
  device: device({ since, fn, empty, ...(single && { single }) }),
  ...(onHost && { host: host(since, onHost) }),
  known: [1],
});

export const operators: Operators = {
  ReduceL1: reduction(18, (x, axes, o) => vectorNorm(x, { ...o, p: 1, axes }), 0, { single: f.abs }),
  ReduceL2: reduction(18, (x, axes, o) => vectorNorm(x, { ...o, p: 2, axes }), 0, { single: f.abs }),
  ReduceLogSum: reduction(18, (x, axes, o) => f.log(sum(x, axes, o)), -Infinity, { single: f.log }),
  ReduceLogSumExp: reduction(18, logSumExp, -Infinity),
  ReduceMax: reduction(18, amax, -Infinity, { onHost: (v) => v.reduce((a, b) => Math.max(a, b), -Infinity) }),
  ReduceMean: reduction(18, mean, NaN, { onHost: (v) => add(v) / v.length }),
  ReduceMin: reduction(18, amin, Infinity, { onHost: (v) => v.reduce((a, b) => Math.min(a, b), Infinity) }),
  ReduceProd: reduction(18, product, 1, { onHost: (v) => v.reduce((a, b) => a * b, 1) }),
  ReduceSum: reduction(13, sum, 0, { onHost: add }),
  ReduceSumSquare: reduction(18, (x, axes, o) => sum(f.square(x), axes, o), 0, { single: f.square }),
};
