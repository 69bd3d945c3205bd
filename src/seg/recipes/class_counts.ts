/** @file Voxels of a batch by class, which recipes of classes that exclude each other count to validate by samples. */

import { eq } from "../../autograd/pointwise.ts";
import { float32 } from "../../autograd/precision.ts";
import { amax, sum } from "../../autograd/reduce.ts";
import { regionSums } from "../../autograd/region.ts";
import type { Tensor } from "../../tensor/tensor.ts";

/**
 * `[3, classes]`, as `counts` of a recipe: in both, in the prediction, in the truth.
 * @param logits `[N, classes, …]`, f16 too
 * @param label `[N, …]` or `[N, 1, …]`, indices
 * @param more label index of voxels that do not count
 */
export function classCounts(logits: Tensor, label: Tensor, more: { readonly ignoreIndex?: number } = {}): Tensor {
  const scores = float32(logits); // as their maximum is
  const found = eq(scores, amax(scores, 1, { keepDims: true }));
  return sum(regionSums(found, label, { indexTarget: true, ...more }), 1);
}
