/** @file Pointwise functions as rows of tables; the shaders' switches have a case for each, `src/autograd` a gradient. */

import { ShapeError } from "../host/errors.ts";
import { type Param, read, write } from "../tensor/kernel.ts";
import { broadcastShapes, sameShape, type Shape, showShape, stridesOf } from "../host/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { expectFloats, expectTensors, half } from "./lib/args.ts";
import { eachBroadcastPiece, eachPiece } from "./lib/pieces.ts";
import { grid, program } from "./lib/program.ts";
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
  erf: { op: 27, saved: "x" },
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

interface Pointwise {
  readonly shader: ShaderName;
  readonly libs: readonly ShaderName[];
  readonly overrides: Readonly<Record<string, number>>;
  readonly variant: string;
  /** What is read, in the order of the bindings. */
  readonly operands: readonly Tensor[];
  /** Otherwise all operands have the shape of the result. */
  readonly broadcast?: boolean;
  /** Of the first so many operands the strides stand in the uniform block, after the shape of the result. */
  readonly strided?: number;
  readonly wide?: boolean;
  readonly after: readonly Param[];
}

/** Writes `out`, four elements a thread where that comes out even; the uniform block holds shapes, the count and `after`. */
function run(op: string, out: Tensor, work: Pointwise): Tensor {
  if (out.size === 0) return out;
  const { operands, broadcast = false } = work;
  if (broadcast) eachBroadcastPiece(op, operands, out, (some, y) => dispatch(op, some, y, work));
  else {
    eachPiece(op, out.rank, [...operands.map(read), write(out)], (parts) =>
      dispatch(op, parts.slice(0, -1), parts.at(-1)!, work),
    );
  }
  return out;
}

function dispatch(op: string, operands: readonly Tensor[], out: Tensor, work: Pointwise): void {
  const { shader, libs, overrides, strided = 0, broadcast = false, wide = !broadcast, after } = work;
  const width = wide && out.size % 4 === 0 ? 4 : 1;
  const count = out.size / width;
  const layout = mergedAxes(out.shape, operands.slice(0, strided));
  const axes = broadcast ? layout.shape.length : 0;
  const variant = `${work.variant}${axes > 0 ? ` broadcast${axes}` : ""}${width === 4 ? " x4" : ""}`;
  out.device.run({
    program: program(shader, {
      libs: ["lib/grid", width === 4 ? "lib/wide" : "lib/scalar", ...libs],
      overrides: strided > 0 ? { ...overrides, BROADCAST: axes } : overrides,
      variant,
      half: half(out),
    }),
    bindings: [...operands.map(read), write(out)],
    params: [...(strided > 0 ? [...six(layout.shape, 1), ...layout.strides.flatMap((s) => six(s, 0))] : []), count, ...after],
    workgroups: grid(out.device, op, count, 64),
  });
}

/** `f(x)` element by element; `a` and `b` are the function's own parameters (slope, bounds, factor and offset). */
export function unary(name: UnaryOp, x: Tensor, a = 0, b = 0): Tensor {
  expectFloats(name, { input: x });
  return run(name, x.device.empty(x.shape, x.dtype), {
    shader: "pointwise/unary",
    libs: ["lib/activation"],
    overrides: { OP: unaryOps[name].op },
    variant: name,
    operands: [x],
    after: [{ f32: a }, { f32: b }],
  });
}

/** `dy * f'(…)`, from the tensor that the row names as saved. */
export function unaryGradient(name: SmoothOp, saved: Tensor, dy: Tensor, a = 0, b = 0): Tensor {
  return run(name, dy.device.empty(dy.shape, dy.dtype), {
    shader: "pointwise/unary_gradient",
    libs: ["lib/activation"],
    overrides: { OP: unaryOps[name].op },
    variant: name,
    operands: [saved, dy],
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

// The axes of a broadcast, fewest possible: neighbours that every operand walks as one, or not at all, are one. Each costs two divisions per element.
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

/** NumPy's rule for up to six axes. Throws `ShapeError`. */
export function pairShape(op: string, a: Shape, b: Shape): number[] {
  const shape = broadcastShapes(op, a, b);
  if (shape.length > 6) throw new ShapeError(`${op}: result ${showShape(shape)} has more than six axes`);
  return shape;
}

// What the binary shaders share. A number takes no tensor: the first operand is bound in its place.
function shared(name: BinaryOp | Comparison, a: Tensor, b: Tensor | number, out: Shape, parameter: number) {
  const number = typeof b === "number";
  const second = number ? a : b;
  const broadcast = !(sameShape(a.shape, out) && sameShape(second.shape, out));
  const op = name in binaryOps ? binaryOps[name as BinaryOp] : comparisons[name as Comparison];
  return {
    libs: ["lib/activation", "lib/power", "lib/broadcast"],
    overrides: { OP: op, NUMBER: number ? 1 : 0 },
    variant: `${name}${number ? " number" : ""}`,
    operands: [a, second],
    broadcast,
    strided: 2,
    after: [{ f32: parameter }, { f32: number ? b : 0 }],
  } as const;
}

/** `f(a, b)` with NumPy broadcasting over at most six axes. Throws `ShapeError`. */
export function binary(name: BinaryOp | Comparison, a: Tensor, b: Tensor | number, parameter = 0): Tensor {
  expectFloats(name, typeof b === "number" ? { a } : { a, b });
  const shape = typeof b === "number" ? a.shape : pairShape(name, a.shape, b.shape);
  if (shape.length > 6) throw new ShapeError(`${name}: result ${showShape(shape)} has more than six axes`);
  return run(name, a.device.empty(shape, a.dtype), { shader: "pointwise/binary", ...shared(name, a, b, shape, parameter) });
}

/** Gradient with respect to `a` (side 0) or `b` (side 1), at the shape of `dy`. */
export function binaryGradient(name: FusedOp, side: 0 | 1, a: Tensor, b: Tensor | number, dy: Tensor, parameter = 0): Tensor {
  const { overrides, variant, operands, ...rest } = shared(name, a, b, dy.shape, parameter);
  return run(name, dy.device.empty(dy.shape, dy.dtype), {
    shader: "pointwise/binary_gradient",
    overrides: { ...overrides, SIDE: side },
    variant: `${variant} of ${side === 0 ? "a" : "b"}`,
    operands: [...operands, dy],
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
  return run("where", condition.device.empty(shape), {
    shader: "pointwise/where",
    libs: [],
    overrides: { A_NUMBER: numbers[0] ? 1 : 0, B_NUMBER: numbers[1] ? 1 : 0 },
    variant: `where ${numbers.map((n) => (n ? "n" : "t")).join("")}`,
    operands: [condition, tensor(a), tensor(b)],
    broadcast,
    strided: 3,
    wide: false,
    after: [{ f32: numbers[0] ? (a as number) : 0 }, { f32: numbers[1] ? (b as number) : 0 }],
  });
}
