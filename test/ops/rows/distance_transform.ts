/** @file Row of the distance transform, against the one of the host. */

import {
  ConfigError,
  distanceTransform,
  type DistanceTransformOptions,
  DTypeError,
  ShapeError,
  sizeOf,
} from "../../../src/index.ts";
import { distanceTransformEdt } from "../../../src/host/grid/distance.ts";
import { bytesOf, host, type Host, type Hosts, type Row, type Sample, type Shape, type Values } from "../../lib/row.ts";

/** Image by image; the host's is held against SciPy's. */
function reference({ x }: Hosts, { sampling }: DistanceTransformOptions): Host {
  const y = host(x.shape);
  const spatial = x.shape.slice(2);
  const size = sizeOf(spatial);
  for (let start = 0; start < x.data.length; start += size) {
    const image = { data: Float64Array.from(x.data.slice(start, start + size)), shape: spatial };
    y.data.set(distanceTransformEdt(image, sampling === undefined ? {} : { sampling }).data, start);
  }
  return y;
}

const dense: Values = (random, i) => (i % 97 === 5 || random() < 0.02 ? 0 : 1);

const sample = (
  id: string,
  shape: Shape,
  args: DistanceTransformOptions = {},
  values: Values = dense,
): Sample<DistanceTransformOptions> => ({
  id: `distanceTransform/${id}`,
  inputs: { x: { shape, values } },
  args,
});

export const rows: Row<DistanceTransformOptions>[] = [
  {
    name: "distanceTransform",
    samples: [
      sample("2d", [2, 3, 13, 9]),
      sample("3d", [1, 2, 9, 10, 11]),
      sample("1d", [2, 2, 333]),
      sample("sampling", [1, 2, 17, 13, 7], { sampling: [2.5, 0.7, 1.2] }),
      sample("one-size", [1, 1, 31, 37], { sampling: 0.3 }),
      sample("one-zero", [1, 1, 8, 40, 20], { sampling: [3, 1, 1] }, (_, i) => (i === 4321 ? 0 : 2)),
      sample("no-set-voxel", [1, 1, 3, 4], {}, () => 0),
      sample("flat-axes", [1, 1, 1, 99, 1]),
    ],
    run: ({ x }, options) => distanceTransform(x, options),
    reference,
    differentiable: [],
    splits: true,
    half: "takes f32 only",
    flops: ({ x }) => 50 * sizeOf(x),
    bytes: ({ x }) => 12 * bytesOf(x),
    errors: [
      {
        id: "rank",
        call: (z) => distanceTransform(z([3, 4])),
        error: ShapeError,
        message: /^distanceTransform: input must be \[N, C, spatial…\], got \[3, 4\]/,
      },
      {
        id: "dtype",
        call: (z) => distanceTransform(z([1, 1, 3], "i32")),
        error: DTypeError,
        message: /^distanceTransform: input has type i32, expected f32/,
      },
      {
        id: "sampling",
        call: (z) => distanceTransform(z([1, 1, 3, 3]), { sampling: [1, -1] }),
        error: ConfigError,
        message: /^distanceTransform: sampling is one positive number or 2 of them, got \[1, -1\]/,
      },
    ],
  },
];
