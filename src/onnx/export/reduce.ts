/** @file Nodes of reductions, softmax and matrix products. */

import { sizeOf } from "../../host/array.ts";
import type { Emission, Emitter, Emitters } from "./emission.ts";

const kept = (e: Emission): number => (e.args.keepDims ? 1 : 0);

const reduction =
  (op: string): Emitter =>
  (e) =>
    e.builder.node(op, [e.inputs[0], e.builder.ints(e.args.axes)], { keepdims: kept(e) });

const variance: Emitter = (e) => {
  const { builder, tensors, inputs } = e;
  const axes: number[] = e.args.axes;
  const correction: number = e.args.correction;
  const centre = builder.node("ReduceMean", [inputs[0], builder.ints(axes)], { keepdims: 1 });
  const difference = builder.node("Sub", [inputs[0], centre]);
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

const softmax =
  (op: string): Emitter =>
  ({ builder, inputs, result, args }) =>
    builder.node(op, inputs, { axis: args.axis < 0 ? args.axis + result.rank : args.axis });

function transposed({ builder, tensors, inputs }: Emission, i: number): string {
  const rank = tensors[i]!.rank;
  const perm = Array.from({ length: rank }, (_, k) => (k < rank - 2 ? k : 2 * rank - 3 - k));
  return builder.node("Transpose", [inputs[i]], { perm });
}

const matmul: Emitter = (e) => {
  const { transposeA, transposeB } = e.args;
  return e.builder.node("MatMul", [transposeA ? transposed(e, 0) : e.inputs[0], transposeB ? transposed(e, 1) : e.inputs[1]]);
};

const linear: Emitter = (e) => {
  const { builder, tensors, inputs } = e;
  if (tensors[0]!.rank === 2) return builder.node("Gemm", inputs, { transB: 1 });
  const y = builder.node("MatMul", [inputs[0], transposed(e, 1)]);
  return inputs[2] ? builder.node("Add", [y, inputs[2]]) : y;
};

export const reduceEmitters: Emitters = {
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
  softmax: softmax("Softmax"),
  logSoftmax: softmax("LogSoftmax"),
  cumsum: ({ builder, inputs, args }) =>
    builder.node("CumSum", [inputs[0], builder.constant({ kind: "int", data: Float64Array.of(args.axis), shape: [] })]),
  matmul,
  linear,
};
