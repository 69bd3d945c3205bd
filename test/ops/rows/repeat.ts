/** @file Rows of repeat and tile. */

import { repeat, ShapeError, sizeOf, tile } from "../../../src/index.ts";
import { bytesOf, type Host, type Hosts, mapped, type Row, type Sample, type Shape } from "../../lib/row.ts";

const tolerance = { forward: 0, gradient: 2e-6 }; // gradients are short sums

interface CountArgs {
  readonly counts: readonly number[];
}

export function repeatReference({ x }: Hosts, { counts }: CountArgs): Host {
  const all = [...new Array<number>(Math.max(0, x.shape.length - counts.length)).fill(1), ...counts];
  const lead = all.length - x.shape.length;
  const shape = all.map((n, i) => n * (x.shape[i - lead] ?? 1));
  return mapped(x, shape, (at) => at.slice(lead).map((k, i) => k % x.shape[i]));
}

const copies = (id: string, shape: Shape, counts: readonly number[]): Sample<CountArgs> => ({
  id,
  inputs: { x: { shape } },
  args: { counts },
});

const repeatRow: Row<CountArgs> = {
  name: "repeat",
  tolerance,
  samples: [
    copies("repeat/last", [2, 3], [1, 4]),
    copies("repeat/both", [2, 3], [3, 2]),
    copies("repeat/new-axes", [2, 3], [4, 1, 2, 1]),
    copies("repeat/once", [2, 3], [1, 1]),
    copies("repeat/never", [2, 3], [2, 0]),
    copies("repeat/scalar", [], [3]),
    copies("repeat/scalar-once", [], []),
    copies("repeat/empty", [0, 2], [2, 2]),
    copies("repeat/rank-6", [2, 1, 3, 1, 2, 2], [1, 2, 2, 3, 1, 2]),
    copies("repeat/rank-6-all", [2, 3, 2, 2, 2, 3], [2, 2, 2, 2, 3, 2]),
    copies("repeat/blocks", [2, 4096], [2, 3]),
    copies("repeat/large", [2, 30, 31], [2, 3, 2]),
  ],
  run: ({ x }, { counts }) => repeat(x, counts),
  reference: repeatReference,
  differentiable: ["x"],
  splits: false,
  half: ["x"],
  flops: () => 0,
  bytes: ({ x }, { counts }) => bytesOf(x) * (1 + sizeOf(counts)),
  errors: [
    {
      id: "count",
      call: (z) => repeat(z([2, 3]), [2]),
      error: ShapeError,
      message: /^repeat: needs a count of at least 0 for each axis of \[2, 3\], got \[2\]/,
    },
    { id: "negative", call: (z) => repeat(z([2]), [-1]), error: ShapeError, message: /^repeat: needs a count of at least 0/ },
  ],
};

const tileRow: Row<CountArgs> = {
  ...repeatRow,
  name: "tile",
  samples: [
    copies("tile/last", [2, 3], [4]),
    copies("tile/both", [2, 3], [3, 2]),
    copies("tile/new-axis", [3], [2, 2]),
    copies("tile/none", [2, 3], []),
  ],
  run: ({ x }, { counts }) => tile(x, counts),
  errors: [{ id: "fraction", call: (z) => tile(z([2, 3]), [1.5]), error: ShapeError, message: /^tile: needs a count/ }],
};

export const rows = [repeatRow, tileRow];
