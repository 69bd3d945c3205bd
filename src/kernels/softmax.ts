/** @file Softmax over one axis. */

import { sizeOf } from "../tensor/host.ts";
import { read, write } from "../tensor/kernel.ts";
import { normalizeAxis, type Shape } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { expectTensors } from "./args.ts";
import { grid, program } from "./program.ts";

/** `[outer, axis, inner]` around one axis of a shape. Throws `ShapeError`. */
export function aroundAxis(op: string, shape: Shape, axis: number): [outer: number, size: number, inner: number] {
  const at = normalizeAxis(op, axis, shape.length);
  return [sizeOf(shape.slice(0, at)), shape[at], sizeOf(shape.slice(at + 1))];
}

export function softmax(x: Tensor, axis: number): Tensor {
  expectTensors("softmax", { input: x });
  const rows = aroundAxis("softmax", x.shape, axis);
  const y = x.device.empty(x.shape);
  if (x.size === 0) return y;
  x.device.run({
    program: program("softmax/forward", { libs: ["lib/grid"] }),
    bindings: [read(x), write(y)],
    params: rows,
    workgroups: grid(x.device, "softmax", rows[0] * rows[2], 64),
  });
  return y;
}

export function softmaxGradient(y: Tensor, dy: Tensor, axis: number): Tensor {
  const rows = aroundAxis("softmax", y.shape, axis);
  const dx = y.device.empty(y.shape);
  if (y.size === 0) return dx;
  y.device.run({
    program: program("softmax/gradient", { libs: ["lib/grid"] }),
    bindings: [read(y), read(dy), write(dx)],
    params: rows,
    workgroups: grid(y.device, "softmax", rows[0] * rows[2], 64),
  });
  return dx;
}
