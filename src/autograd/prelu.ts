/** @file Parametric ReLU with gradients. */

import * as kernels from "../kernels/prelu.ts";
import { expectKind } from "../tensor/kind.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { record } from "./tape.ts";

/**
 * Parametric ReLU (He et al. 2015): x where x > 0, else weight · x.
 * @param x `[N, C, …]`
 * @param weight `[1]`, shared, or `[C]`, per channel
 * @throws ShapeError
 */
export function prelu(x: Tensor, weight: Tensor): Tensor {
  expectKind("prelu", { x, weight });
  const g = kernels.preluShape(x.shape, weight.shape);
  return record("prelu", [x, weight], kernels.prelu(x, weight, g), (dy, needs) => [
    needs[0] ? kernels.preluInputGradient(x, weight, dy, g) : undefined,
    needs[1] ? kernels.preluSlopeGradient(x, dy, g) : undefined,
  ]);
}
