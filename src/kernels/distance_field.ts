/** @file Exact Euclidean distance field on the device, so that losses that need it work inside captured steps. */

import { ShapeError } from "../host/errors.ts";
import { sizeOf } from "../host/array.ts";
import { read, write } from "../tensor/kernel.ts";
import { type Shape, showShape } from "../host/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { expectTensors } from "./lib/args.ts";
import { eachPart } from "./lib/parts.ts";
import { grid } from "./lib/workgroups.ts";
import { axisShader } from "./shaders/distance_field/axis.gen.ts";

/** Throws `ShapeError` without a spatial axis. */
function distanceFieldShape(x: Shape): Shape {
  if (x.length < 3) throw new ShapeError(`distanceField: input must be [N, C, spatial…], got ${showShape(x)}`);
  return x;
}

/**
 * Distance in voxels from each voxel of x > 0.5 to the nearest of x ≤ 0.5, and the other way round; exact. 0 everywhere in channels where one of both
 * is missing. No gradient.
 * @param x `[N, C, spatial…]`
 * @returns the same shape
 * @throws ShapeError, DTypeError
 */
export function distanceField(x: Tensor): Tensor {
  expectTensors("distanceField", { input: x });
  const shape = distanceFieldShape(x.shape);
  const { device } = x;
  const y = device.empty(shape);
  if (y.size === 0) return y;
  const images = shape[0] * shape[1];
  const spatial = shape.slice(2);
  const voxels = sizeOf(spatial);
  const [first, last] = [x, y].map((t) => t.view([images, ...spatial]));
  let from = first;
  spatial.forEach((size, axis) => {
    const end = axis === spatial.length - 1;
    const to = end ? last : device.empty([images, 2, ...spatial]);
    // Lines of an image may come in parts, along what is behind their axis or before it.
    const [before, behind] = [sizeOf(spatial.slice(0, axis)), sizeOf(spatial.slice(axis + 1))];
    const [length, rest] = behind > 1 ? [behind, 1] : [before, size];
    eachPart("distanceField", { samples: images, length, rest }, [read(from), write(to)], ([source, target], part) => {
      const own = (voxels / length) * part.length;
      const count = part.samples * own;
      device.run(
        axisShader({
          overrides: { FIRST: axis === 0 ? 1 : 0, LAST: end ? 1 : 0 },
          params: { size, inner: behind > 1 ? part.length : 1, voxels: own, count },
          bind: { from_planes: source, to: write(target) },
          workgroups: grid(device, "distanceField", count, 64),
        }),
      );
    });
    from.dispose();
    from = to;
  });
  last.dispose();
  return y;
}
