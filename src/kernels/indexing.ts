/** @file Class indices from scores and back: argmax and one-hot. Neither has a gradient. */

import { DTypeError, ShapeError } from "../tensor/errors.ts";
import { sizeOf } from "../tensor/host.ts";
import { read, write } from "../tensor/kernel.ts";
import { normalizeAxis, type Shape, showShape } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { expectTensors } from "./args.ts";
import { grid, program } from "./program.ts";
import { aroundAxis } from "./softmax.ts";

/** Index (i32) of the first largest element along `axis`. Throws `ShapeError` for an empty axis. */
export function argmax(x: Tensor, axis: number, keepDims = false): Tensor {
  expectTensors("argmax", { input: x });
  const at = normalizeAxis("argmax", axis, x.rank);
  if (x.shape[at] === 0) throw new ShapeError(`argmax: axis ${axis} of ${showShape(x.shape)} is empty`);
  const shape = keepDims ? x.shape.with(at, 1) : x.shape.toSpliced(at, 1);
  const y = x.device.empty(shape, "i32");
  const rows = aroundAxis("argmax", x.shape, axis);
  if (y.size === 0) return y;
  x.device.run({
    program: program("indexing/argmax", { libs: ["lib/grid"] }),
    bindings: [read(x), write(y)],
    params: rows,
    workgroups: grid(x.device, "argmax", rows[0] * rows[2], 64),
  });
  return y;
}

/** Shape rule of one-hot on channel axis 1: `[N, 1, …]` → `[N, classes, …]`. Throws `ShapeError`. */
export function oneHotShape(index: Shape, classes: number): number[] {
  if (index.length < 2 || index[1] !== 1) throw new ShapeError(`oneHot: the index must be [N, 1, spatial…], got ${showShape(index)}`);
  if (!Number.isInteger(classes) || classes < 1) throw new ShapeError(`oneHot: classes must be a positive integer, got ${classes}`);
  return [index[0], classes, ...index.slice(2)];
}

/** f32 indicator channels of class indices (f32, i32 or u32); an index outside the classes gives zeros. */
export function oneHot(index: Tensor, classes: number): Tensor {
  if (index.dtype === "f16") throw new DTypeError("oneHot: the index has type f16, expected f32, i32 or u32");
  const shape = oneHotShape(index.shape, classes);
  const y = index.device.empty(shape);
  if (y.size === 0) return y;
  index.device.run({
    program: program("indexing/one_hot", { libs: ["lib/grid"], overrides: { FLOAT_INDEX: index.dtype === "f32" ? 1 : 0 } }),
    bindings: [read(index), write(y)],
    params: [classes, sizeOf(shape.slice(2)), y.size],
    workgroups: grid(index.device, "oneHot", y.size, 64),
  });
  return y;
}
