/**
 * @file Pointwise functions as rows of tables: the number of the case in the shaders' switches, as lib/unary and lib/pair give it, and what the gradient
 * in `src/autograd` needs.
 */

import { ShapeError } from "../host/errors.ts";
import { type KernelCall, read, write } from "../tensor/kernel.ts";
import { broadcastShapes, sameShape, type Shape, showShape, stridesOf } from "../host/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { expectFloats, expectTensors, half } from "./lib/args.ts";
import { share } from "./lib/occupancy.ts";
import { eachBroadcastPiece, eachPiece } from "./lib/pieces.ts";
import { flat, grid } from "./lib/workgroups.ts";
import * as pairCodes from "./shaders/lib/pair.gen.ts";
import * as unaryCodes from "./shaders/lib/unary.gen.ts";
import { binaryShader } from "./shaders/pointwise/binary.gen.ts";
import { binaryGradientShader } from "./shaders/pointwise/binary_gradient.gen.ts";
import { unaryShader } from "./shaders/pointwise/unary.gen.ts";
import { unaryGradientShader } from "./shaders/pointwise/unary_gradient.gen.ts";
import { whereShader } from "./shaders/pointwise/where.gen.ts";

/** `saved` tells whether the gradient reads the input `x` or the result `y`; "none": the function has no gradient. */
export const unaryOps = {
  relu: { op: unaryCodes.RELU, saved: "y" },
  sigmoid: { op: unaryCodes.SIGMOID, saved: "y" },
  leakyRelu: { op: unaryCodes.LEAKY_RELU, saved: "x" },
  elu: { op: unaryCodes.ELU, saved: "y" },
  tanh: { op: unaryCodes.TANH, saved: "y" },
  affine: { op: unaryCodes.AFFINE, saved: "x" },
  exp: { op: unaryCodes.EXP, saved: "y" },
  log: { op: unaryCodes.LOG, saved: "x" },
  sqrt: { op: unaryCodes.SQRT, saved: "y" },
  abs: { op: unaryCodes.ABS, saved: "x" },
  square: { op: unaryCodes.SQUARE, saved: "x" },
  reciprocal: { op: unaryCodes.RECIPROCAL, saved: "y" },
  clamp: { op: unaryCodes.CLAMP, saved: "x" },
  selu: { op: unaryCodes.SELU, saved: "y" },
  gelu: { op: unaryCodes.GELU, saved: "x" },
  geluTanh: { op: unaryCodes.GELU_TANH, saved: "x" },
  silu: { op: unaryCodes.SILU, saved: "x" },
  mish: { op: unaryCodes.MISH, saved: "x" },
  softplus: { op: unaryCodes.SOFTPLUS, saved: "x" },
  hardswish: { op: unaryCodes.HARDSWISH, saved: "x" },
  logSigmoid: { op: unaryCodes.LOG_SIGMOID, saved: "x" },
  rsqrt: { op: unaryCodes.RSQRT, saved: "y" },
  sign: { op: unaryCodes.SIGN, saved: "y" },
  floor: { op: unaryCodes.FLOOR, saved: "y" },
  round: { op: unaryCodes.ROUND, saved: "y" },
  relu6: { op: unaryCodes.RELU6, saved: "y" },
  isFinite: { op: unaryCodes.IS_FINITE, saved: "none" },
  erf: { op: unaryCodes.ERF, saved: "x" },
} as const;

export type UnaryOp = keyof typeof unaryOps;

/** The rows that have a gradient. */
export type SmoothOp = { [K in UnaryOp]: (typeof unaryOps)[K]["saved"] extends "none" ? never : K }[UnaryOp];

/** Functions of two tensors with gradients; some have a parameter: the weight of positives, the end of the parabola. */
export const binaryOps = {
  add: pairCodes.ADD,
  sub: pairCodes.SUB,
  mul: pairCodes.MUL,
  div: pairCodes.DIV,
  maximum: pairCodes.MAXIMUM,
  minimum: pairCodes.MINIMUM,
  pow: pairCodes.POW,
  bceWithLogits: pairCodes.BCE_WITH_LOGITS,
  mse: pairCodes.MSE,
  l1: pairCodes.L1,
  smoothL1: pairCodes.SMOOTH_L1,
  huber: pairCodes.HUBER,
} as const;

export type BinaryOp = keyof typeof binaryOps;

/** 1 where they hold, else 0; no gradients. */
export const comparisons = {
  eq: pairCodes.EQ,
  ne: pairCodes.NE,
  lt: pairCodes.LT,
  le: pairCodes.LE,
  gt: pairCodes.GT,
  ge: pairCodes.GE,
} as const;

export type Comparison = keyof typeof comparisons;

/** Rows of the gradient shader. The others' gradients are sums and products. */
export type FusedOp = Exclude<BinaryOp, "add" | "sub" | "mul">;

/** The call that computes `out`, or a piece of it, from what is read. */
type Describe = (given: readonly Tensor[], out: Tensor) => KernelCall;

