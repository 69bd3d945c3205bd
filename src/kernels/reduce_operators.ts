/** @file What a reduction does with an element and how it combines two: all that the kernels, and their way over the binding limit, know of an operator. */

import type { Tensor } from "../tensor/tensor.ts";
import { binary, type BinaryOp, unary } from "./pointwise.ts";
import * as codes from "./shaders/lib/fold.gen.ts";

interface ElementMap {
  /** The case in the shaders. */
  readonly code: number;
  /** The same of whole tensors; `centre` has the shape of `x`. */
  readonly of: (x: Tensor, centre: Tensor) => Tensor;
}

/** What of an element is reduced; the last three compare it with the output's `centre`, "deviation" as the squared distance. */
export const maps = {
  identity: { code: codes.IDENTITY, of: (x) => unary("affine", x, 1, 0) },
  abs: { code: codes.ABS, of: (x) => unary("abs", x) },
  square: { code: codes.SQUARE, of: (x) => unary("square", x) },
  deviation: { code: codes.DEVIATION, of: (x, centre) => thenUnary("square", binary("sub", x, centre)) },
  equal: { code: codes.EQUAL, of: (x, centre) => binary("eq", x, centre) },
  absEqual: { code: codes.ABS_EQUAL, of: (x, centre) => thenEqual(unary("abs", x), centre) },
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

function thenUnary(name: "square", x: Tensor): Tensor {
  const y = unary(name, x);
  x.dispose();
  return y;
}

function thenEqual(x: Tensor, centre: Tensor): Tensor {
  const y = binary("eq", x, centre);
  x.dispose();
  return y;
}
