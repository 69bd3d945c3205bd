/** @file Softmax with its gradient. */

import * as kernels from "../kernels/softmax.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { record } from "./tape.ts";

/** exp(x) / Σ exp(x) along `axis` (the channels by default), safe for logits of any finite size. Throws `ShapeError`. */
export function softmax(x: Tensor, axis = 1): Tensor {
  const y = kernels.softmax(x, axis);
  return record("softmax", [x], y, (dy) => [kernels.softmaxGradient(y, dy, axis)]);
}
