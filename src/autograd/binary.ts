/** @file Gradients of the functions of two tensors: each row of `src/kernels/pointwise.ts` has one here, or this does not compile. */

import { binary, binaryGradient, type BinaryOp, type FusedOp, unary } from "../kernels/pointwise.ts";
import { sameShape, type Shape } from "../host/shape.ts";
import { expectKind } from "../tensor/kind.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { float32, sumAs } from "./precision.ts";
import { type Backward, record } from "./tape.ts";

type Operand = Tensor | number;

const losses: ReadonlySet<BinaryOp> = new Set(["bceWithLogits", "mse", "l1", "smoothL1", "huber"]);

/** Gradients of f(a, b) at the broadcast shape. */
type Rule = (dy: Tensor, a: Tensor, b: Operand, needs: readonly boolean[], parameter: number) => (Tensor | undefined)[];

const fused =
  (name: FusedOp): Rule =>
  (dy, a, b, needs, parameter) =>
    ([0, 1] as const).map((side) => (needs[side] ? binaryGradient(name, side, a, b, dy, parameter) : undefined));

const rules: { [K in BinaryOp]: Rule } = {
  add: (dy) => [dy, dy],
  sub: (dy, _a, _b, needs) => [dy, needs[1] ? unary("affine", dy, -1) : undefined],
  mul: (dy, a, b, needs) => [needs[0] ? binary("mul", dy, b) : undefined, needs[1] ? binary("mul", dy, a) : undefined],
  // One rounding where dy · (1 / b) has two; -a / b² is fused.
  div: (dy, a, b, needs, parameter) => [
    needs[0] ? binary("div", dy, b) : undefined,
    fused("div")(dy, a, b, [false, needs[1]], parameter)[1],
  ],
  maximum: fused("maximum"),
  minimum: fused("minimum"),
  pow: fused("pow"),
  bceWithLogits: fused("bceWithLogits"),
  mse: fused("mse"),
  l1: fused("l1"),
  smoothL1: fused("smoothL1"),
  huber: fused("huber"),
};

/** Sums a gradient over the axes along which its input was broadcast. */
export function unbroadcast(dy: Tensor, shape: Shape): Tensor {
  if (sameShape(dy.shape, shape)) return dy;
  const lead = dy.rank - shape.length;
  const axes = dy.shape.map((_, i) => i).filter((i) => i < lead || (shape[i - lead] === 1 && dy.shape[i] !== 1));
  return sumAs(dy, axes, { shape, dtype: dy.dtype });
}

/** f(a, b) with NumPy broadcasting and gradients; `b` may be a number. Throws `ShapeError`. */
export function combine(name: BinaryOp, a: Tensor, b: Operand, parameter = 0): Tensor {
  expectKind(name, typeof b === "number" ? { a } : { a, b });
  // Losses, and what has an operand of either type, in f32.
  const mixed = losses.has(name) || (typeof b !== "number" && a.dtype !== b.dtype);
  if (mixed) [a, b] = [float32(a), typeof b === "number" ? b : float32(b)];
  const second = typeof b === "number" ? undefined : b;
  const backward: Backward = (dy, needs) => {
    const parts = rules[name](dy, a, b, needs, parameter);
    return [a, second].map((input, i) => {
      const part = parts[i];
      if (!needs[i] || !input || !part) return undefined;
      const sum = unbroadcast(part, input.shape);
      if (sum !== part && part !== dy) part.dispose();
      return sum;
    });
  };
  return record(name, [a, second], binary(name, a, b, parameter), backward, { b, parameter });
}
