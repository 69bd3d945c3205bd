/** @file Checks that every kernel wrapper shares. */

import { ConfigError, DTypeError } from "../tensor/errors.ts";
import type { DType } from "../tensor/host.ts";
import type { Tensor } from "../tensor/tensor.ts";

/** All tensors of an operation must be alive on one device and have the type it computes in. */
export function expectTensors(op: string, tensors: Readonly<Record<string, Tensor>>, dtype: DType = "f32"): void {
  let first: Tensor | undefined;
  for (const [name, t] of Object.entries(tensors)) {
    if (t.disposed) throw new ConfigError(`${op}: ${name} was disposed`);
    if (t.dtype !== dtype) throw new DTypeError(`${op}: ${name} has type ${t.dtype}, expected ${dtype}`);
    if (first && t.device !== first.device) throw new ConfigError(`${op}: ${name} is on another device than the first argument`);
    first ??= t;
  }
}
