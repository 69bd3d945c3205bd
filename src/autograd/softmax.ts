/** @file Softmax and its logarithm with gradients. */

import * as kernels from "../kernels/softmax.ts";
import { expectKind } from "../tensor/kind.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { float32 } from "./precision.ts";
import { record } from "./tape.ts";

const apply = (op: kernels.SoftmaxOp, x: Tensor, axis: number): Tensor => {
  expectKind(op, { x });
  x = float32(x);
  const y = kernels.softmax(op, x, axis);
  return record(op, [x], y, (dy) => [kernels.softmaxGradient(op, y, dy, axis)], { axis });
};

/** exp(x) / Σ exp(x) along `axis` (the channels by default), safe for logits of any finite size. Throws `ShapeError`. Any shape, kept. */
export const softmax = (x: Tensor, axis = 1): Tensor => apply("softmax", x, axis);

/** x − log Σ exp(x) along `axis` (the channels by default), safe for logits of any finite size. Throws `ShapeError`. Any shape, kept. */
export const logSoftmax = (x: Tensor, axis = 1): Tensor => apply("logSoftmax", x, axis);
