/** @file PyTorch's pooling, interpolation, sampling and padding on the GPU, with gradients. */
import {
  adaptiveAvgPool,
  adaptiveMaxPoolWithIndices,
  affineGrid,
  avgPool,
  gridSample,
  interpolate,
  maxPoolWithIndices,
  maxUnpool,
  pad,
  pixelShuffle,
  pixelUnshuffle,
} from "../../../src/index.ts";
import type { Adapter, Adapters } from "../format.ts";
import { type Names, operation, same } from "../operation_case.ts";

const windows: Names = { ...same("kernel_size", "stride", "padding", "ceil_mode"), kernel: "kernelSize" };

const perDims = (name: string, adapter: Adapter): Adapters =>
  Object.fromEntries(["1d", "2d", "3d"].map((dims) => [`${name}${dims}`, adapter]));

const { ceil_mode: _, ...unpoolWindows } = windows;

const resized = operation(
  same("size", "scale_factor", "recompute_scale_factor", "mode", "align_corners"),
  ({ x }, { recomputeScaleFactor, ...options }) =>
    // False is the default that torch accepts beside a size too.
    interpolate(x, recomputeScaleFactor ? { ...options, recomputeScaleFactor } : options),
);

export const adapters: Adapters = {
  // "ties" says what the input is like; indices are part of what is compared.
  ...perDims(
    "op.max_pool",
    operation({ ...windows, ...same("dilation"), ties: null, return_indices: null }, ({ x }, options) => {
      const { output, indices } = maxPoolWithIndices(x, options);
      return { out: output, indices };
    }),
  ),
  ...perDims(
    "op.max_unpool",
    operation({ ...unpoolWindows, ...same("output_size") }, ({ x, indices }, { outputSize, ...options }) =>
      // Spatial sizes, or as torch allows the whole shape.
      maxUnpool(x, indices, { ...options, outputSize: outputSize?.slice?.(2 - x.rank) ?? outputSize }),
    ),
  ),
  ...perDims(
    "op.avg_pool",
    operation({ ...windows, ...same("count_include_pad", "divisor_override") }, ({ x }, options) => avgPool(x, options)),
  ),
  ...perDims(
    "op.adaptive_avg_pool",
    operation(same("output_size"), ({ x }, { outputSize }) => adaptiveAvgPool(x, outputSize)),
  ),
  ...perDims(
    "op.adaptive_max_pool",
    operation({ ...same("output_size"), return_indices: null }, ({ x }, { outputSize }) => {
      const { output, indices } = adaptiveMaxPoolWithIndices(x, outputSize);
      return { out: output, indices };
    }),
  ),
  "op.interpolate": resized,
  ...perDims("op.interpolate", resized),
  "op.grid_sample": operation(same("mode", "padding_mode", "align_corners"), ({ x, grid }, options) =>
    gridSample(x, grid, options),
  ),
  "op.affine_grid": operation(same("size", "align_corners"), ({ theta }, { size, ...options }) =>
    affineGrid(theta, size, options),
  ),
  ...perDims(
    "op.pad",
    operation(same("pad", "mode", "value"), ({ x }, { pad: padding, ...options }) => pad(x, padding, options)),
  ),
  "op.pixel_shuffle": operation(same("upscale_factor"), ({ x }, { upscaleFactor }) => pixelShuffle(x, upscaleFactor)),
  "op.pixel_unshuffle": operation(same("downscale_factor"), ({ x }, { downscaleFactor }) => pixelUnshuffle(x, downscaleFactor)),
};
