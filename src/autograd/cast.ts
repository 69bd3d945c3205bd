/** @file Conversion of element types. */

import { cast as kernel } from "../kernels/cast.ts";
import type { DType } from "../host/array.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { record, report } from "./tape.ts";
import { expectKind } from "../tensor/kind.ts";
import { expectArguments } from "../host/kinds.ts";

/**
 * The same values, of any shape, as f32, f16, i32 or u32. Between f32 and f16 gradients go back in the type they came from; what f16 cannot hold becomes infinite.
 * Floats are cut towards zero and limited to the range of the integer type; integers become the nearest float;
 * i32 and u32 exchange bits. To the type it has, the result shares memory and hands gradients on; integers carry none. Throws
 * `DTypeError` between f16 and integers, `ConfigError` if the adapter has no f16.
 */
export function cast(x: Tensor, dtype: DType): Tensor {
  expectKind("cast", { x });
  expectArguments("cast", "text", { dtype });
  const y = kernel(x, dtype);
  const floats = [x.dtype, dtype].every((t) => t === "f32" || t === "f16");
  if (floats && x.dtype !== dtype) return record("cast", [x], y, (dy) => [kernel(dy, x.dtype)], { dtype });
  return x.dtype === dtype ? record("cast", [x], y, (dy) => [dy], { dtype }) : report("cast", [x], y, { dtype });
}
