/** @file Conversion of element types. */

import { cast as kernel } from "../kernels/cast.ts";
import type { DType } from "../tensor/host.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { record } from "./tape.ts";

/**
 * The same values as f32, i32 or u32. Floats are cut towards zero and limited to the range of the integer type; integers become the nearest float;
 * i32 and u32 exchange bits. To the type it has, the result shares memory and hands gradients on; integers carry none. Throws `DTypeError` for f16.
 */
export function cast(x: Tensor, dtype: DType): Tensor {
  const y = kernel(x, dtype);
  return x.dtype === dtype ? record("cast", [x], y, (dy) => [dy]) : y;
}
