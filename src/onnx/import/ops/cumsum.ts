/** @file Running sums. */

import { cumsum } from "../../../autograd/cumsum.ts";
import { sub } from "../../../autograd/pointwise.ts";
import { flip } from "../../../autograd/view.ts";
import type { Tensor } from "../../../tensor/tensor.ts";
import type { Call } from "../call.ts";
import type { Operators } from "../operator.ts";

function runningSum(c: Call): Tensor {
  const x = c.float(0);
  const axis = c.axis(c.number(1, 0), x.rank);
  const turn = (t: Tensor) => (c.flag("reverse") ? flip(t, axis) : t);
  const y = turn(cumsum(turn(x), axis));
  return c.flag("exclusive") ? sub(y, x) : y;
}

export const operators: Operators = { CumSum: { device: runningSum, known: [1] } };
