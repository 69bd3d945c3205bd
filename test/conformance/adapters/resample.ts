/** @file PyTorch's pooling, interpolation, sampling and padding on the GPU, with gradients. */
import {
  adaptiveAvgPool,
  adaptiveMaxPoolWithIndices,
  affineGrid,
  avgPool,
  globalAvgPool,
  gridSample,
  interpolate,
  maxPoolWithIndices,
  maxUnpool,
  pad,
  pixelShuffle,
  pixelUnshuffle,
  type Tensor,
} from "../../../src/index.ts";
import type { Spatial } from "../../../src/host/shape.ts";
import { type Adapters, UnknownOption } from "../format.ts";
import { type Names, operation, same, told } from "../operation_case.ts";

const windows: Names = { ...same("kernel_size", "stride", "padding", "ceil_mode"), kernel: "kernelSize", k: "kernelSize" };

// "ties" says what the input is like; indices are compared if the case has them.
const extremes = told("ties", "return_indices");

/** None keeps an axis. */
const sizes = (x: Tensor, size: number | (number | null)[]): Spatial =>
  Array.isArray(size) ? (size.map((n, i) => n ?? x.shape[i + x.rank - size.length]) as unknown as Spatial) : size;

const { ceil_mode: _, ...unpoolWindows } = windows;

const resized = operation(
  same("size", "scale_factor", "recompute_scale_factor", "mode", "align_corners", "antialias"),
  ({ x }, { recomputeScaleFactor, antialias, ...options }) => {
    if (antialias) throw new UnknownOption("antialias", "op.interpolate");
    // False is the default that torch accepts beside a size too.
    return interpolate(x, recomputeScaleFactor ? { ...options, recomputeScaleFactor } : options);
  },
);

export const adapters: Adapters = {
  "op.max_pool": operation({ ...windows, ...same("dilation"), ...extremes }, ({ x }, options) => {
    const { output, indices } = maxPoolWithIndices(x, options);
    return { out: output, indices };
  }),
  "op.max_unpool": operation({ ...unpoolWindows, ...same("output_size") }, ({ x, indices }, { outputSize, ...options }) =>
    // Spatial sizes, or as torch allows the whole shape.
    maxUnpool(x, indices, { ...options, outputSize: outputSize?.slice?.(2 - x.rank) ?? outputSize }),
  ),
  "op.avg_pool": operation({ ...windows, ...same("count_include_pad", "divisor_override") }, ({ x }, options) =>
    avgPool(x, options),
  ),
  "op.adaptive_avg_pool": operation(same("output_size"), ({ x }, { outputSize }) => adaptiveAvgPool(x, sizes(x, outputSize))),
  "op.adaptive_max_pool": operation({ ...same("output_size"), ...extremes }, ({ x }, { outputSize }) => {
    const { output, indices } = adaptiveMaxPoolWithIndices(x, sizes(x, outputSize));
    return { out: output, indices };
  }),
  "op.interpolate": resized,
  "op.upsample": resized,
  "op.global_avg_pool": operation({}, ({ x }) => globalAvgPool(x)),
  "op.grid_sample": operation(same("mode", "padding_mode", "align_corners"), ({ x, grid }, options) =>
    gridSample(x, grid, options),
  ),
  "op.affine_grid": operation(same("size", "align_corners"), ({ theta }, { size, ...options }) =>
    affineGrid(theta, size, options),
  ),
  "op.pad": operation(same("pad", "mode", "value"), ({ x }, { pad: padding, ...options }) => pad(x, padding, options)),
  "op.pixel_shuffle": operation(same("upscale_factor"), ({ x }, { upscaleFactor }) => pixelShuffle(x, upscaleFactor)),
  "op.pixel_unshuffle": operation(same("downscale_factor"), ({ x }, { downscaleFactor }) => pixelUnshuffle(x, downscaleFactor)),
};
