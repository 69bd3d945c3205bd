/** @file Row of affine grids. */

import { affineGrid, ShapeError, sizeOf } from "../../../src/index.ts";
import { bytesOf, everyIndex, flatten, host, type Host, type Hosts, type Row, type Sample, type Shape } from "../../lib/row.ts";

interface AffineArgs {
  readonly size: Shape;
  readonly alignCorners?: boolean;
}

function affineReference({ theta }: Hosts, { size, alignCorners }: AffineArgs): Host {
  const axes = size.length - 2;
  const grid = host([size[0], ...size.slice(2), axes]);
  everyIndex(grid.shape, (at, i) => {
    const place = at
      .slice(1, -1)
      .map((k, axis) => {
        const n = size[axis + 2];
        if (alignCorners) return n === 1 ? 0 : (2 * k) / (n - 1) - 1;
        return (2 * k + 1) / n - 1;
      })
      .toReversed();
    grid.data[i] = [...place, 1].reduce((sum, v, k) => sum + theta.data[flatten(theta.shape, [at[0], at[axes + 1], k])] * v, 0);
  });
  return grid;
}

const affine = (id: string, size: Shape, alignCorners?: boolean): Sample<AffineArgs> => ({
  id: `affineGrid/${id}`,
  inputs: { theta: { shape: [size[0], size.length - 2, size.length - 1] } },
  args: { size, ...(alignCorners === undefined ? {} : { alignCorners }) },
});

const affineGridRow: Row<AffineArgs> = {
  name: "affineGrid",
  samples: [
    affine("2d", [2, 3, 4, 5]),
    affine("2d-align", [2, 3, 4, 5], true),
    affine("2d-one", [1, 1, 1, 3], true),
    affine("3d", [2, 1, 3, 4, 5]),
    affine("3d-align", [1, 1, 3, 4, 5], true),
    affine("3d-slabs", [2, 1, 8, 9, 10]),
    affine("empty-batch", [0, 1, 3, 4]),
  ],
  run: ({ theta }, { size, alignCorners }) => affineGrid(theta, size, alignCorners === undefined ? {} : { alignCorners }),
  reference: affineReference,
  differentiable: ["theta"],
  splits: false,
  half: "positions are no activations",
  flops: ({ theta }, { size }) => 2 * sizeOf(theta) * sizeOf(size.slice(2)),
  bytes: (_, { size }) => bytesOf([size[0], ...size.slice(2), size.length - 2]),
  errors: [
    {
      id: "theta",
      call: (z) => affineGrid(z([1, 2, 3]), [1, 1, 4, 4, 4]),
      error: ShapeError,
      message: /^affineGrid: theta \[1, 2, 3\] must be \[1, 3, 4\] for the size \[1, 1, 4, 4, 4\]/,
    },
    {
      id: "size",
      call: (z) => affineGrid(z([1, 2, 3]), [1, 1, 4]),
      error: ShapeError,
      message: /^affineGrid: size must be .* 2 or 3 spatial axes/,
    },
  ],
};

export const rows = [affineGridRow];
