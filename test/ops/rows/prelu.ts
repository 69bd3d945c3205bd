/** @file Row of parametric ReLU. */

import { DTypeError, prelu, ShapeError, sizeOf } from "../../../src/index.ts";
import {
  awayFromZero,
  between,
  bytesOf,
  cycle,
  host,
  type Host,
  type Hosts,
  type Row,
  type Sample,
  type Shape,
  type Values,
} from "../../lib/row.ts";

type PreluArgs = Readonly<Record<string, never>>;

const channelOf = (shape: Shape, slopes: number, i: number): number =>
  slopes === 1 ? 0 : Math.floor(i / sizeOf(shape.slice(2))) % slopes;

function reference({ x, weight }: Hosts): Host {
  const slopes = weight.shape[0];
  return host(
    x.shape,
    x.data.map((v, i) => (v > 0 ? v : v * weight.data[channelOf(x.shape, slopes, i)])),
  );
}

const sample = (id: string, shape: Shape, slopes: number, values: Values = awayFromZero()): Sample<PreluArgs> => ({
  id: `prelu/${id}`,
  inputs: { x: { shape, values }, weight: { shape: [slopes], values: between(-0.3, 0.5) } },
  args: {},
});

const row: Row<PreluArgs> = {
  name: "prelu",
  samples: [
    sample("shared", [2, 3, 4, 5], 1),
    sample("per-channel", [2, 3, 4, 5], 3),
    sample("3d", [1, 2, 3, 3, 3], 2),
    sample("no-spatial", [4, 6], 6),
    sample("1d-input-shared", [7], 1),
    sample("many-chunks-shared", [2, 3, 50, 70], 1),
    sample("many-chunks-per-channel", [3, 2, 75, 81], 2),
    {
      ...sample("zero", [1, 2, 3], 2, cycle(0, -1, 2)),
      // At 0 PyTorch takes the negative side.
      gradients: ({ x, weight }, dy) => ({
        x: dy.data.map((g, i) => (x.data[i] > 0 ? g : g * weight.data[Math.floor(i / 3)])),
        weight: Float64Array.of(-dy.data[1], -dy.data[4]),
      }),
    },
  ],
  run: ({ x, weight }) => prelu(x, weight),
  reference,
  differentiable: ["x", "weight"],
  splits: true,
  half: ["x"],
  flops: ({ x }) => sizeOf(x),
  bytes: ({ x }) => 2 * bytesOf(x),
  errors: [
    {
      id: "slopes",
      call: (z) => prelu(z([2, 3, 4]), z([2])),
      error: ShapeError,
      message: /^prelu: weight \[2\] must be \[1\] or \[3\]/,
    },
    { id: "slope-rank", call: (z) => prelu(z([2, 3, 4]), z([3, 1])), error: ShapeError, message: /^prelu: weight \[3, 1\]/ },
    {
      id: "dtype",
      call: (z) => prelu(z([2, 3], "u32"), z([3])),
      error: DTypeError,
      message: /^prelu: input has type u32, expected f32/,
    },
  ],
};

export const rows = [row];