/** Writes `out`, whose shape all operands have. */
function run(op: string, out: Tensor, operands: readonly Tensor[], describe: Describe): Tensor {
  if (out.size === 0) return out;
  eachPiece(op, out.rank, [...operands.map(read), write(out)], (pieces) => {
    const y = pieces.at(-1)!;
    y.device.run(describe(pieces.slice(0, -1), y));
  });
  return out;
}

/** The same for operands that are broadcast. */
function runBroadcast(op: string, out: Tensor, operands: readonly Tensor[], describe: Describe): Tensor {
  if (out.size > 0) eachBroadcastPiece(op, operands, out, (given, y) => y.device.run(describe(given, y)));
  return out;
}

/** How the elements of `out` are shared out: four at a time where that comes out even. */
function spread(op: string, out: Tensor, wide = true) {
  const x4 = wide && out.size % 4 === 0;
  return { width: x4 ? "wide" : "scalar", mark: x4 ? " x4" : "", ...flat(out.device, op, out.size / (x4 ? 4 : 1)) } as const;
}

/** `f(x)` element by element; `a` and `b` are the function's own parameters (slope, bounds, factor and offset). */
export function unary(name: UnaryOp, x: Tensor, a = 0, b = 0): Tensor {
  expectFloats(name, { input: x });
  return run(name, x.device.empty(x.shape, x.dtype), [x], ([x], y) => {
    const { width, mark, words, workgroups } = spread(name, y);
    return unaryShader[width]({
      overrides: { OP: unaryOps[name].op },
      variant: name + mark,
      half: half(y),
      params: { ...words, a, b },
      bind: { x, y: write(y) },
      workgroups,
    });
  });
}

/** `dy * f'(…)`, from the tensor that the row names as saved. */
export function unaryGradient(name: SmoothOp, saved: Tensor, dy: Tensor, a = 0, b = 0): Tensor {
  return run(name, dy.device.empty(dy.shape, dy.dtype), [saved, dy], ([s, dy], dx) => {
    const { width, mark, words, workgroups } = spread(name, dx);
    return unaryGradientShader[width]({
      overrides: { OP: unaryOps[name].op },
      variant: name + mark,
      half: half(dx),
      params: { ...words, a, b },
      bind: { s, dy, dx: write(dx) },
      workgroups,
    });
  });
}

// A list of the six axes of a broadcast as two vectors.
function six(list: readonly number[], fill: number) {
  const [a, b, c, d, e, f] = [...new Array<number>(6 - list.length).fill(fill), ...list];
  return [[a, b, c, d] as const, [e, f, 0, 0] as const] as const;
}

/** Strides of `shape` when broadcast to `out`: 0 along expanded axes. */
function broadcastStrides(shape: Shape, out: Shape): number[] {
  const strides = stridesOf(shape);
  const lead = out.length - shape.length;
  return out.map((_, i) => (i < lead || shape[i - lead] === 1 ? 0 : strides[i - lead]));
}

// The axes of a broadcast, fewest possible: neighbors that every operand walks as one, or not at all, are one. Each costs two divisions per element.
function mergedAxes(out: Shape, operands: readonly Tensor[]): { shape: number[]; strides: number[][] } {
  const all = operands.map((t) => broadcastStrides(t.shape, out));
  const shape: number[] = [];
  const strides: number[][] = all.map(() => []);
  out.forEach((size, axis) => {
    if (size === 1) return;
    const joins = shape.length > 0 && all.every((s, k) => strides[k].at(-1) === size * s[axis]);
    if (joins) shape.push(shape.pop()! * size);
    else shape.push(size);
    all.forEach((s, k) => {
      if (joins) strides[k].pop();
      strides[k].push(s[axis]);
    });
  });
  return shape.length > 0 ? { shape, strides } : { shape: [1], strides: all.map(() => [0]) };
}

/** How a result is shared out whose operands may be broadcast, and the words of lib/broadcast for it: single elements in rows, or as `spread` has it. */
function spreadOver(op: string, out: Tensor, operands: readonly Tensor[], broadcast: boolean, wide = true) {
  const { shape, strides } = mergedAxes(out.shape, operands);
  const [shape0, shape1] = six(shape, 1);
  const rest = { shape0, shape1, steps: strides.map((s) => six(s, 0)) };
  if (!broadcast) {
    const { words, ...alike } = spread(op, out, wide);
    return { ...rest, ...alike, BROADCAST: 0, words: { ...words, pieces: 1 } };
  }
  const row = shape.at(-1)!;
  const each = share(out.device, out.size);
  const pieces = Math.ceil(row / each);
  return {
    ...rest,
    width: "scalar" as const,
    BROADCAST: shape.length,
    mark: ` broadcast${shape.length}`,
    words: { count: out.size, each, pieces },
    workgroups: grid(out.device, op, (out.size / row) * pieces, 64),
  };
}

