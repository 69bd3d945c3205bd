/** @file Pointwise functions as rows of tables; the shaders' switches have a case for each, `src/autograd` a gradient. */

import { ShapeError } from "../tensor/errors.ts";
import { type Binding, type Param, read, write } from "../tensor/kernel.ts";
import { broadcastShapes, sameShape, type Shape, showShape, stridesOf } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { expectTensors } from "./args.ts";
import { grid, program } from "./program.ts";
import type { ShaderName } from "./shaders.gen.ts";

/** `saved` tells whether the gradient reads the input `x` or the result `y`; "none": the function has no gradient. */
export const unaryOps = {
  relu: { op: 0, saved: "y" },
  sigmoid: { op: 1, saved: "y" },
  leakyRelu: { op: 2, saved: "x" },
  elu: { op: 3, saved: "y" },
  tanh: { op: 4, saved: "y" },
  affine: { op: 5, saved: "x" },
  exp: { op: 6, saved: "y" },
  log: { op: 7, saved: "x" },
  sqrt: { op: 8, saved: "y" },
  abs: { op: 9, saved: "x" },
  square: { op: 10, saved: "x" },
  reciprocal: { op: 11, saved: "y" },
  clamp: { op: 12, saved: "x" },
  selu: { op: 13, saved: "y" },
  gelu: { op: 14, saved: "x" },
  geluTanh: { op: 15, saved: "x" },
  silu: { op: 16, saved: "x" },
  mish: { op: 17, saved: "x" },
  softplus: { op: 18, saved: "x" },
  hardswish: { op: 19, saved: "x" },
  logSigmoid: { op: 20, saved: "x" },
  rsqrt: { op: 21, saved: "y" },
  sign: { op: 22, saved: "y" },
  floor: { op: 23, saved: "y" },
  round: { op: 24, saved: "y" },
  relu6: { op: 25, saved: "y" },
  isFinite: { op: 26, saved: "none" },
} as const;

export type UnaryOp = keyof typeof unaryOps;

/** The rows that have a gradient. */
export type SmoothOp = { [K in UnaryOp]: (typeof unaryOps)[K]["saved"] extends "none" ? never : K }[UnaryOp];

/** Functions of two tensors with gradients; some have a parameter: the weight of positives, the end of the parabola. */
export const binaryOps = {
  add: 0,
  sub: 1,
  mul: 2,
  div: 3,
  maximum: 4,
  minimum: 5,
  pow: 6,
  bceWithLogits: 7,
  mse: 8,
  l1: 9,
  smoothL1: 10,
  huber: 11,
} as const;

export type BinaryOp = keyof typeof binaryOps;

/** 1 where they hold, else 0; no gradients. */
export const comparisons = { eq: 12, ne: 13, lt: 14, le: 15, gt: 16, ge: 17 } as const;

export type Comparison = keyof typeof comparisons;

/** Rows of the gradient shader. The others' gradients are sums and products. */
export type FusedOp = Exclude<BinaryOp, "add" | "sub" | "mul">;

// Four elements a thread where that comes out even.
const width = (size: number): 1 | 4 => (size % 4 === 0 ? 4 : 1);

interface Pointwise {
  readonly shader: ShaderName;
  readonly libs: readonly ShaderName[];
  readonly overrides: Readonly<Record<string, number>>;
  readonly variant: string;
  readonly bindings: readonly Binding[];
  readonly before?: readonly Param[];
  readonly after: readonly Param[];
}

/** Dispatches `width` elements a thread over `out`; the uniform block holds `before`, the count and `after`. */
function run(
  op: string,
  out: Tensor,
  wide: 1 | 4,
  { shader, libs, overrides, variant, bindings, before = [], after }: Pointwise,
): Tensor {
  if (out.size === 0) return out;
  const count = out.size / wide;
  out.device.run({
    program: program(shader, {
      libs: ["lib/grid", wide === 4 ? "lib/wide" : "lib/scalar", ...libs],
      overrides,
      variant: wide === 4 ? `${variant} x4` : variant,
    }),
    bindings: [...bindings, write(out)],
    params: [...before, count, ...after],
    workgroups: grid(out.device, op, count, 64),
  });
  return out;
}

/** `f(x)` element by element; `a` and `b` are the function's own parameters (slope, bounds, factor and offset). */
export function unary(name: UnaryOp, x: Tensor, a = 0, b = 0): Tensor {
  expectTensors(name, { input: x });
  return run(name, x.device.empty(x.shape), width(x.size), {
    shader: "pointwise/unary",
    libs: ["lib/activation"],
    overrides: { OP: unaryOps[name].op },
    variant: name,
    bindings: [read(x)],
    after: [{ f32: a }, { f32: b }],
  });
}

/** `dy * f'(…)`, from the tensor that the row names as saved. */
export function unaryGradient(name: SmoothOp, saved: Tensor, dy: Tensor, a = 0, b = 0): Tensor {
  return run(name, dy.device.empty(dy.shape), width(dy.size), {
    shader: "pointwise/unary_gradient",
    libs: ["lib/activation"],
    overrides: { OP: unaryOps[name].op },
    variant: name,
    bindings: [read(saved), read(dy)],
    after: [{ f32: a }, { f32: b }],
  });
}

