/** @file Pixel shuffle and its reverse; each is the other's gradient. */

import * as kernels from "../kernels/pixel_shuffle.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { type Backward, record } from "./tape.ts";
import { expectKind } from "../tensor/kind.ts";

/**
 * Channels to space (Shi et al. 2016), in 1 to 3 dimensions as MONAI's `pixelshuffle`; in 2-D also PyTorch's.
 * @param x `[N, C·factorᵈ, size…]` with d spatial axes
 * @returns `[N, C, size·factor…]`
 * @throws ShapeError
 */
export function pixelShuffle(x: Tensor, factor: number): Tensor {
  expectKind("pixelShuffle", { x });
  const g = kernels.pixelShuffleShape(x.shape, factor);
  const backward: Backward = (dy) => [kernels.pixelUnshuffle(dy, g, x.shape)];
  return record("pixelShuffle", [x], kernels.pixelShuffle(x, g, g.outShape), backward, { factor });
}

/** Space to channels, the reverse of `pixelShuffle`: `[N, C, size·factor…]` → `[N, C·factorᵈ, size…]`. Throws `ShapeError`. */
export function pixelUnshuffle(x: Tensor, factor: number): Tensor {
  expectKind("pixelUnshuffle", { x });
  const g = kernels.pixelUnshuffleShape(x.shape, factor);
  const backward: Backward = (dy) => [kernels.pixelShuffle(dy, g, x.shape)];
  return record("pixelUnshuffle", [x], kernels.pixelUnshuffle(x, g, g.outShape), backward, { factor });
}
