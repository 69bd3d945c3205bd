/** @file Pointwise functions with gradients. The tables of `src/kernels/pointwise.ts` have a row each here, or this does not compile. */

import {
  binary,
  type BinaryOp,
  unary,
  unaryGradient,
  type UnaryOp,
  unaryOps,
} from "../kernels/pointwise.ts";
import { reduceSum } from "../kernels/reduce.ts";
import { sameShape, type Shape } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { record } from "./tape.ts";

function apply(name: UnaryOp, x: Tensor, a?: number, b?: number): Tensor {
  const y = unary(name, x, a, b);
  // Naming y in its own note is fine: both are garbage together.
  return record(name, [x], y, (dy) => [unaryGradient(name, unaryOps[name].saved === "x" ? x : y, dy, a, b)]);
}

/** max(x, 0). */
export const relu = (x: Tensor): Tensor => apply("relu", x);
/** 1 / (1 + exp(-x)). */
export const sigmoid = (x: Tensor): Tensor => apply("sigmoid", x);
/** x where x ≥ 0, else slope · x; PyTorch's default slope 0.01. */
export const leakyRelu = (x: Tensor, negativeSlope = 0.01): Tensor => apply("leakyRelu", x, negativeSlope);
/** x where x > 0, else alpha · (exp(x) − 1). */
export const elu = (x: Tensor, alpha = 1): Tensor => apply("elu", x, alpha);
export const tanh = (x: Tensor): Tensor => apply("tanh", x);
/** factor · x + offset. */
export const affine = (x: Tensor, factor: number, offset = 0): Tensor => apply("affine", x, factor, offset);
export const exp = (x: Tensor): Tensor => apply("exp", x);
export const log = (x: Tensor): Tensor => apply("log", x);
export const sqrt = (x: Tensor): Tensor => apply("sqrt", x);
export const abs = (x: Tensor): Tensor => apply("abs", x);
export const square = (x: Tensor): Tensor => apply("square", x);
export const reciprocal = (x: Tensor): Tensor => apply("reciprocal", x);
/** x limited to [min, max]. */
export const clamp = (x: Tensor, min: number, max: number): Tensor => apply("clamp", x, min, max);

// Gradients of f(a, b) at the broadcast shape.
const rules: { [K in BinaryOp]: (dy: Tensor, a: Tensor, b: Tensor, needs: readonly boolean[]) => (Tensor | undefined)[] } = {
  add: (dy) => [dy, dy],
  sub: (dy, _a, _b, needs) => [dy, needs[1] ? unary("affine", dy, -1) : undefined],
  mul: (dy, a, b, needs) => [needs[0] ? binary("mul", dy, b) : undefined, needs[1] ? binary("mul", dy, a) : undefined],
  // d(a/b) = dy/b, -dy a/b²
  div: (dy, a, b, needs) => {
    const da = binary("div", dy, b);
    if (!needs[1]) return [da];
    const quotient = binary("div", a, b);
    const product = binary("mul", da, quotient);
    quotient.dispose();
    const db = unary("affine", product, -1);
    product.dispose();
    return [da, db];
  },
};

/** Sums a gradient over the axes along which its input was broadcast. */
function unbroadcast(dy: Tensor, shape: Shape): Tensor {
  if (sameShape(dy.shape, shape)) return dy;
  const lead = dy.rank - shape.length;
  const axes = dy.shape.map((_, i) => i).filter((i) => i < lead || (shape[i - lead] === 1 && dy.shape[i] !== 1));
  const sum = reduceSum(dy, axes, false);
  const out = sum.view(shape);
  sum.dispose();
  return out;
}

function combine(name: BinaryOp, a: Tensor, b: Tensor | number): Tensor {
  if (typeof b === "number") {
    switch (name) {
      case "add":
        return affine(a, 1, b);
      case "sub":
        return affine(a, 1, -b);
      case "mul":
        return affine(a, b);
      case "div":
        return affine(a, 1 / b);
    }
  }
  return record(name, [a, b], binary(name, a, b), (dy, needs) => {
    const [da, db] = rules[name](dy, a, b, needs);
    return [needs[0] ? unbroadcast(da!, a.shape) : undefined, needs[1] ? unbroadcast(db!, b.shape) : undefined];
  });
}

/** a + b with NumPy broadcasting. */
export const add = (a: Tensor, b: Tensor | number): Tensor => combine("add", a, b);
export const sub = (a: Tensor, b: Tensor | number): Tensor => combine("sub", a, b);
export const mul = (a: Tensor, b: Tensor | number): Tensor => combine("mul", a, b);
export const div = (a: Tensor, b: Tensor | number): Tensor => combine("div", a, b);
