/** @file Rows of pixel shuffle and its reverse: exact in both directions. */

import { pixelShuffle, pixelUnshuffle, ShapeError } from "../../../src/index.ts";
import { bytesOf, everyIndex, flatten, host, type Host, type Row, type Sample, type Shape } from "../../lib/row.ts";

// Finite differences of linear maps are exact up to their own rounding.
const tolerance = { forward: 0, gradient: 1e-9 };

interface Args {
  readonly factor: number;
}

// Large position p of channel c is small position ⌊p / r⌋ of channel c·rᵈ + Σ (pᵢ mod r)·rᵈ⁻¹⁻ⁱ.
function pairs(large: Shape, r: number, visit: (large: number, small: number) => void): void {
  const dims = large.length - 2;
  const small = [large[0], large[1] * r ** dims, ...large.slice(2).map((n) => n / r)];
  everyIndex(large, (at, flat) => {
    const place = at.slice(2);
    const channel = place.reduce((c, p) => c * r + (p % r), at[1]);
    visit(flat, flatten(small, [at[0], channel, ...place.map((p) => Math.floor(p / r))]));
  });
}

const largeShape = (x: Shape, r: number): Shape => [x[0], x[1] / r ** (x.length - 2), ...x.slice(2).map((n) => n * r)];
const smallShape = (x: Shape, r: number): Shape => [x[0], x[1] * r ** (x.length - 2), ...x.slice(2).map((n) => n / r)];

const samples = (name: string, shape: (x: Shape, r: number) => Shape): Sample<Args>[] =>
  (
    [
      ["1d", [2, 6, 4], 3],
      ["2d", [2, 8, 3, 4], 2],
      ["2d-three", [1, 9, 2, 3], 3],
      ["3d", [2, 16, 2, 3, 4], 2],
      ["3d-three", [1, 27, 1, 2, 3], 3],
      ["one", [1, 2, 3, 4], 1],
      ["empty-batch", [0, 4, 2, 2], 2],
    ] as [string, Shape, number][]
  ).map(([id, x, factor]) => ({ id: `${name}/${id}`, inputs: { x: { shape: shape(x, factor) } }, args: { factor } }));

const shuffleRow: Row<Args> = {
  name: "pixelShuffle",
  tolerance,
  samples: samples("pixelShuffle", (x) => x),
  run: ({ x }, { factor }) => pixelShuffle(x, factor),
  reference: ({ x }, { factor }): Host => {
    const y = host(largeShape(x.shape, factor));
    pairs(y.shape, factor, (large, small) => (y.data[large] = x.data[small]));
    return y;
  },
  differentiable: ["x"],
  splits: true,
  half: ["x"],
  flops: () => 0,
  bytes: ({ x }) => 2 * bytesOf(x),
  errors: [
    {
      id: "channels",
      call: (z) => pixelShuffle(z([1, 6, 2, 2]), 2),
      error: ShapeError,
      message: /^pixelShuffle: 6 channels of \[1, 6, 2, 2\] must be a multiple of factor\^2 = 4/,
    },
    {
      id: "factor",
      call: (z) => pixelShuffle(z([1, 4, 2, 2]), 0),
      error: ShapeError,
      message: /^pixelShuffle: factor must be a positive integer, got 0/,
    },
    {
      id: "rank",
      call: (z) => pixelShuffle(z([1, 4]), 2),
      error: ShapeError,
      message: /^pixelShuffle: input must be \[N, C, spatial…\]/,
    },
  ],
};

const unshuffleRow: Row<Args> = {
  name: "pixelUnshuffle",
  tolerance,
  samples: samples("pixelUnshuffle", largeShape),
  run: ({ x }, { factor }) => pixelUnshuffle(x, factor),
  reference: ({ x }, { factor }): Host => {
    const y = host(smallShape(x.shape, factor));
    pairs(x.shape, factor, (large, small) => (y.data[small] = x.data[large]));
    return y;
  },
  differentiable: ["x"],
  splits: true,
  half: ["x"],
  flops: () => 0,
  bytes: ({ x }) => 2 * bytesOf(x),
  errors: [
    {
      id: "size",
      call: (z) => pixelUnshuffle(z([1, 1, 4, 5]), 2),
      error: ShapeError,
      message: /^pixelUnshuffle: the spatial size of \[1, 1, 4, 5\] must be a multiple of the factor 2/,
    },
  ],
};

export const rows = [shuffleRow, unshuffleRow];
