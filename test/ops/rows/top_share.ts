/** @file Row of the share in the k largest elements. */

import { DTypeError, ShapeError, sizeOf, topShare } from "../../../src/index.ts";
import { bytesOf, cycle, type Host, type Hosts, normal, type Row, type Sample, type Shape, type Values } from "../../lib/row.ts";

interface TopArgs {
  readonly k: number;
}

/** By sorting. */
function reference({ x }: Hosts, { k }: TopArgs): Host {
  const bound = x.data.toSorted().at(-k)!;
  const above = x.data.filter((v) => v > bound).length;
  const ties = x.data.filter((v) => v === bound).length;
  return { shape: x.shape, data: x.data.map((v) => (v > bound ? 1 : v === bound ? (k - above) / ties : 0)) };
}

const sample = (id: string, shape: Shape, k: number, values: Values = normal): Sample<TopArgs> => ({
  id: `topShare/${id}`,
  inputs: { x: { shape, values } },
  args: { k },
});

export const rows: Row<TopArgs>[] = [
  {
    name: "topShare",
    samples: [
      sample("some", [4, 5, 6], 12),
      sample("one", [3, 7], 1),
      sample("all", [3, 7], 21),
      sample("ties", [5, 5], 9, cycle(3, 1, 2, 2)),
      sample("all-equal", [6, 5], 7, () => -2.5),
      sample("zeros-and-signs", [4, 6], 15, cycle(0, -1, 1, 0, -2e30, 3e-30)),
      sample("chunks", [2, 70, 71], 994, (random, i) => Math.exp(normal(random, i))),
    ],
    run: ({ x }, { k }) => topShare(x, k),
    reference,
    differentiable: [],
    splits: true,
    half: "takes f32 only",
    flops: ({ x }) => 10 * sizeOf(x),
    bytes: ({ x }) => 6 * bytesOf(x),
    errors: [
      {
        id: "k",
        call: (z) => topShare(z([3, 4]), 13),
        error: ShapeError,
        message: /^topShare: k must be a whole number from 1 to the 12 elements of \[3, 4\], got 13/,
      },
      {
        id: "dtype",
        call: (z) => topShare(z([3], "i32"), 1),
        error: DTypeError,
        message: /^topShare: input has type i32, expected f32/,
      },
    ],
  },
];
