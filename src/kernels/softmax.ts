/** @file Softmax over one axis, and its logarithm. */

import { sizeOf } from "../host/array.ts";
import { read, write } from "../tensor/kernel.ts";
import { normalizeAxis, type Shape } from "../host/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { expectTensors } from "./lib/args.ts";
import { eachPiece } from "./lib/pieces.ts";
import { grid } from "./lib/workgroups.ts";
import { forwardShader } from "./shaders/softmax/forward.gen.ts";
import { gradientShader } from "./shaders/softmax/gradient.gen.ts";

/** `[outer, axis, inner]` around one axis of a shape. Throws `ShapeError`. */
export function aroundAxis(op: string, shape: Shape, axis: number): [outer: number, size: number, inner: number] {
  const at = normalizeAxis(op, axis, shape.length);
  return [sizeOf(shape.slice(0, at)), shape[at], sizeOf(shape.slice(at + 1))];
}

export type SoftmaxOp = "softmax" | "logSoftmax";

const variant = (op: SoftmaxOp) => ({ overrides: { LOG: op === "logSoftmax" ? 1 : 0 }, variant: op });

export function softmax(op: SoftmaxOp, x: Tensor, axis: number): Tensor {
  expectTensors(op, { input: x });
  const rows = aroundAxis(op, x.shape, axis);
  const y = x.device.empty(x.shape);
  if (x.size === 0) return y;
  eachPiece(op, normalizeAxis(op, axis, x.rank), [read(x), write(y)], ([from, to]) => {
    const outer = to.size / (rows[1] * rows[2]);
    x.device.run(
      forwardShader({
        ...variant(op),
        params: { outer, axis: rows[1], inner: rows[2] },
        bind: { x: from, y: write(to) },
        workgroups: grid(x.device, op, outer * rows[2], 64),
      }),
    );
  });
  return y;
}

export function softmaxGradient(op: SoftmaxOp, y: Tensor, dy: Tensor, axis: number): Tensor {
  const rows = aroundAxis(op, y.shape, axis);
  const dx = y.device.empty(y.shape);
  if (y.size === 0) return dx;
  eachPiece(op, normalizeAxis(op, axis, y.rank), [read(y), read(dy), write(dx)], ([result, from, to]) => {
    const outer = to.size / (rows[1] * rows[2]);
    y.device.run(
      gradientShader({
        ...variant(op),
        params: { outer, axis: rows[1], inner: rows[2] },
        bind: { y: result, dy: from, dx: write(to) },
        workgroups: grid(y.device, op, outer * rows[2], 64),
      }),
    );
  });
  return dx;
}
