/** @file Rows of lower and upper triangles. */

import { ShapeError, tril, triu } from "../../../src/index.ts";
import { bytesOf, everyIndex, host, type Host, type Hosts, index, type Row, type Sample, type Shape } from "../../lib/row.ts";

interface Args {
  readonly diagonal?: number;
}

const reference =
  (kept: (row: number, column: number, diagonal: number) => boolean) =>
  ({ x }: Hosts, { diagonal = 0 }: Args): Host => {
    const y = host(x.shape);
    everyIndex(x.shape, (at, flat) => {
      if (kept(at.at(-2)!, at.at(-1)!, diagonal)) y.data[flat] = x.data[flat];
    });
    return y;
  };

const samples = (name: string): Sample<Args>[] => {
  const one = (id: string, shape: Shape, args: Args): Sample<Args> => ({ id: `${name}/${id}`, inputs: { x: { shape } }, args });
  return [
    one("square", [4, 4], {}),
    one("wide", [3, 5], { diagonal: 1 }),
    one("tall", [5, 3], { diagonal: -2 }),
    one("batch", [2, 3, 4, 4], { diagonal: 2 }),
    one("all-or-nothing", [3, 4], { diagonal: 9 }),
    one("nothing-or-all", [3, 4], { diagonal: -2_000_000_000 }),
    one("empty", [2, 0, 3], {}),
    one("rank-6", [2, 1, 2, 2, 3, 3], { diagonal: -1 }),
    { id: `${name}/i32`, inputs: { x: { shape: [3, 3], values: index(99), dtype: "i32" } }, args: {} },
  ];
};

const common = {
  tolerance: { forward: 0, gradient: 1e-9 },
  differentiable: ["x"],
  splits: true,
  half: ["x"],
  flops: () => 0,
  bytes: ({ x }: Readonly<Record<string, Shape>>) => 2 * bytesOf(x),
};

const trilRow: Row<Args> = {
  ...common,
  name: "tril",
  samples: samples("tril"),
  run: ({ x }, { diagonal }) => tril(x, diagonal),
  reference: reference((row, column, d) => column <= row + d),
  errors: [
    { id: "rank", call: (z) => tril(z([3])), error: ShapeError, message: /^tril: needs at least two axes, got \[3\]/ },
    {
      id: "diagonal",
      call: (z) => tril(z([3, 3]), 0.5),
      error: ShapeError,
      message: /^tril: the diagonal must be an integer, got 0.5/,
    },
  ],
};

const triuRow: Row<Args> = {
  ...common,
  name: "triu",
  samples: samples("triu"),
  run: ({ x }, { diagonal }) => triu(x, diagonal),
  reference: reference((row, column, d) => column >= row + d),
  errors: [{ id: "rank", call: (z) => triu(z([])), error: ShapeError, message: /^triu: needs at least two axes, got \[\]/ }],
};

export const rows = [trilRow, triuRow];
