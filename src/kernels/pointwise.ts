/** @file Pointwise functions as rows of a table; the shader's switch and `src/autograd/pointwise.ts` have a row for each. */

import { ShapeError } from "../tensor/errors.ts";
import { read, write } from "../tensor/kernel.ts";
import { broadcastShapes, sameShape, type Shape, showShape, stridesOf } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { expectTensors } from "./args.ts";
import { grid, program } from "./program.ts";

/** `saved` tells whether the gradient reads the input `x` or the result `y`. */
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
} as const;

export type UnaryOp = keyof typeof unaryOps;

export const binaryOps = { add: 0, sub: 1, mul: 2, div: 3 } as const;

export type BinaryOp = keyof typeof binaryOps;

const libs = ["lib/grid", "lib/sigmoid"] as const;

/** `f(x)` element by element; `a` and `b` are the function's own parameters (slope, bounds, factor and offset). */
export function unary(name: UnaryOp, x: Tensor, a = 0, b = 0): Tensor {
  expectTensors(name, { input: x });
  const y = x.device.empty(x.shape);
  if (y.size === 0) return y;
  x.device.run({
    program: program("pointwise/unary", { libs, overrides: { OP: unaryOps[name].op }, variant: name }),
    bindings: [read(x), write(y)],
    params: [x.size, { f32: a }, { f32: b }],
    workgroups: grid(x.device, name, x.size, 64),
  });
  return y;
}

/** `dy * f'(…)`, from the tensor that the row names as saved. */
export function unaryGradient(name: UnaryOp, saved: Tensor, dy: Tensor, a = 0, b = 0): Tensor {
  const dx = dy.device.empty(dy.shape);
  if (dx.size === 0) return dx;
  dy.device.run({
    program: program("pointwise/unary_gradient", { libs: ["lib/grid"], overrides: { OP: unaryOps[name].op }, variant: name }),
    bindings: [read(saved), read(dy), write(dx)],
    params: [dy.size, { f32: a }, { f32: b }],
    workgroups: grid(dy.device, name, dy.size, 64),
  });
  return dx;
}

const six = (list: readonly number[], fill: number): number[] => [...new Array<number>(6 - list.length).fill(fill), ...list, 0, 0];

/** Strides of `shape` when broadcast to `out`: 0 along expanded axes. */
export function broadcastStrides(shape: Shape, out: Shape): number[] {
  const strides = stridesOf(shape);
  const lead = out.length - shape.length;
  return out.map((_, i) => (i < lead || shape[i - lead] === 1 ? 0 : strides[i - lead]));
}

/** `f(a, b)` with NumPy broadcasting over at most six axes. Throws `ShapeError`. */
export function binary(name: BinaryOp, a: Tensor, b: Tensor): Tensor {
  expectTensors(name, { a, b });
  const shape = broadcastShapes(name, a.shape, b.shape);
  if (shape.length > 6) throw new ShapeError(`${name}: result ${showShape(shape)} has more than six axes`);
  const y = a.device.empty(shape);
  if (y.size === 0) return y;
  const broadcast = !(sameShape(a.shape, shape) && sameShape(b.shape, shape));
  a.device.run({
    program: program("pointwise/binary", {
      libs: ["lib/grid"],
      overrides: { OP: binaryOps[name], BROADCAST: broadcast ? 1 : 0 },
      variant: broadcast ? `${name} broadcast` : name,
    }),
    bindings: [read(a), read(b), write(y)],
    params: [...six(shape, 1), ...six(broadcastStrides(a.shape, shape), 0), ...six(broadcastStrides(b.shape, shape), 0), y.size],
    workgroups: grid(a.device, name, y.size, 64),
  });
  return y;
}
