/** @file What is no finite number. */

import * as f from "../../../autograd/pointwise.ts";
import type { Tensor } from "../../../tensor/tensor.ts";
import type { Call } from "../call.ts";
import { truth } from "../known.ts";
import type { Operators } from "../operator.ts";

function infinite(c: Call): Tensor {
  const x = c.float(0);
  const above = f.mul(f.gt(x, 3.4028234663852886e38), Number(c.flag("detect_positive", true)));
  const below = f.mul(f.lt(x, -3.4028234663852886e38), Number(c.flag("detect_negative", true)));
  return f.add(above, below);
}

export const operators: Operators = {
  IsInf: { device: infinite },
  IsNaN: { device: (c) => f.ne(c.float(0), c.float(0)), host: truth(Number.isNaN) },
};
