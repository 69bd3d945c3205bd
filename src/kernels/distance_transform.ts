/** @file Exact Euclidean distance transform on the device, of voxels of any size. */

import { expectOptions } from "../host/options.ts";
import { sizeOf } from "../host/array.ts";
import { ConfigError, ShapeError } from "../host/errors.ts";
import { type Shape, showShape } from "../host/shape.ts";
import { read, write } from "../tensor/kernel.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { expectTensors } from "./lib/args.ts";
import { eachPart } from "./lib/parts.ts";
import { grid } from "./lib/workgroups.ts";
import { axisShader } from "./shaders/distance_transform/axis.gen.ts";

/** Options of `distanceTransform`. */
export interface DistanceTransformOptions {
  /** Size of a voxel, one number or one per spatial axis. Default 1. */
  readonly sampling?: number | readonly number[];
}

const op = "distanceTransform";

/** Throws `ShapeError` without a spatial axis. */
function distanceTransformShape(x: Shape): Shape {
  if (x.length < 3) throw new ShapeError(`${op}: input must be [N, C, spatial…], got ${showShape(x)}`);
  return x;
}

/** The voxel size along each axis. @throws ConfigError */
function voxelSizes(sampling: number | readonly number[], axes: number): number[] {
  const sizes = typeof sampling === "number" ? new Array<number>(axes).fill(sampling) : [...sampling];
  if (sizes.length !== axes || !sizes.every((s) => Number.isFinite(s) && s > 0))
    throw new ConfigError(`${op}: sampling is one positive number or ${axes} of them, got [${sizes.join(", ")}]`);
  return sizes;
}

/**
 * Distance of each voxel that is not 0 to the nearest voxel of its image that is 0, exact but for rounding to f32 (SciPy and MONAI `distance_transform_edt`);
 * Infinity where an image has no 0. One pass per axis. No gradient.
 * @param x `[N, C, spatial…]`
 * @returns the same shape
 * @throws ShapeError, DTypeError, ConfigError
 */
export function distanceTransform(x: Tensor, options: DistanceTransformOptions = {}): Tensor {
  expectOptions("distanceTransform", options, "sampling");
  const { sampling = 1 } = options;
  expectTensors(op, { input: x });
  const shape = distanceTransformShape(x.shape);
  const spatial = shape.slice(2);
  const sizes = voxelSizes(sampling, spatial.length);
  const { device } = x;
  const y = device.empty(shape);
  if (y.size === 0) return y;
  let from = x;
  spatial.forEach((size, axis) => {
    const end = axis === spatial.length - 1;
    const to = end ? y : device.empty(shape);
    const inner = sizeOf(spatial.slice(axis + 1));
    const outer = y.size / (size * inner);
    eachPart(op, { samples: outer, length: inner }, [read(from), write(to)], ([source, target], { samples, length }) => {
      const [vertices, starts] = [device.empty(target.shape, "u32"), device.empty(target.shape)];
      const lines = samples * length;
      device.run(
        axisShader({
          overrides: { FIRST: axis === 0 ? 1 : 0, LAST: end ? 1 : 0 },
          params: { size, inner: length, lines, square: sizes[axis] ** 2 },
          bind: { from_squares: source, to: write(target), vertices: write(vertices), starts: write(starts) },
          workgroups: grid(device, op, lines, 64),
        }),
      );
      vertices.dispose();
      starts.dispose();
    });
    if (from !== x) from.dispose();
    from = to;
  });
  return y;
}
