/** @file Reductions. */

import { cast } from "../../../autograd/cast.ts";
import * as f from "../../../autograd/pointwise.ts";
import { amax, amin, mean, type ReduceOptions, sum, vectorNorm } from "../../../autograd/reduce.ts";
import { reshape } from "../../../autograd/view.ts";
import { sizeOf } from "../../../host/array.ts";
import { stridesOf } from "../../../host/shape.ts";
import type { Tensor } from "../../../tensor/tensor.ts";
import { hostOf } from "../../values.ts";
import { strided } from "../broadcast.ts";
import type { Op } from "../call.ts";
import { first } from "../known.ts";
import { isInteger } from "../integers.ts";
import type { Operator, Operators } from "../operator.ts";
import { reducedAxes } from "../shapes.ts";

type Reduction = (x: Tensor, axes: readonly number[], options: ReduceOptions) => Tensor;

/** `single` is what remains of each element when no axis is reduced. */
const device =
  (since: number, fn: Reduction, single: (x: Tensor) => Tensor = (x) => x): Op =>
  (c) => {
    const x = c.float(0);
    const axes = reducedAxes(c, x.rank, since);
    const y = axes ? fn(x, axes, { keepDims: c.flag("keepdims", true) }) : single(x);
    return isInteger(c.input(0)) ? cast(y, "i32") : y;
  };

// The largest element is taken out first: exp of what is left does not overflow.
const logSumExp: Reduction = (x, axes, { keepDims }) => {
  const top = amax(x, axes, { keepDims: true });
  const rest = f.add(f.log(sum(f.exp(f.sub(x, top)), axes, { keepDims: true })), top);
  return keepDims
    ? rest
    : reshape(
        rest,
        rest.shape.filter((_, i) => !axes.includes(i)),
      );
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

/** `since`: the operator set from which on the axes are an input. */
const reduction = (since: number, fn: Reduction, single?: (x: Tensor) => Tensor): Operator => ({
  device: device(since, fn, single),
  known: [1],
});

export const operators: Operators = {
  ReduceL1: reduction(18, (x, axes, o) => vectorNorm(x, { ...o, p: 1, axes }), f.abs),
  ReduceL2: reduction(18, (x, axes, o) => vectorNorm(x, { ...o, p: 2, axes }), f.abs),
  ReduceLogSum: reduction(18, (x, axes, o) => f.log(sum(x, axes, o)), f.log),
  ReduceLogSumExp: reduction(18, logSumExp),
  ReduceMax: { ...reduction(18, amax), host: host(18, (v) => v.reduce((a, b) => Math.max(a, b), -Infinity)) },
  ReduceMean: { ...reduction(18, mean), host: host(18, (v) => add(v) / v.length) },
  ReduceMin: { ...reduction(18, amin), host: host(18, (v) => v.reduce((a, b) => Math.min(a, b), Infinity)) },
  ReduceProd: { host: host(18, (v) => v.reduce((a, b) => a * b, 1)) },
  ReduceSum: { ...reduction(13, sum), host: host(13, add) },
  ReduceSumSquare: reduction(18, (x, axes, o) => sum(f.square(x), axes, o), f.square),
};
