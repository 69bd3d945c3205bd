/** @file Checks that every kernel wrapper shares. */

import { ConfigError, DTypeError } from "../../host/errors.ts";
import type { DType } from "../../host/array.ts";
import type { Bound } from "../../tensor/kernel.ts";
import { expectKind } from "../../tensor/kind.ts";
import type { Tensor } from "../../tensor/tensor.ts";

/** Whether tensors hold f16. */
export const half = (t: Tensor): boolean => t.dtype === "f16";

/** For a binding that nothing is read of, as the tensor is not there: the beginning of another one. */
export const instead = ({ device, storage, byteOffset, bytes }: Tensor): Bound => ({
  device,
  storage,
  byteOffset,
  bytes: Math.min(16, bytes),
  shape: [1],
});

/** As `expectTensors`, for operations that take f32 or f16, one of them for all tensors. */
export function expectFloats(op: string, tensors: Readonly<Record<string, Tensor>>): void {
  expectTensors(op, tensors, Object.values(tensors)[0]?.dtype === "f16" ? "f16" : "f32");
}

/** All tensors of an operation must be alive on one device and have the type it computes in. */
export function expectTensors(op: string, tensors: Readonly<Record<string, Tensor>>, dtype: DType = "f32"): void {
  expectKind(op, tensors);
  let first: Tensor | undefined;
  for (const [name, t] of Object.entries(tensors)) {
    if (t.dtype !== dtype)
      throw new DTypeError(`${op}: ${name} has type ${t.dtype}, expected ${dtype}; cast(${name}, "${dtype}") converts it`);
    if (first && t.device !== first.device) throw new ConfigError(`${op}: ${name} is on another device than the first argument`);
    first ??= t;
  }
}
