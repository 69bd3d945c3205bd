/** @file Any loss of what a mask leaves. */

import { expectKind } from "../../tensor/kind.ts";
import { expectArguments } from "../../host/kinds.ts";
import { cast } from "../../autograd/cast.ts";
import { mul } from "../../autograd/pointwise.ts";
import { ShapeError } from "../../host/errors.ts";
import { sameShape, showShape } from "../../host/shape.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { composed } from "./overlap.ts";

/**
 * A loss of input and target times a mask. What is masked becomes 0 in both, and a mean still counts it; the activations of the loss act after the mask.
 * MONAI's `MaskedLoss`.
 * @param input `[N, C, …]`
 * @param target `[N, C or 1, …]`
 * @param mask `[N or 1, 1, …]`, factors; left out, nothing is masked
 * @param loss gets the masked input and target
 * @throws ShapeError, and what the loss throws
 */
export function maskedLoss(
  input: Tensor,
  target: Tensor,
  mask: Tensor | undefined,
  loss: (input: Tensor, target: Tensor) => Tensor,
): Tensor {
  expectArguments("maskedLoss", "function", { loss });
  expectKind("maskedLoss", mask === undefined ? { input, target } : { input, target, mask });
  if (!mask) return loss(input, target);
  const [samples, channels] = mask.shape;
  const fits =
    mask.rank === input.rank &&
    (samples === input.shape[0] || samples === 1) &&
    channels === 1 &&
    sameShape(mask.shape.slice(2), input.shape.slice(2));
  if (!fits) {
    throw new ShapeError(
      `maskedLoss: the mask must be [N or 1, 1, …] with the spatial axes of the input ${showShape(input.shape)}, got ${showShape(mask.shape)}`,
    );
  }
  return composed(input, () => {
    const factor = cast(mask, "f32");
    return loss(mul(input, factor), mul(cast(target, "f32"), factor));
  });
}
