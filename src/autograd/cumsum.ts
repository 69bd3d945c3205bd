/** @file Running sums with gradient. */

import { cumsum as kernel } from "../kernels/cumsum.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { float32 } from "./precision.ts";
import { record } from "./tape.ts";
import { expectKind } from "../tensor/kind.ts";

/**
 * Running sums along `axis`: y[k] = x[0] + … + x[k]. Blocks are summed in levels, so that the error grows with the logarithm of the length. Throws
 * `ShapeError` for an axis that is not there, `DTypeError` unless f32.
 */
export function cumsum(x: Tensor, axis: number): Tensor {
  expectKind("cumsum", { x });
  x = float32(x);
  // x[k] is in y[k] and all that follow: its gradient is the running sum from the end.
  return record("cumsum", [x], kernel(x, axis), (dy) => [kernel(dy, axis, true)], { axis });
}
