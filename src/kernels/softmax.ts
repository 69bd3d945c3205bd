/** @file Softmax over one axis, and its logarithm. */

import { sizeOf } from "../host/array.ts";
import { type Binding, read, write } from "../tensor/kernel.ts";
import { normalizeAxis, type Shape } from "../host/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { expectTensors } from "./lib/args.ts";
import { eachPart } from "./lib/parts.ts";
import { fits } from "./lib/pieces.ts";
import { grid } from "./lib/workgroups.ts";
import { binary } from "./pointwise.ts";
import { reduce, reduceSum } from "./reduce.ts";
import { BLOCK } from "./shaders/lib/levels.gen.ts";
import { forwardShader } from "./shaders/softmax/forward.gen.ts";
import { gradientShader } from "./shaders/softmax/gradient.gen.ts";
import { longShader } from "./shaders/softmax/long.gen.ts";
import { longGradientShader } from "./shaders/softmax/long_gradient.gen.ts";

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

const log = (op: SoftmaxOp) => (op === "logSoftmax" ? 1 : 0);

const variant = (op: SoftmaxOp, { axis }: AroundAxis) => ({
  overrides: { LOG: log(op), BLOCKED: axis > BLOCK ? 1 : 0 },
  variant: axis > BLOCK ? `${op} blocked` : op,
});

// Beyond this many terms a thread's sum in blocks of 64 has more than 64 of them, and a thread per row leaves a device idle.
const longRow = 4096;

// Few rows at a time where they are over the binding limit, or some of what lies behind the axis; a longer axis is reduced.
function eachRows(
  op: SoftmaxOp,
  { outer, axis, inner }: AroundAxis,
  bindings: readonly Binding<Tensor>[],
  body: (tensors: readonly Tensor[], rows: AroundAxis) => void,
): void {
  eachPart(
    op,
    { samples: outer, length: inner },
    bindings,
    (tensors, { samples, length }) => body(tensors, { outer: samples, axis, inner: length }),
    (tensors) => body(tensors, { outer: 1, axis, inner }),
  );
}

export function softmax(op: SoftmaxOp, x: Tensor, axis: number): Tensor {
  expectTensors(op, { input: x });
  const y = x.device.empty(x.shape);
  if (x.size === 0) return y;
  eachRows(op, aroundAxis(op, x.shape, axis), [read(x), write(y)], ([from, to], rows) => {
    if (rows.axis > longRow || !fits(to)) return long(op, from, to, rows);
    x.device.run(
      forwardShader({
        ...variant(op, rows),
        params: { ...rows },
        bind: { x: from, y: write(to) },
        workgroups: grid(x.device, op, rows.outer * rows.inner, 64),
      }),
    );
  });
  return y;
}

export function softmaxGradient(op: SoftmaxOp, y: Tensor, dy: Tensor, axis: number): Tensor {
  const dx = y.device.empty(y.shape);
  if (y.size === 0) return dx;
  eachRows(op, aroundAxis(op, y.shape, axis), [read(y), read(dy), write(dx)], ([result, from, to], rows) => {
    if (rows.axis > longRow || !fits(to)) return longGradient(op, result, from, to, rows);
    y.device.run(
      gradientShader({
        ...variant(op, rows),
        params: { ...rows },
        bind: { y: result, dy: from, dx: write(to) },
        workgroups: grid(y.device, op, rows.outer * rows.inner, 64),
      }),
    );
  });
  return dx;
}

// Places of a row that is over the binding limit; all rows else.
function eachPlaces(
  op: SoftmaxOp,
  { outer, axis, inner }: AroundAxis,
  bindings: readonly Binding<Tensor>[],
  body: (tensors: readonly Tensor[], rows: AroundAxis) => void,
): void {
  eachPart(op, { samples: outer, length: axis, rest: inner }, bindings, (tensors, { samples, length }) =>
    body(tensors, { outer: samples, axis: length, inner }),
  );
}

// Maximum and sum of each row are reductions, in lanes and slabs.
function long(op: SoftmaxOp, x: Tensor, y: Tensor, rows: AroundAxis): void {
  const three = x.view([rows.outer, rows.axis, rows.inner]);
  const top = reduce(op, three, [1], false, { combine: "max" });
  const sum = reduce(op, three, [1], false, { map: "exp", center: top });
  eachPlaces(op, rows, [read(x), write(y)], ([from, to], places) => {
    x.device.run(
      longShader({
        overrides: { LOG: log(op) },
        variant: op,
        params: { ...places },
        bind: { x: from, top, sum, y: write(to) },
        workgroups: grid(x.device, op, to.size, 64),
      }),
    );
  });
  for (const t of [three, top, sum]) t.dispose();
}

function longGradient(op: SoftmaxOp, y: Tensor, dy: Tensor, dx: Tensor, rows: AroundAxis): void {
  const terms = op === "softmax" ? binary("mul", y, dy) : dy;
  const three = terms.view([rows.outer, rows.axis, rows.inner]);
  const sum = reduceSum(three, [1], false);
  eachPlaces(op, rows, [read(y), read(dy), write(dx)], ([result, from, to], places) => {
    y.device.run(
      longGradientShader({
        overrides: { LOG: log(op) },
        variant: op,
        params: { ...places },
        bind: { y: result, dy: from, sum, dx: write(to) },
        workgroups: grid(y.device, op, to.size, 64),
      }),
    );
  });
  for (const t of [three, sum]) t.dispose();
  if (terms !== dy) terms.dispose();
}
