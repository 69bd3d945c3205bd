/** @file Softmax, and the largest element of all as 1. */

import { cast } from "../../../autograd/cast.ts";
import { argmax } from "../../../autograd/indexing.ts";
import { eq } from "../../../autograd/pointwise.ts";
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

/** 1 at the first of the largest elements, 0 elsewhere. */
function hardmax(x: Tensor, axis: number): Tensor {
  const places = Float32Array.from({ length: x.shape[axis] }, (_, i) => i);
  const order = x.device.tensor({ data: places, shape: x.shape.map((d, i) => (i === axis ? d : 1)) });
  return eq(order, cast(argmax(x, axis, { keepDims: true }), "f32"));
}

export const operators: Operators = {
  Hardmax: { device: normalized(hardmax) },
  LogSoftmax: { device: normalized(logSoftmax) },
  Softmax: { device: normalized(softmax) },
};
