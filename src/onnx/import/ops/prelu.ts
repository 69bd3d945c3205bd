/** @file PRelu, and its forms that are no PReLU here. */

import * as f from "../../../autograd/pointwise.ts";
import { prelu } from "../../../autograd/prelu.ts";
import { reshape } from "../../../autograd/view.ts";
import type { Tensor } from "../../../tensor/tensor.ts";
import type { Call } from "../call.ts";
import type { Operators } from "../operator.ts";

function parametric(c: Call): Tensor {
  const [x, slope] = [c.float(0), c.float(1)];
  // [C, 1, 1] (or [C] in operator set 6), one per channel, as prelu has it; all else by its definition.
  const aligned = slope.rank === (c.opset < 7 ? 1 : x.rank - 1) && slope.shape[0] === x.shape[1];
  const channels = x.rank > 1 && aligned && slope.size === x.shape[1];
  if (slope.size === 1) return prelu(x, reshape(slope, [1]));
  if (channels) return prelu(x, reshape(slope, [slope.size]));
  return f.add(f.relu(x), f.mul(f.minimum(x, 0), slope));
}

export const operators: Operators = { PRelu: { device: parametric } };
