/** @file Sampling grids of affine maps with gradient. */

import * as kernels from "../kernels/affine_grid.ts";
import { expectOptions } from "../host/options.ts";
import type { Shape } from "../host/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { type Backward, record } from "./tape.ts";
import { expectKind } from "../tensor/kind.ts";

/**
 * The grid that lets `gridSample` apply an affine map, as PyTorch's `affine_grid`.
 * @param theta `[N, 2, 3]` or `[N, 3, 4]`: from positions of the result to positions of the image, W first
 * @param size `[N, C, spatial…]`, the shape of the result of `gridSample`
 * @param options alignCorners, default false: whether −1 and 1 are the centers of the corner elements, rather than their outer edges
 * @returns `[N, spatial…, 2 or 3]`
 * @throws ShapeError
 */
export function affineGrid(theta: Tensor, size: Shape, options: { readonly alignCorners?: boolean } = {}): Tensor {
  expectOptions("affineGrid", options, "alignCorners");
  const { alignCorners = false } = options;
  expectKind("affineGrid", { theta });
  const shape = kernels.affineGridShape(theta.shape, size);
  const backward: Backward = (dy) => [kernels.affineGridGradient(dy, alignCorners)];
  return record("affineGrid", [theta], kernels.affineGrid(theta, shape, alignCorners), backward, { size, alignCorners });
}
