/** @file Pointwise operators on the device. Truth values are f32, 1 and 0; integers are i32 and computed in f32, exact below 2²⁴. */

import { cast } from "../../../autograd/cast.ts";
import * as f from "../../../autograd/pointwise.ts";
import { prelu } from "../../../autograd/prelu.ts";
import { reshape } from "../../../autograd/view.ts";
import { sizeOf } from "../../../host/array.ts";
import type { Tensor } from "../../../tensor/tensor.ts";
import type { Call, Op, Ops } from "../call.ts";
import { isHost, type Value } from "../../values.ts";
import { types } from "../../tensor_data.ts";

const isInteger = (v: Value | undefined): boolean => v !== undefined && (isHost(v) ? v.kind === "int" : v.dtype === "i32");

/** Gives a result the type of inputs that were integers. */
const likewise = (c: Call, y: Tensor, inputs: readonly (Value | undefined)[] = c.inputs): Tensor =>
  inputs.every(isInteger) ? cast(y, "i32") : y;

const unary =
  (fn: (x: Tensor) => Tensor): Op =>
  (c) =>
    likewise(c, fn(c.float(0)));

/** Input `i` as a number if it is a known one that does not change the shape of the other operand. */
function operand(c: Call, i: number, rank: number): Tensor | number {
  const v = c.input(i);
  return isHost(v) && sizeOf(v.shape) === 1 && v.shape.length <= rank ? v.data[0] : c.float(i);
}

const binary =
  (fn: (a: Tensor, b: Tensor | number) => Tensor, commutes = false): Op =>
  (c) => {
    if (commutes && isHost(c.input(0))) return likewise(c, fn(c.float(1), operand(c, 0, c.shape(1).length)));
    return likewise(c, fn(c.float(0), operand(c, 1, c.shape(0).length)));
  };

const compare =
  (fn: (a: Tensor, b: Tensor | number) => Tensor): Op =>
  (c) =>
    fn(c.float(0), operand(c, 1, c.shape(0).length));

const variadic =
  (fn: (a: Tensor, b: Tensor) => Tensor): Op =>
  (c) =>
    likewise(c, c.inputs.map((_, i) => c.float(i)).reduce(fn));

const divide: Op = (c) => {
  // 6 / 3 may come out a little below 2.
  if (c.inputs.every(isInteger)) throw c.unsupported("a division of integers that depend on the data");
  return binary(f.div)(c);
};

function modulo(c: Call): Tensor {
  if (c.inputs.every(isInteger) || c.flag("fmod")) throw c.unsupported("Mod of integers, or with fmod, that depend on the data");
  const [a, b] = [c.float(0), c.float(1)];
  return f.sub(a, f.mul(b, f.floor(f.div(a, b))));
}

function clip(c: Call): Tensor {
  const x = c.float(0);
  if (c.opset < 11) return f.clamp(x, c.floatAttribute("min", -3.4e38), c.floatAttribute("max", 3.4e38));
  const bound = (i: number) => (c.has(i) ? operand(c, i, x.rank) : undefined);
  const [low, high] = [bound(1), bound(2)];
  // With bounds the wrong way round the upper one holds, as in numpy; clamp on a device leaves that open.
  if (typeof low === "number" && typeof high === "number" && low <= high) return likewise(c, f.clamp(x, low, high), [c.input(0)]);
  const raised = low === undefined ? x : f.maximum(x, low);
  return likewise(c, high === undefined ? raised : f.minimum(raised, high), [c.input(0)]);
}

function parametric(c: Call): Tensor {
  const [x, slope] = [c.float(0), c.float(1)];
  // [C, 1, 1] (or [C] in operator set 6), one per channel, as prelu has it; all else by its definition.
  const aligned = slope.rank === (c.opset < 7 ? 1 : x.rank - 1) && slope.shape[0] === x.shape[1];
  const channels = x.rank > 1 && aligned && slope.size === x.shape[1];
  if (slope.size === 1) return prelu(x, reshape(slope, [1]));
  if (channels) return prelu(x, reshape(slope, [slope.size]));
  return f.add(f.relu(x), f.mul(f.minimum(x, 0), slope));
}

