/** @file What a captured function gives back: a tensor, or an array or a record of tensors. */

import { ConfigError } from "../host/errors.ts";
import { expectNoPromise } from "./synchronous.ts";
import { Tensor } from "./tensor.ts";

/** What a captured function may return. */
export type CaptureResult = Tensor | readonly Tensor[] | Readonly<Record<string, Tensor>>;

/** Throws `ConfigError` unless it is one. */
export function expectResult(result: unknown): void {
  expectNoPromise("capture", result);
  const list = result instanceof Tensor ? [result] : Object.values(result ?? { nothing: 0 });
  if (list.every((t) => t instanceof Tensor)) return;
  throw new ConfigError("capture: the function must be synchronous and return a tensor, or an array or a record of tensors");
}

/** The same with another tensor for each. */
export function mapResult<R extends CaptureResult>(result: R, f: (t: Tensor) => Tensor): R {
  if (result instanceof Tensor) return f(result) as R;
  if (Array.isArray(result)) return result.map(f) as unknown as R;
  return Object.fromEntries(Object.entries(result as Record<string, Tensor>).map(([k, t]) => [k, f(t)])) as R;
}
