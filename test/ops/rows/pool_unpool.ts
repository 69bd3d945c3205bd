/** @file Row of max unpooling. */

import { DTypeError, maxUnpool, ShapeError, sizeOf } from "../../../src/index.ts";
import { bytesOf, cycle, host, type Host, type Hosts, index, type Row, type Sample, type Shape } from "../../lib/row.ts";
import { type MaxArgs, type Spatial, spread } from "./pool.ts";

interface UnpoolArgs extends MaxArgs {
  readonly outputSize?: Spatial;
}

function unpoolReference({ x, indices }: Hosts, args: UnpoolArgs): Host {
  const dims = x.shape.length - 2;
  const taps = spread(args.kernelSize, dims);
  const stride = spread(args.stride ?? args.kernelSize, dims);
  const padding = spread(args.padding ?? 0, dims);
  const usual = taps.map((k, i) => (x.shape[i + 2] - 1) * stride[i] - 2 * padding[i] + k);
  const y = host([x.shape[0], x.shape[1], ...spread(args.outputSize ?? usual, dims)]);
  const [inputs, targets] = [x.shape, y.shape].map((s) => sizeOf(s.slice(2)));
  indices.data.forEach((at, i) => {
    if (at >= 0 && at < targets) y.data[Math.floor(i / inputs) * targets + at] = x.data[i];
  });
  return y;
}

const unpoolSample = (
  id: string,
  shape: Shape,
  args: UnpoolArgs,
  values: (random: () => number, i: number) => number,
): Sample<UnpoolArgs> => ({
  id: `maxUnpool/${id}`,
  inputs: { x: { shape }, indices: { shape, values, dtype: "i32" } },
  args,
  // PyTorch's gradient reads dy at the index even where another input came later.
  gradients: ({ x, indices }, dy) => {
    const [inputs, targets] = [x.shape, dy.shape].map((s) => sizeOf(s.slice(2)));
    return {
      x: x.data.map((_, i) => {
        const at = indices.data[i];
        return at >= 0 && at < targets ? dy.data[Math.floor(i / inputs) * targets + at] : 0;
      }),
    };
  },
});

const maxUnpoolRow: Row<UnpoolArgs> = {
  name: "maxUnpool",
  tolerance: { forward: 0, gradient: 0 },
  samples: [
    unpoolSample("1d", [2, 2, 4], { kernelSize: 2 }, (_, i) => 2 * (i % 4) + (i % 2)),
    unpoolSample("2d", [2, 3, 2, 3], { kernelSize: 2 }, (_, i) => 4 * 6 - 1 - 3 * (i % 6)),
    unpoolSample("2d-size", [1, 2, 2, 3], { kernelSize: 3, stride: 2, outputSize: [5, 8] }, (_, i) => 6 * (i % 6)),
    unpoolSample("3d", [1, 2, 2, 1, 2], { kernelSize: 2 }, (_, i) => 7 * (i % 4)),
    unpoolSample("collisions", [3, 2, 5, 6], { kernelSize: 1 }, index(4)),
    unpoolSample("outside", [1, 2, 3, 3], { kernelSize: 1 }, cycle(0, -1, 9, 8, 1000, 3)),
    unpoolSample("empty-batch", [0, 2, 3, 3], { kernelSize: 2 }, index(1)),
  ],
  run: ({ x, indices }, args) => maxUnpool(x, indices, args),
  reference: unpoolReference,
  differentiable: ["x"],
  splits: true,
  half: ["x"],
  flops: () => 0,
  bytes: ({ x }) => 3 * bytesOf(x),
  errors: [
    {
      id: "indices",
      call: (z) => maxUnpool(z([1, 1, 2, 2]), z([1, 1, 2, 3], "i32"), { kernelSize: 2 }),
      error: ShapeError,
      message: /^maxUnpool: indices \[1, 1, 2, 3\] must have the shape of the input/,
    },
    {
      id: "size",
      call: (z) => maxUnpool(z([1, 1, 2, 2]), z([1, 1, 2, 2], "i32"), { kernelSize: 2, outputSize: [4, 6] }),
      error: ShapeError,
      message: /^maxUnpool: outputSize \[4, 6\] must be less than the stride \[2, 2\] away from \[4, 4\]/,
    },
    {
      id: "dtype",
      call: (z) => maxUnpool(z([1, 1, 2]), z([1, 1, 2]), { kernelSize: 2 }),
      error: DTypeError,
      message: /^maxUnpool: indices has type f32, expected i32/,
    },
  ],
};

export const rows = [maxUnpoolRow];