/** NumPy's rule for up to six axes. Throws `ShapeError`. */
function pairShape(op: string, a: Shape, b: Shape): number[] {
  const shape = broadcastShapes(op, a, b);
  if (shape.length > 6) throw new ShapeError(`${op}: result ${showShape(shape)} has more than six axes`);
  return shape;
}

/** What the two shaders of pairs share. A number takes no tensor: the first operand is bound in its place. */
function pair(name: BinaryOp | Comparison, a: Tensor, b: Tensor | number, out: Shape, parameter: number) {
  const number = typeof b === "number" ? b : undefined;
  const second = typeof b === "number" ? a : b;
  const broadcast = !(sameShape(a.shape, out) && sameShape(second.shape, out));
  const OP = name in binaryOps ? binaryOps[name as BinaryOp] : comparisons[name as Comparison];
  const describe = (of: string, [a, b]: readonly Tensor[], y: Tensor) => {
    const { width, mark, BROADCAST, words, steps, shape0, shape1, workgroups } = spreadOver(name, y, [a, b], broadcast);
    const [[a0, a1], [b0, b1]] = steps;
    const call = {
      overrides: { OP, NUMBER: number === undefined ? 0 : 1, BROADCAST },
      variant: `${name}${number === undefined ? "" : " number"}${of}${mark}`,
      half: half(y),
      params: { shape0, shape1, a0, a1, b0, b1, ...words, parameter, number: number ?? 0 },
      workgroups,
    };
    return { width, call };
  };
  return { operands: [a, second], run: broadcast ? runBroadcast : run, describe };
}

/** `f(a, b)` with NumPy broadcasting over at most six axes. Throws `ShapeError`. */
export function binary(name: BinaryOp | Comparison, a: Tensor, b: Tensor | number, parameter = 0): Tensor {
  expectFloats(name, typeof b === "number" ? { a } : { a, b });
  const shape = typeof b === "number" ? a.shape : pairShape(name, a.shape, b.shape);
  if (shape.length > 6) throw new ShapeError(`${name}: result ${showShape(shape)} has more than six axes`);
  const { operands, run, describe } = pair(name, a, b, shape, parameter);
  return run(name, a.device.empty(shape, a.dtype), operands, ([a, b], y) => {
    const { width, call } = describe("", [a, b], y);
    return binaryShader[width]({ ...call, bind: { a, b, y: write(y) } });
  });
}

/** Gradient with respect to `a` (side 0) or `b` (side 1), at the shape of `dy`. */
export function binaryGradient(name: FusedOp, side: 0 | 1, a: Tensor, b: Tensor | number, dy: Tensor, parameter = 0): Tensor {
  const { operands, run, describe } = pair(name, a, b, dy.shape, parameter);
  return run(name, dy.device.empty(dy.shape, dy.dtype), [...operands, dy], ([a, b, dy], d) => {
    const { width, call } = describe(side === 0 ? " of a" : " of b", [a, b], d);
    const overrides = { ...call.overrides, SIDE: side };
    return binaryGradientShader[width]({ ...call, overrides, bind: { a, b, dy, d: write(d) } });
  });
}

/** Shape rule of `where`; a number has the shape `[]`. Throws `ShapeError`. */
function whereShape(condition: Shape, a: Shape, b: Shape): number[] {
  return pairShape("where", condition, pairShape("where", a, b));
}

/** `a` where `condition` is not zero, else `b`. */
export function where(condition: Tensor, a: Tensor | number, b: Tensor | number): Tensor {
  const values = [a, b].map((v) => (typeof v === "number" ? v : undefined));
  const shapes = [a, b].map((v) => (typeof v === "number" ? [] : v.shape));
  const tensor = (v: Tensor | number) => (typeof v === "number" ? condition : v);
  if (condition.dtype === "f16") expectTensors("where", { condition });
  expectTensors("where", { ...(typeof a === "number" ? {} : { a }), ...(typeof b === "number" ? {} : { b }) });
  const shape = whereShape(condition.shape, shapes[0], shapes[1]);
  const given = [condition, tensor(a), tensor(b)];
  const broadcast = !given.every((t) => sameShape(t.shape, shape));
  return (broadcast ? runBroadcast : run)("where", condition.device.empty(shape), given, ([c, a, b], y) => {
    const { mark, BROADCAST, words, steps, shape0, shape1, workgroups } = spreadOver("where", y, [c, a, b], broadcast, false);
    const [[c0, c1], [a0, a1], [b0, b1]] = steps;
    return whereShader({
      overrides: { A_NUMBER: values[0] === undefined ? 0 : 1, B_NUMBER: values[1] === undefined ? 0 : 1, BROADCAST },
      variant: `where ${values.map((v) => (v === undefined ? "t" : "n")).join("")}${mark}`,
      params: { shape0, shape1, c0, c1, a0, a1, b0, b1, ...words, a_value: values[0] ?? 0, b_value: values[1] ?? 0 },
      bind: { c, a, b, y: write(y) },
      workgroups,
    });
  });
}
