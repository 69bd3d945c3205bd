/** @file Nodes of reductions, and of extremes along an axis with their places. */

import { sizeOf } from "../../../host/array.ts";
import type { Emission, Emitter, Emitters } from "../emission.ts";

/** The attribute of reductions that stands for `keepDims`. */
const kept = (e: Emission): number => (e.args.keepDims ? 1 : 0);

const reduction =
  (op: string): Emitter =>
  (e) =>
    e.builder.node(op, [e.inputs[0], e.builder.ints(e.args.axes)], { keepdims: kept(e) });

const variance: Emitter = (e) => {
  const { builder, tensors, inputs } = e;
  const axes: number[] = e.args.axes;
  const correction: number = e.args.correction;
  const center = builder.node("ReduceMean", [inputs[0], builder.ints(axes)], { keepdims: 1 });
  const difference = builder.node("Sub", [inputs[0], center]);
  const square = builder.node("Mul", [difference, difference]);
  const average = builder.node("ReduceMean", [square, builder.ints(axes)], { keepdims: kept(e) });
  const terms = sizeOf(axes.map((a) => tensors[0]!.shape[a]));
  const y = correction === 0 ? average : builder.node("Mul", [average, builder.float(terms / (terms - correction))]);
  return e.op === "std" ? builder.node("Sqrt", [y]) : y;
};

const norm: Emitter = (e) => {
  if (e.args.p === 1) return reduction("ReduceL1")(e);
  if (e.args.p === 2) return reduction("ReduceL2")(e);
  const size = e.builder.node("Abs", [e.inputs[0]]);
  return reduction("ReduceMax")({ ...e, inputs: [size] });
};

// Values, and their indices as a second result.
const extreme =
  (values: string, places: string): Emitter =>
  (e) => {
    const { axis, indices } = e.args;
    e.names.set(indices, e.builder.node(places, [e.inputs[0]], { axis, keepdims: kept(e) }));
    return e.builder.node(values, [e.inputs[0], e.builder.ints([axis])], { keepdims: kept(e) });
  };

const place =
  (op: string): Emitter =>
  (e) =>
    e.builder.node(op, e.inputs, { axis: e.args.axis, keepdims: kept(e) });

export const emitters: Emitters = {
  sum: reduction("ReduceSum"),
  mean: reduction("ReduceMean"),
  amax: reduction("ReduceMax"),
  amin: reduction("ReduceMin"),
  variance,
  std: variance,
  vectorNorm: norm,
  max: extreme("ReduceMax", "ArgMax"),
  min: extreme("ReduceMin", "ArgMin"),
  argmax: place("ArgMax"),
  argmin: place("ArgMin"),
};
