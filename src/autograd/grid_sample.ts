/** @file Sampling at arbitrary positions with gradients for image and grid. */

import * as kernels from "../kernels/grid_sample.ts";
import type { GridSampleOptions } from "../kernels/grid_sample.ts";
import { expectKind } from "../tensor/kind.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { float32 } from "./precision.ts";
import { type Backward, record } from "./tape.ts";
import { expectOptions } from "../host/options.ts";

export type { GridSampleOptions } from "../kernels/grid_sample.ts";

/**
 * Images sampled at positions, as PyTorch's `grid_sample`.
 * @param x `[N, C, (D,) H, W]`
 * @param grid `[N, size…, 2 or 3]`: positions with W first, −1 … 1 across the image
 * @returns `[N, C, size…]`
 * @throws ShapeError, ConfigError for unknown options
 */
export function gridSample(x: Tensor, grid: Tensor, options: GridSampleOptions = {}): Tensor {
  expectOptions("gridSample", options, "mode paddingMode alignCorners");
  expectKind("gridSample", { x, grid });
  x = float32(x);
  const g = kernels.gridSampleShape(x.shape, grid.shape, options);
  const backward: Backward = (dy, needs) => [
    needs[0] ? kernels.gridSampleInputGradient(grid, dy, g, x.shape) : undefined,
    needs[1] ? kernels.gridSampleGridGradient(x, grid, dy, g) : undefined,
  ];
  return record("gridSample", [x, grid], kernels.gridSample(x, grid, g), backward, { options });
}
