/** @file Quantized operators of onnxruntime's own domain, which its quantizer writes beside QLinearConv: computed on the numbers they stand for. */

import * as f from "../../../autograd/pointwise.ts";
import { mean } from "../../../autograd/reduce.ts";
import { softmax } from "../../../autograd/softmax.ts";
import { concat, reshape } from "../../../autograd/view.ts";
import type { Tensor } from "../../../tensor/tensor.ts";
import type { Call, Op } from "../call.ts";
import type { Operator, Operators } from "../operator.ts";
import { averagePool } from "./pool.ts";
import { centered, rounded, typeOfZero } from "../quantization.ts";

// Scales and zero points here are single numbers.
const single = (c: Call, i: number): Tensor => reshape(c.float(i), []);

/** What input `i` stands for; its scale and zero point follow it. */
const real = (c: Call, i: number): Tensor =>
  f.mul(
    centered(c, i, i + 2, (z) => single(c, z)),
    single(c, i + 1),
  );

/** `y` in the scale that is input `i`; the zero point follows it. */
const stored = (c: Call, y: Tensor, i: number): Tensor =>
  rounded(c, f.div(y, single(c, i)), i + 1, typeOfZero(c, i + 1), (z) => single(c, z));

const binary = (fn: (a: Tensor, b: Tensor) => Tensor): Operator => ({
  device: (c) => stored(c, fn(real(c, 0), real(c, 3)), 6),
  statistics: [1, 4, 6],
});

const unary = (fn: (x: Tensor, c: Call) => Tensor): Operator => ({
  device: (c) => stored(c, fn(real(c, 0), c), 3),
  statistics: [1, 3],
});

const join: Op = (c) => {
  const parts = Array.from({ length: (c.inputs.length - 2) / 3 }, (_, i) => real(c, 2 + 3 * i));
  return stored(c, concat(parts, c.axis(c.int("axis", 1), parts[0].rank)), 0);
};

function average(x: Tensor, c: Call): Tensor {
  if (c.flag("channels_last")) throw c.unsupported("channels_last");
  return mean(x, [...x.shape.keys()].slice(2), { keepDims: true });
}

function poolOf(x: Tensor, c: Call): Tensor {
  if (c.flag("channels_last")) throw c.unsupported("channels_last");
  return averagePool(c, x);
}

function softmaxOf(x: Tensor, c: Call): Tensor {
  const axis = c.axis(c.int("axis", -1), x.rank);
  // Up to operator set 12 the axes from `axis` on are one.
  if (c.int("opset", 13) < 13 && axis !== x.rank - 1) throw c.unsupported("an axis before the last one, of operator set 12,");
  return softmax(x, axis);
}

// The result's and those of up to 64 parts; more would be parameters, which changes no result.
const scales = [0, ...Array.from({ length: 64 }, (_, i) => 3 + 3 * i)];

export const operators: Operators = {
  "com.microsoft::QLinearAdd": binary(f.add),
  "com.microsoft::QLinearAveragePool": unary(poolOf),
  "com.microsoft::QLinearConcat": { device: join, statistics: scales },
  "com.microsoft::QLinearGlobalAveragePool": unary(average),
  "com.microsoft::QLinearLeakyRelu": unary((x, c) => f.leakyRelu(x, c.floatAttribute("alpha", 0.01))),
  "com.microsoft::QLinearMul": binary(f.mul),
  "com.microsoft::QLinearSigmoid": unary(f.sigmoid),
  "com.microsoft::QLinearSoftmax": unary(softmaxOf),
};
