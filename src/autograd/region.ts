/** @file Region sums with their logit gradient: the base of Dice-like losses. */

import * as kernels from "../kernels/region.ts";
import type { RegionOptions } from "../kernels/region.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { record } from "./tape.ts";

/**
 * Sums over positions of overlap, prediction and target, `[3, N, C]`, in one pass over the logits: neither the activation nor one-hot targets
 * are stored. No gradient flows to the target.
 * @param logits `[N, C, spatial…]`
 * @param target the same shape, or `[N, 1, spatial…]` class indices with `indexTarget`
 * @throws ShapeError
 */
export function regionSums(
  logits: Tensor,
  target: Tensor,
  options: RegionOptions & { readonly indexTarget?: boolean } = {},
): Tensor {
  const g = kernels.regionShape(logits.shape, target.shape, options.indexTarget ?? false);
  return record("regionSums", [logits], kernels.regionSums(logits, target, g, options), (dy) => [
    kernels.regionGradient(logits, target, dy, g, options),
  ]);
}
