/** @file Pointwise operators. Truth values on the device are f32, 1 and 0; integers are i32 and computed in f32, exact below 2²⁴. */

import { cast } from "../../../autograd/cast.ts";
import * as f from "../../../autograd/pointwise.ts";
import { sizeOf } from "../../../host/array.ts";
import { roundHalfEven } from "../../../host/rounding.ts";
import type { Tensor } from "../../../tensor/tensor.ts";
import { isHost } from "../../values.ts";
import { zip } from "../broadcast.ts";
import type { Call, Op } from "../call.ts";
import { all, first, same, truth } from "../known.ts";
import { isInteger, likewise, wholeQuotient } from "../integers.ts";
import type { Operators } from "../operator.ts";

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

const divide: Op = (c) => (c.inputs.every(isInteger) ? cast(wholeQuotient(c.float(0), c.float(1)), "i32") : binary(f.div)(c));

// With fmod the sign of the dividend, else that of the divisor.
function modulo(c: Call): Tensor {
  const [a, b] = [c.float(0), c.float(1)];
  // Of an infinite divisor nothing is taken away.
  const rest = f.where(f.eq(f.abs(b), Infinity), a, f.sub(a, f.mul(wholeQuotient(a, b), b)));
  if (c.flag("fmod")) return likewise(c, rest);
  return likewise(c, f.where(f.lt(f.mul(rest, b), 0), f.add(rest, b), rest));
}

const greatest = 3.4028234663852886e38;

function clip(c: Call): Tensor {
  const x = c.float(0);
  c.expectMoved(["min", "max"], 1, 11);
  if (c.opset < 11) return f.clamp(x, c.floatAttribute("min", -greatest), c.floatAttribute("max", greatest));
  const bound = (i: number) => (c.has(i) ? operand(c, i, x.rank) : undefined);
  const [low, high] = [bound(1), bound(2)];
  if (typeof low === "number" && typeof high === "number") return likewise(c, f.clamp(x, low, high), [c.input(0)]);
  const raised = low === undefined ? x : f.maximum(x, low);
  return likewise(c, high === undefined ? raised : f.minimum(raised, high), [c.input(0)]);
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

const hostDivide: Op = (c) => zip(c, first(c).kind, all(c), (a, b) => (first(c).kind === "int" ? Math.trunc(a / b) : a / b));

// Of integers the sign of the divisor, unless fmod asks for that of the dividend.
const hostModulo: Op = (c) => {
  const fmod = c.flag("fmod");
  return zip(c, first(c).kind, all(c), (a, b) => (fmod ? a % b : a - b * Math.floor(a / b)));
};

const hostWhere: Op = (c) => zip(c, c.known(1).kind, all(c), (condition, a, b) => (condition !== 0 ? a : b));

export const operators: Operators = {
  Abs: { device: unary(f.abs), host: same(Math.abs) },
  Add: { device: binary(f.add, true), host: same((a, b) => a + b) },
  And: { device: (c) => f.mul(c.float(0), c.float(1)), host: truth((a, b) => a !== 0 && b !== 0) },
  Ceil: { device: unary((x) => f.neg(f.floor(f.neg(x)))), host: same(Math.ceil) },
  Celu: { device: celu },
  Clip: { device: clip, known: [1, 2] },
  Div: { device: divide, host: hostDivide },
  Elu: { device: (c) => f.elu(c.float(0), c.floatAttribute("alpha", 1)) },
  Equal: { device: compare(f.eq), host: truth((a, b) => a === b) },
  Erf: { device: unary(f.erf) },
  Exp: { device: unary(f.exp), host: same(Math.exp) },
  Floor: { device: unary(f.floor), host: same(Math.floor) },
  Gelu: { device: (c) => f.gelu(c.float(0), { approximate: c.choice("approximate", ["none", "tanh"]) }) },
  Greater: { device: compare(f.gt), host: truth((a, b) => a > b) },
  GreaterOrEqual: { device: compare(f.ge), host: truth((a, b) => a >= b) },
  HardSigmoid: { device: hardSigmoid },
  HardSwish: { device: unary(f.hardswish) },
  LeakyRelu: { device: (c) => f.leakyRelu(c.float(0), c.floatAttribute("alpha", 0.01)) },
  Less: { device: compare(f.lt), host: truth((a, b) => a < b) },
  LessOrEqual: { device: compare(f.le), host: truth((a, b) => a <= b) },
  Log: { device: unary(f.log), host: same(Math.log) },
  Max: { device: variadic(f.maximum), host: same(Math.max) },
  Mean: { device: mean },
  Min: { device: variadic(f.minimum), host: same(Math.min) },
  Mish: { device: unary(f.mish) },
  Mod: { device: modulo, host: hostModulo },
  Mul: { device: binary(f.mul, true), host: same((a, b) => a * b) },
  Neg: { device: unary(f.neg), host: same((a) => -a) },
  Not: { device: (c) => f.eq(c.float(0), 0), host: truth((a) => a === 0) },
  Or: { device: (c) => f.maximum(c.float(0), c.float(1)), host: truth((a, b) => a !== 0 || b !== 0) },
  Pow: { device: power, host: same((a, b) => a ** b) },
  Reciprocal: { device: unary(f.reciprocal), host: same((a) => 1 / a) },
  Relu: { device: unary(f.relu) },
  Round: { device: unary(f.round), host: same(roundHalfEven) },
  Selu: { device: selu },
  Sigmoid: { device: unary(f.sigmoid) },
  Sign: { device: unary(f.sign) },
  Softplus: { device: unary((x) => f.softplus(x)) },
  Softsign: { device: unary((x) => f.div(x, f.add(f.abs(x), 1))) },
  Sqrt: { device: unary(f.sqrt), host: same(Math.sqrt) },
  Sub: { device: binary(f.sub), host: same((a, b) => a - b) },
  Sum: { device: variadic(f.add) },
  Tanh: { device: unary(f.tanh) },
  ThresholdedRelu: { device: thresholded },
  Where: { device: where, host: hostWhere },
  Xor: { device: (c) => f.ne(c.float(0), c.float(1)), host: truth((a, b) => (a !== 0) !== (b !== 0)) },
};
