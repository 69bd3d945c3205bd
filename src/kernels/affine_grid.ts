/** @file Sampling grids of affine maps. */

import { ShapeError } from "../host/errors.ts";
import { sizeOf } from "../host/array.ts";
import { write } from "../tensor/kernel.ts";
import { expectShape, type Shape, showShape } from "../host/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { expectTensors } from "./lib/args.ts";
import { grid as groups } from "./lib/workgroups.ts";
import { reduceSum } from "./reduce.ts";
import { padAxes } from "./resample.ts";
import { forwardShader } from "./shaders/affine_grid/forward.gen.ts";
import { gradientShader } from "./shaders/affine_grid/gradient.gen.ts";

/** Shape rule: theta `[N, d, d + 1]` and the size `[N, C, spatial…]` of the image to sample. Throws `ShapeError`. */
export function affineGridShape(theta: Shape, size: Shape): number[] {
  const op = "affineGrid";
  expectShape(op, size);
  const axes = size.length - 2;
  if (axes !== 2 && axes !== 3) {
    throw new ShapeError(`${op}: size must be [N, C, spatial…] with 2 or 3 spatial axes, got ${showShape(size)}`);
  }
  if (theta.length !== 3 || theta[0] !== size[0] || theta[1] !== axes || theta[2] !== axes + 1) {
    throw new ShapeError(
      `${op}: theta ${showShape(theta)} must be [${size[0]}, ${axes}, ${axes + 1}] for the size ${showShape(size)}`,
    );
  }
  return [size[0], ...size.slice(2), axes];
}

function describe(shape: Shape) {
  return {
    size: [...padAxes(shape.slice(1, -1), 1), shape[0]] as const,
    positions: sizeOf(shape.slice(1, -1)),
    axes: shape.at(-1)!,
  };
}

export function affineGrid(theta: Tensor, shape: Shape, align: boolean): Tensor {
  expectTensors("affineGrid", { theta });
  const grid = theta.device.empty(shape);
  const { size, positions, axes } = describe(shape);
  if (grid.size > 0) {
    theta.device.run(
      forwardShader({
        params: { size, axes, slabs: 0, align: align ? 1 : 0 },
        bind: { theta, grid: write(grid) },
        workgroups: groups(theta.device, "affineGrid", positions * shape[0], 64),
      }),
    );
  }
  return grid;
}

const slab = 256;

export function affineGridGradient(dgrid: Tensor, align: boolean): Tensor {
  const { device, shape } = dgrid;
  const { size, positions, axes } = describe(shape);
  const slabs = Math.max(1, Math.ceil(positions / slab));
  const partial = device.empty([shape[0], slabs, axes, axes + 1]);
  if (partial.size > 0) {
    device.run(
      gradientShader({
        consts: { SLAB: slab },
        params: { size, axes, slabs, align: align ? 1 : 0 },
        bind: { dgrid, partial: write(partial) },
        workgroups: groups(device, "affineGrid", slabs * shape[0], 64),
      }),
    );
  }
  const dtheta = reduceSum(partial, [1], false);
  partial.dispose();
  return dtheta;
}