function where(c: Call): Tensor {
  const condition = c.tensor(0);
  const [a, b] = [1, 2].map((i) => operand(c, i, condition.rank));
  return likewise(c, f.where(condition, a, b), [c.input(1), c.input(2)]);
}

function power(c: Call): Tensor {
  const [x, exponent] = [c.float(0), operand(c, 1, c.shape(0).length)];
  const y = exponent === 0.5 ? f.sqrt(x) : exponent === 2 ? f.square(x) : f.pow(x, exponent);
  return likewise(c, y, [c.input(0)]);
}

function castTo(c: Call, kind: string | undefined): Value {
  if (kind === "float") return c.float(0);
  if (kind === "int") return cast(c.tensor(0), "i32");
  if (kind === "bool") return f.ne(c.float(0), 0);
  throw c.unsupported(`a cast to type ${c.int("to", 1)}`);
}

const castLike: Op = (c) => castTo(c, isInteger(c.input(1)) ? "int" : "float");

function celu(c: Call): Tensor {
  const [x, alpha] = [c.float(0), c.floatAttribute("alpha", 1)];
  return f.affine(f.elu(f.affine(x, 1 / alpha), 1), alpha);
}

function hardSigmoid(c: Call): Tensor {
  return f.clamp(f.affine(c.float(0), c.floatAttribute("alpha", 0.2), c.floatAttribute("beta", 0.5)), 0, 1);
}

function selu(c: Call): Tensor {
  const [alpha, gamma] = [c.floatAttribute("alpha", 1.6732631921768188), c.floatAttribute("gamma", 1.0507010221481323)];
  return f.affine(f.elu(c.float(0), alpha), gamma);
}

function thresholded(c: Call): Tensor {
  const x = c.float(0);
  return f.where(f.gt(x, c.floatAttribute("alpha", 1)), x, 0);
}

const mean: Op = (c) => f.affine(variadic(f.add)(c) as Tensor, 1 / c.inputs.length);

export const pointwiseOps: Ops = {
  Abs: unary(f.abs),
  Add: binary(f.add, true),
  And: (c) => f.mul(c.float(0), c.float(1)),
  Cast: (c) => castTo(c, types[c.int("to", 1)]?.kind),
  CastLike: castLike,
  Ceil: unary((x) => f.neg(f.floor(f.neg(x)))),
  Celu: celu,
  Clip: clip,
  Div: divide,
  Elu: (c) => f.elu(c.float(0), c.floatAttribute("alpha", 1)),
  Equal: compare(f.eq),
  Erf: unary(f.erf),
  Exp: unary(f.exp),
  Floor: unary(f.floor),
  Gelu: (c) => f.gelu(c.float(0), { approximate: c.choice("approximate", ["none", "tanh"]) }),
  Greater: compare(f.gt),
  GreaterOrEqual: compare(f.ge),
  HardSigmoid: hardSigmoid,
  HardSwish: unary(f.hardswish),
  LeakyRelu: (c) => f.leakyRelu(c.float(0), c.floatAttribute("alpha", 0.01)),
  Less: compare(f.lt),
  LessOrEqual: compare(f.le),
  Log: unary(f.log),
  Max: variadic(f.maximum),
  Mean: mean,
  Min: variadic(f.minimum),
  Mish: unary(f.mish),
  Mod: modulo,
  Mul: binary(f.mul, true),
  Neg: unary(f.neg),
  Not: (c) => f.eq(c.float(0), 0),
  Or: (c) => f.maximum(c.float(0), c.float(1)),
  PRelu: parametric,
  Pow: power,
  Reciprocal: unary(f.reciprocal),
  Relu: unary(f.relu),
  Round: unary(f.round),
  Selu: selu,
  Sigmoid: unary(f.sigmoid),
  Sign: unary(f.sign),
  Softplus: unary((x) => f.softplus(x)),
  Softsign: unary((x) => f.div(x, f.add(f.abs(x), 1))),
  Sqrt: unary(f.sqrt),
  Sub: binary(f.sub),
  Sum: variadic(f.add),
  Tanh: unary(f.tanh),
  ThresholdedRelu: thresholded,
  Where: where,
  Xor: (c) => f.ne(c.float(0), c.float(1)),
};
