/** @file Mixed precision: which operations compute on f16 activations. Weights, statistics, losses and their sums stay f32. */

import { cast as castKernel } from "../kernels/cast.ts";
import { reduceSum } from "../kernels/reduce.ts";
import { Ambient } from "../tensor/modes.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { cast } from "./cast.ts";
import { expectKind } from "../tensor/kind.ts";
import { refused } from "../host/kinds.ts";

/** Element type of the activations between layers. */
export type Precision = "f32" | "f16";

const current = new Ambient<Precision>("f32");

/** The precision that is set now. */
export const precision = (): Precision => current.value;

/**
 * Runs `fn`, which must be synchronous, with convolutions taking f16 inputs, as `torch.autocast` does: their results are f16, and so is what norms, activations, pools and moves
 * make of them. Kernels compute in f32 and round what they store; operations that need f32 (losses, softmax, sums) convert. The adapter needs the
 * feature `shader-f16`, else the first convolution throws `ConfigError`. Gradients of activations are f16 too, so scale the loss: `GradScaler`.
 */
export function withPrecision<T>(precision: Precision, fn: () => T): T {
  if (precision !== "f32" && precision !== "f16") refused("withPrecision", "precision", '"f32" or "f16"', precision);
  return current.with("withPrecision", precision, fn);
}

/** The input of an operation that sets the precision of what follows. */
export const computed = (x: Tensor): Tensor => (current.value === "f16" && x.dtype === "f32" ? cast(x, "f16") : x);

/** `x`, of any shape, as f32, for operations that have no f16 form. */
export function float32(x: Tensor): Tensor {
  expectKind("float32", { x });
  return x.dtype === "f16" ? cast(x, "f32") : x;
}

/** The sum of `dy` over `axes`, added up in f32, with the shape and element type of `like`. */
export function sumAs(dy: Tensor, axes: readonly number[], like: Pick<Tensor, "shape" | "dtype">): Tensor {
  const sum = reduceSum(dy, axes, false);
  const rounded = castKernel(sum, like.dtype);
  const out = rounded.view(like.shape);
  sum.dispose();
  rounded.dispose();
  return out;
}
