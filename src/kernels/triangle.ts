/** @file The lower or upper triangle of matrices; the rest is zero. */

import { ShapeError } from "../host/errors.ts";
import { write } from "../tensor/kernel.ts";
import { showShape } from "../host/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { expectWords } from "./lib/strided.ts";
import { flat } from "./lib/workgroups.ts";
import { keepShader } from "./shaders/triangle/keep.gen.ts";

export type Triangle = "tril" | "triu";

/** `x` of shape `[…, rows, columns]` where column − row is at most (tril) or at least (triu) `diagonal`. Throws `ShapeError`, `DTypeError`. */
export function triangle(op: Triangle, x: Tensor, diagonal: number): Tensor {
  expectWords(op, x.dtype);
  if (x.rank < 2) throw new ShapeError(`${op}: needs at least two axes, got ${showShape(x.shape)}`);
  if (!Number.isInteger(diagonal)) throw new ShapeError(`${op}: the diagonal must be an integer, got ${diagonal}`);
  const y = x.device.empty(x.shape, x.dtype);
  if (y.size === 0) return y;
  const [rows, columns] = x.shape.slice(-2);
  const { words, workgroups } = flat(x.device, op, y.size);
  x.device.run(
    keepShader({
      overrides: { LOWER: op === "tril" ? 1 : 0 },
      variant: op,
      // What lies further out is the same, and fits the sum.
      params: { rows, columns, diagonal: Math.max(-rows, Math.min(columns, diagonal)), ...words },
      bind: { x, y: write(y) },
      workgroups,
    }),
  );
  return y;
}