const six = (list: readonly number[], fill: number): number[] => [
  ...new Array<number>(6 - list.length).fill(fill),
  ...list,
  0,
  0,
];

/** Strides of `shape` when broadcast to `out`: 0 along expanded axes. */
export function broadcastStrides(shape: Shape, out: Shape): number[] {
  const strides = stridesOf(shape);
  const lead = out.length - shape.length;
  return out.map((_, i) => (i < lead || shape[i - lead] === 1 ? 0 : strides[i - lead]));
}

/** Words of the uniform block: the result's shape, then each operand's strides. */
function broadcastParams(out: Shape, ...operands: readonly Shape[]): number[] {
  return [...six(out, 1), ...operands.flatMap((shape) => six(broadcastStrides(shape, out), 0))];
}

/** NumPy's rule for up to six axes. Throws `ShapeError`. */
export function pairShape(op: string, a: Shape, b: Shape): number[] {
  const shape = broadcastShapes(op, a, b);
  if (shape.length > 6) throw new ShapeError(`${op}: result ${showShape(shape)} has more than six axes`);
  return shape;
}

// What the binary shaders share. A number takes no tensor: the first operand is bound in its place.
function operands(name: BinaryOp | Comparison, a: Tensor, b: Tensor | number, out: Shape, parameter: number) {
  const number = typeof b === "number";
  const second = number ? a : b;
  const broadcast = !(sameShape(a.shape, out) && sameShape(second.shape, out));
  const op = name in binaryOps ? binaryOps[name as BinaryOp] : comparisons[name as Comparison];
  return {
    wide: broadcast ? 1 : width(a.size),
    libs: ["lib/activation", "lib/power", "lib/broadcast"],
    overrides: { OP: op, BROADCAST: broadcast ? 1 : 0, NUMBER: number ? 1 : 0 },
    variant: `${name}${broadcast ? " broadcast" : ""}${number ? " number" : ""}`,
    bindings: [read(a), read(second)],
    before: broadcastParams(out, a.shape, second.shape),
    after: [{ f32: parameter }, { f32: number ? b : 0 }],
  } as const;
}

/** `f(a, b)` with NumPy broadcasting over at most six axes. Throws `ShapeError`. */
export function binary(name: BinaryOp | Comparison, a: Tensor, b: Tensor | number, parameter = 0): Tensor {
  expectTensors(name, typeof b === "number" ? { a } : { a, b });
  const shape = typeof b === "number" ? a.shape : pairShape(name, a.shape, b.shape);
  if (shape.length > 6) throw new ShapeError(`${name}: result ${showShape(shape)} has more than six axes`);
  const { wide, ...rest } = operands(name, a, b, shape, parameter);
  return run(name, a.device.empty(shape), wide, { shader: "pointwise/binary", ...rest });
}

/** Gradient with respect to `a` (side 0) or `b` (side 1), at the shape of `dy`. */
export function binaryGradient(name: FusedOp, side: 0 | 1, a: Tensor, b: Tensor | number, dy: Tensor, parameter = 0): Tensor {
  const { wide, overrides, variant, bindings, ...rest } = operands(name, a, b, dy.shape, parameter);
  return run(name, dy.device.empty(dy.shape), wide, {
    shader: "pointwise/binary_gradient",
    overrides: { ...overrides, SIDE: side },
    variant: `${variant} of ${side === 0 ? "a" : "b"}`,
    bindings: [...bindings, read(dy)],
    ...rest,
  });
}

/** Shape rule of `where`; a number has the shape `[]`. Throws `ShapeError`. */
export function whereShape(condition: Shape, a: Shape, b: Shape): number[] {
  return pairShape("where", condition, pairShape("where", a, b));
}

/** `a` where `condition` is not zero, else `b`. */
export function where(condition: Tensor, a: Tensor | number, b: Tensor | number): Tensor {
  const numbers = [typeof a === "number", typeof b === "number"] as const;
  const shapes = [a, b].map((v) => (typeof v === "number" ? [] : v.shape));
  const tensor = (v: Tensor | number) => (typeof v === "number" ? condition : v);
  if (condition.dtype === "f16") expectTensors("where", { condition });
  expectTensors("where", { ...(numbers[0] ? {} : { a: tensor(a) }), ...(numbers[1] ? {} : { b: tensor(b) }) });
  const shape = whereShape(condition.shape, shapes[0], shapes[1]);
  const broadcast = ![condition, tensor(a), tensor(b)].every((t) => sameShape(t.shape, shape));
  return run("where", condition.device.empty(shape), 1, {
    shader: "pointwise/where",
    libs: [],
    overrides: { BROADCAST: broadcast ? 1 : 0, A_NUMBER: numbers[0] ? 1 : 0, B_NUMBER: numbers[1] ? 1 : 0 },
    variant: ["where", broadcast ? "broadcast" : "", numbers.map((n) => (n ? "n" : "t")).join("")].filter(Boolean).join(" "),
    bindings: [read(condition), read(tensor(a)), read(tensor(b))],
    before: broadcastParams(shape, condition.shape, shapes[0], shapes[1]),
    after: [{ f32: numbers[0] ? (a as number) : 0 }, { f32: numbers[1] ? (b as number) : 0 }],
  });
}
