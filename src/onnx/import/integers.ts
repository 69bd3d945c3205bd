/** @file Integers on the device, which kernels compute in f32. */

import { cast } from "../../autograd/cast.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { isHost, type Value } from "../values.ts";
import type { Call } from "./call.ts";

export const isInteger = (v: Value | undefined): boolean => v !== undefined && (isHost(v) ? v.kind === "int" : v.dtype === "i32");

/** Gives a result the type of inputs that were integers. */
export const likewise = (c: Call, y: Tensor, inputs: readonly (Value | undefined)[] = c.inputs): Tensor =>
  inputs.every(isInteger) ? cast(y, "i32") : y;
