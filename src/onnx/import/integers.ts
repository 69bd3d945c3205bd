/** @file Integers on the device, which kernels compute in f32. */

import { cast } from "../../autograd/cast.ts";
import * as f from "../../autograd/pointwise.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { isHost, type Value } from "../values.ts";
import type { Call } from "./call.ts";

export const isInteger = (v: Value | undefined): boolean => v !== undefined && (isHost(v) ? v.kind === "int" : v.dtype === "i32");

/** Gives a result the type of inputs that were integers. */
export const likewise = (c: Call, y: Tensor, inputs: readonly (Value | undefined)[] = c.inputs): Tensor =>
  inputs.every(isInteger) ? cast(y, "i32") : y;

/** Indices on the device into an axis of `size`, those below 0 counted from its end. */
export function fromStart(index: Tensor, size: number): Tensor {
  const at = cast(index, "f32");
  return cast(f.where(f.lt(at, 0), f.add(at, size), at), "i32");
}

/** The quotient of whole numbers without what is behind the point, exact where f32 is: a division on a device may come out a little beside it. */
export function wholeQuotient(a: Tensor, b: Tensor): Tensor {
  const [x, y] = [f.abs(a), f.abs(b)];
  const near = f.round(f.div(x, y));
  const down = f.where(f.gt(f.mul(near, y), x), f.sub(near, 1), near);
  return f.mul(down, f.mul(f.sign(a), f.sign(b)));
}
