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

/** The axes before one axis of a shape, the axis and those after it, each as one, as lib/around_axis has them. */
export interface AroundAxis {
  readonly outer: number;
  readonly axis: number;
  readonly inner: number;
}

/** Throws `ShapeError`. */
export function aroundAxis(op: string, shape: Shape, axis: number): AroundAxis {
  const at = normalizeAxis(op, axis, shape.length);
  return { outer: sizeOf(shape.slice(0, at)), axis: shape[at], inner: sizeOf(shape.slice(at + 1)) };
}

export type SoftmaxOp = "softmax" | "logSoftmax";

const variant = (op: SoftmaxOp) => ({ overrides: { LOG: op === "logSoftmax" ? 1 : 0 }, variant: op });

export function softmax(op: SoftmaxOp, x: Tensor, axis: number): Tensor {
  expectTensors(op, { input: x });
  const rows = aroundAxis(op, x.shape, axis);
  const y = x.device.empty(x.shape);
  if (x.size === 0) return y;
  eachPiece(op, normalizeAxis(op, axis, x.rank), [read(x), write(y)], ([from, to]) => {
    const outer = to.size / (rows.axis * rows.inner);
    x.device.run(
      forwardShader({
        ...variant(op),
        params: { ...rows, outer },
        bind: { x: from, y: write(to) },
        workgroups: grid(x.device, op, outer * rows.inner, 64),
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
    const outer = to.size / (rows.axis * rows.inner);
    y.device.run(
      gradientShader({
        ...variant(op),
        params: { ...rows, outer },
        bind: { y: result, dy: from, dx: write(to) },
        workgroups: grid(y.device, op, outer * rows.inner, 64),
      }),
    );
  });
  return dx;
}
