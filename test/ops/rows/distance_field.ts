/** @file Row of the distance field. */

import { distanceField, DTypeError, ShapeError, sizeOf } from "../../../src/index.ts";
import {
  bytesOf,
  cycle,
  everyIndex,
  host,
  type Host,
  type Hosts,
  type Row,
  type Sample,
  type Shape,
  uniform,
  type Values,
} from "../../lib/row.ts";

/** For each voxel the nearest of the other side, by looking at all of them. */
function reference({ x }: Hosts): Host {
  const y = host(x.shape);
  const spatial = x.shape.slice(2);
  const inner = sizeOf(spatial);
  const places: number[][] = [];
  everyIndex(spatial, (at) => places.push([...at]));
  for (let start = 0; start < x.data.length; start += inner) {
    places.forEach((a, i) => {
      const side = x.data[start + i] > 0.5;
      let nearest = Infinity;
      places.forEach((b, j) => {
        if (x.data[start + j] > 0.5 !== side) nearest = Math.min(nearest, Math.hypot(...a.map((v, k) => v - b[k])));
      });
      y.data[start + i] = Number.isFinite(nearest) ? nearest : 0;
    });
  }
  return y;
}

const sparse: Values = (random) => (random() < 0.02 ? 1 : 0);

const sample = (id: string, shape: Shape, values: Values = uniform): Sample<object> => ({
  id: `distanceField/${id}`,
  inputs: { x: { shape, values } },
  args: {},
});

export const rows: Row<object>[] = [
  {
    name: "distanceField",
    samples: [
      sample("2d", [2, 3, 7, 9]),
      sample("3d", [1, 2, 5, 6, 7]),
      sample("1d", [2, 2, 33]),
      sample("sparse", [1, 2, 31, 37], sparse),
      sample("sparse-3d", [2, 1, 9, 11, 13], sparse),
      sample("full-and-empty", [1, 3, 4, 5], (_, i) => [0, 1, i % 7 === 0 ? 1 : 0][Math.floor(i / 20)]),
      sample("one-voxel", [1, 1, 1, 1]),
      sample("flat-axes", [1, 1, 1, 9, 1], sparse),
      sample("half-is-outside", [1, 1, 2, 3], cycle(0.5, 0.51)),
    ],
    run: ({ x }) => distanceField(x),
    reference,
    differentiable: [],
    splits: true,
    half: "takes f32 only",
    flops: ({ x }) => 50 * sizeOf(x),
    bytes: ({ x }) => 6 * bytesOf(x),
    errors: [
      {
        id: "rank",
        call: (z) => distanceField(z([3, 4])),
        error: ShapeError,
        message: /^distanceField: input must be \[N, C, spatial…\], got \[3, 4\]/,
      },
      {
        id: "dtype",
        call: (z) => distanceField(z([1, 1, 3], "i32")),
        error: DTypeError,
        message: /^distanceField: input has type i32, expected f32/,
      },
    ],
  },
];
