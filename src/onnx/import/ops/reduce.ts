/** @file Reductions, softmax, matrix products and norms on the device. */

import { cast } from "../../../autograd/cast.ts";
import { linear, matmul } from "../../../autograd/matmul.ts";
import { fixedBatchNorm, groupNorm, layerNorm } from "../../../autograd/norm.ts";
import * as f from "../../../autograd/pointwise.ts";
import { amax, amin, mean, vectorNorm, type ReduceOptions, sum, variance } from "../../../autograd/reduce.ts";
import { logSoftmax, softmax } from "../../../autograd/softmax.ts";
import { expand, reshape } from "../../../autograd/view.ts";
import { full } from "../../../kernels/view.ts";
import { sizeOf } from "../../../host/array.ts";
import { sameShape } from "../../../host/shape.ts";
import type { Tensor } from "../../../tensor/tensor.ts";
import type { Call, Op, Ops } from "../call.ts";
import { isHost } from "../../values.ts";
import { reducedAxes } from "../shapes.ts";

type Reduction = (x: Tensor, axes: readonly number[], options: ReduceOptions) => Tensor;

/** `single` is what remains of each element when no axis is reduced. */
const reducer =
  (since: number, fn: Reduction, single: (x: Tensor) => Tensor = (x) => x): Op =>
  (c) => {
    const v = c.input(0);
    const x = c.float(0);
    const axes = reducedAxes(c, x.rank, since);
    const y = axes ? fn(x, axes, { keepDims: c.flag("keepdims", true) }) : single(x);
    return (isHost(v) ? v.kind === "int" : v.dtype === "i32") ? cast(y, "i32") : y;
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

const overAll =
  (fn: (x: Tensor, axes: readonly number[], options: ReduceOptions) => Tensor): Op =>
  (c) => {
    const x = c.float(0);
    return fn(x, x.shape.map((_, i) => i).slice(2), { keepDims: true });
  };

const normalized =
  (fn: (x: Tensor, axis: number) => Tensor): Op =>
  (c) => {
    const x = c.float(0);
    if (c.opset >= 13) return fn(x, c.axis(c.int("axis", -1), x.rank));
    // Up to operator set 12 the axes from `axis` on are one.
    const axis = c.axis(c.int("axis", 1), x.rank);
    if (axis === x.rank - 1) return fn(x, axis);
    const flat = reshape(x, [sizeOf(x.shape.slice(0, axis)), sizeOf(x.shape.slice(axis))]);
    return reshape(fn(flat, 1), x.shape);
  };

function gemm(c: Call): Tensor {
  const [alpha, beta] = [c.floatAttribute("alpha", 1), c.floatAttribute("beta", 1)];
  const [transposeA, transposeB] = [c.flag("transA"), c.flag("transB")];
  const [a, b, bias] = [c.float(0), c.float(1), c.optional(2)];
  const plain = alpha === 1 && beta === 1 && !transposeA && transposeB;
  if (plain && (!bias || (bias.rank === 1 && bias.size === b.shape[0]))) return linear(a, b, bias);
  const product = matmul(a, b, { transposeA, transposeB });
  const scaled = alpha === 1 ? product : f.affine(product, alpha);
  if (!bias) return scaled;
  return f.add(scaled, beta === 1 ? bias : f.affine(bias, beta));
}

function batchNormalization(c: Call): Tensor {
  if (c.flag("training_mode")) throw c.unsupported("training_mode (export the model in evaluation instead)");
  if (!c.flag("spatial", true)) throw c.unsupported("spatial = 0");
  const [x, weight, bias, center, variance] = [0, 1, 2, 3, 4].map((i) => c.float(i));
  return fixedBatchNorm(x, weight, bias, center, variance, { eps: c.floatAttribute("epsilon", 1e-5) });
}

function groupNormalization(c: Call): Tensor {
  const x = c.float(0);
  const groups = c.int("num_groups", 1);
  const eps = c.floatAttribute("epsilon", 1e-5);
  const params = [c.float(1), c.float(2)];
  if (c.opset >= 21) return groupNorm(x, groups, params[0], params[1], { eps });
  // Before operator set 21 there is one scale per group.
  const spread = params.map((t) => reshape(expand(reshape(t, [groups, 1]), [groups, x.shape[1] / groups]), [x.shape[1]]));
  return groupNorm(x, groups, spread[0], spread[1], { eps });
}

function instanceNormalization(c: Call): Tensor {
  const x = c.float(0);
  return groupNorm(x, x.shape[1], c.float(1), c.float(2), { eps: c.floatAttribute("epsilon", 1e-5) });
}

function layerNormalization(c: Call): readonly Tensor[] {
  const x = c.float(0);
  const eps = c.floatAttribute("epsilon", 1e-5);
  const axis = c.axis(c.int("axis", -1), x.rank);
  const y = normalizedLayer(c, x, x.shape.slice(axis), eps);
  if (c.node.outputs.length === 1) return [y];
  const axes = x.shape.map((_, i) => i).slice(axis);
  const spread = variance(x, axes, { keepDims: true, correction: 0 });
  return [y, mean(x, axes, { keepDims: true }), f.rsqrt(f.affine(spread, 1, eps))];
}

function normalizedLayer(c: Call, x: Tensor, trailing: readonly number[], eps: number): Tensor {
  const scale = c.float(1);
  const bias = c.optional(2);
  if (sameShape(scale.shape, trailing) && (!bias || sameShape(bias.shape, trailing))) {
    return layerNorm(x, trailing, scale, bias ?? full(c.device, trailing, 0), { eps });
  }
  const y = f.mul(layerNorm(x, trailing, undefined, undefined, { eps }), scale);
  return bias ? f.add(y, bias) : y;
}

export const reduceOps: Ops = {
  BatchNormalization: batchNormalization,
  Gemm: gemm,
  GlobalAveragePool: overAll(mean),
  GlobalMaxPool: overAll(amax),
  GroupNormalization: groupNormalization,
  InstanceNormalization: instanceNormalization,
  LayerNormalization: layerNormalization,
  LogSoftmax: normalized(logSoftmax),
  MatMul: (c) => matmul(c.float(0), c.float(1)),
  ReduceL1: reducer(18, (x, axes, o) => vectorNorm(x, { ...o, p: 1, axes }), f.abs),
  ReduceL2: reducer(18, (x, axes, o) => vectorNorm(x, { ...o, p: 2, axes }), f.abs),
  ReduceLogSum: reducer(18, (x, axes, o) => f.log(sum(x, axes, o)), f.log),
  ReduceLogSumExp: reducer(18, logSumExp),
  ReduceMax: reducer(18, amax),
  ReduceMean: reducer(18, mean),
  ReduceMin: reducer(18, amin),
  ReduceSum: reducer(13, sum),
  ReduceSumSquare: reducer(18, (x, axes, o) => sum(f.square(x), axes, o), f.square),
  Softmax: normalized(softmax),
};
