/** @file Softmax. */

import { logSoftmax, softmax } from "../../../autograd/softmax.ts";
import { reshape } from "../../../autograd/view.ts";
import { sizeOf } from "../../../host/array.ts";
import type { Tensor } from "../../../tensor/tensor.ts";
import type { Op } from "../call.ts";
import type { Operators } from "../operator.ts";

const normalized =
  (fn: (x: Tensor, axis: number) => Tensor): Op =>
  (c) => {
    const x = c.float(0);
    if (c.opset >= 13) return fn(x, c.axis(c.int("axis", -1), x.rank));
    // Up to operator set 12 the axes from `axis` on are one.
    const axis = c.axis(c.int("axis", 1), x.rank);
    if (axis === x.rank - 1) return fn(x, axis);
    const flat = reshape(x, [sizeOf(x.shape.slice(0, axis)), sizeOf(x.shape.slice(axis))]);
    return reshape(fn(flat, 1), x.shape);
  };

export const operators: Operators = { LogSoftmax: { device: normalized(logSoftmax) }, Softmax: { device: normalized(softmax) } };
