/** @file Triangles of matrices. */

import { tril, triu } from "../../../autograd/triangle.ts";
import type { Tensor } from "../../../tensor/tensor.ts";
import type { Call } from "../call.ts";
import type { Operators } from "../operator.ts";

function triangle(c: Call): Tensor {
  return (c.flag("upper", true) ? triu : tril)(c.float(0), c.number(1, 0));
}

export const operators: Operators = { Trilu: { device: triangle, known: [1] } };
