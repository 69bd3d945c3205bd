/** @file What a reduction does with an element and how it combines two: all that the kernels, and their way over the binding limit, know of an operator. */

import type { Tensor } from "../tensor/tensor.ts";
import { binary, type BinaryOp, unary } from "./pointwise.ts";
import * as codes from "./shaders/lib/fold.gen.ts";

interface ElementMap {
  /** The case in the shaders. */
  readonly code: number;
  /** The same of whole tensors; `center` has the shape of `x`. */
  readonly of: (x: Tensor, center: Tensor) => Tensor;
}

/** What of an element is reduced; the last four take the output's `center` from it or compare the two, "deviation" as the squared distance. */
export const maps = {
  identity: { code: codes.IDENTITY, of: (x) => unary("affine", x, 1, 0) },
  abs: { code: codes.ABS, of: (x) => unary("abs", x) },
  square: { code: codes.SQUARE, of: (x) => unary("square", x) },
  deviation: { code: codes.DEVIATION, of: (x, center) => thenUnary("square", binary("sub", x, center)) },
  equal: { code: codes.EQUAL, of: (x, center) => binary("eq", x, center) },
  exp: { code: codes.EXP, of: (x, center) => thenUnary("exp", binary("sub", x, center)) },
  absEqual: { code: codes.ABS_EQUAL, of: (x, center) => thenEqual(unary("abs", x), center) },
} as const satisfies Record<string, ElementMap>;

export type MapName = keyof typeof maps;

interface Combining {
  readonly code: number;
  /** What combines with v to v. */
  readonly neutral: number;
  /** The function of two tensors. */
  readonly pair: BinaryOp;
}

/** How two elements become one. */
export const combinations = {
  sum: { code: codes.SUM, neutral: 0, pair: "add" },
  max: { code: codes.MAX, neutral: -Infinity, pair: "maximum" },
  min: { code: codes.MIN, neutral: Infinity, pair: "minimum" },
} as const satisfies Record<string, Combining>;

export type Combination = keyof typeof combinations;

function thenUnary(name: "square" | "exp", x: Tensor): Tensor {
  const y = unary(name, x);
  x.dispose();
  return y;
}

function thenEqual(x: Tensor, center: Tensor): Tensor {
  const y = binary("eq", x, center);
  x.dispose();
  return y;
}
