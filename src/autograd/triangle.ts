/** @file Lower and upper triangles with gradients. */

import { triangle, type Triangle } from "../kernels/triangle.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { float32 } from "./precision.ts";
import { record } from "./tape.ts";
import { expectKind } from "../tensor/kind.ts";

const apply = (op: Triangle, input: Tensor, diagonal: number): Tensor => {
  expectKind(op, { x: input });
  const x = float32(input);
  return record(op, [x], triangle(op, x, diagonal), (dy) => [triangle(op, dy, diagonal)]);
};

/** The lower triangle of `[…, rows, columns]`, `column − row ≤ diagonal`, and 0 above. Throws `ShapeError` for less than two axes. */
export const tril = (x: Tensor, diagonal = 0): Tensor => apply("tril", x, diagonal);
/** The upper triangle of `[…, rows, columns]`, `column − row ≥ diagonal`, and 0 below. */
export const triu = (x: Tensor, diagonal = 0): Tensor => apply("triu", x, diagonal);
