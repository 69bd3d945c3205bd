/** @file Region sums with their logit gradient: the base of Dice-like losses. */

import * as kernels from "../kernels/region.ts";
import type { RegionOptions } from "../kernels/region.ts";
import { expectKind } from "../tensor/kind.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { float32 } from "./precision.ts";
import { record } from "./tape.ts";
import { expectOptions } from "../host/options.ts";

export type { RegionOptions } from "../kernels/region.ts";

/**
 * Sums over positions of overlap, prediction and target, `[3, N, C]`, in one pass over the logits: neither the activation nor one-hot targets
 * are stored. No gradient flows to the target or the mask.
 * @param logits `[N, C, spatial…]`
 * @param target f32 of the same shape, or `[N, 1, spatial…]` class indices (f32, i32 or u32) with `indexTarget`
 * @throws ShapeError, DTypeError, ConfigError; for a class index outside of the classes the next read-back throws `DataError`
 */
export function regionSums(logits: Tensor, target: Tensor, options: RegionOptions = {}): Tensor {
  expectOptions("regionSums", options, "activation mode indexTarget mask ignoreIndex op maskOf");
  expectKind("regionSums", { logits, target });
  logits = float32(logits);
  const g = kernels.regionShape(logits.shape, target.shape, options.indexTarget ?? false, options.mask?.shape);
  return record("regionSums", [logits], kernels.regionSums(logits, target, g, options), (dy) => [
    kernels.regionGradient(logits, target, dy, g, options),
  ]);
}
