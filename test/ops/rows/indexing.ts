/** @file Rows of operations that pick or add by an index tensor: gather, indexSelect and scatterAdd. */

import { DTypeError, gather, indexSelect, scatterAdd, ShapeError } from "../../../src/index.ts";
import {
  bytesOf,
  cycle,
  everyIndex,
  flatten,
  host,
  type Host,
  type Hosts,
  index,
  type Row,
  type Sample,
  type Shape,
} from "../../lib/row.ts";

interface AxisArgs {
  readonly axis: number;
}

const axisOf = (shape: Shape, axis: number) => (axis < 0 ? axis + shape.length : axis);

export function gatherReference({ x, index: k }: Hosts, { axis }: AxisArgs): Host {
  const along = axisOf(x.shape, axis);
  const y = host(k.shape);
  everyIndex(k.shape, (at, flat) => {
    const to = k.data[flat];
    if (to >= 0 && to < x.shape[along]) y.data[flat] = x.data[flatten(x.shape, at.with(along, to))];
  });
  return y;
}

const picked = (
  id: string,
  x: Shape,
  axis: number,
  indices: Shape,
  values = index(x.at(axis)!),
  dtype: "i32" | "u32" = "i32",
): Sample<AxisArgs> => ({
  id: `gather/${id}`,
  inputs: { x: { shape: x }, index: { shape: indices, values, dtype } },
  args: { axis },
});

const gatherRow: Row<AxisArgs> = {
  name: "gather",
  tolerance: { forward: 0, gradient: 2e-6 },
  samples: [
    picked("last", [3, 5], -1, [3, 4]),
    picked("first", [5, 3], 0, [2, 3]),
    picked("middle", [2, 4, 3], 1, [2, 7, 3]),
    picked("smaller", [3, 4, 5], 1, [2, 6, 3]),
    picked("vector", [6], 0, [9], index(6), "u32"),
    picked("outside", [2, 3], 1, [2, 6], cycle(0, 3, -1, 2, 1000000, 1)),
    picked("nothing", [2, 3], 1, [2, 0]),
    picked("from-nothing", [2, 0], 1, [2, 3], cycle(0)),
    picked("volume", [2, 3, 4, 5, 4], 1, [2, 1, 4, 5, 4]),
    picked("rank-6", [2, 3, 2, 2, 3, 2], 4, [2, 2, 2, 1, 5, 2]),
    {
      id: "gather/i32",
      inputs: { x: { shape: [2, 5], values: index(99), dtype: "i32" }, index: { shape: [2, 3], values: index(5), dtype: "i32" } },
      args: { axis: 1 },
    },
  ],
  run: ({ x, index: k }, { axis }) => gather(x, axis, k),
  reference: gatherReference,
  differentiable: ["x"],
  splits: false,
  half: ["x"],
  flops: () => 0,
  bytes: ({ index: k }) => 3 * bytesOf(k),
  errors: [
    {
      id: "rank",
      call: (z) => gather(z([2, 3]), 1, z([3], "i32")),
      error: ShapeError,
      message: /^gather: the index \[3\] must have the rank of \[2, 3\]/,
    },
    {
      id: "size",
      call: (z) => gather(z([2, 3]), 1, z([3, 3], "i32")),
      error: ShapeError,
      message: /^gather: the index \[3, 3\] .* no larger size on other axes than 1/,
    },
    { id: "axis", call: (z) => gather(z([2, 3]), 2, z([2, 3], "i32")), error: ShapeError, message: /^gather: axis 2 is outside/ },
    {
      id: "dtype",
      call: (z) => gather(z([2, 3]), 1, z([2, 3])),
      error: DTypeError,
      message: /^gather: the index has type f32, expected i32 or u32/,
    },
    {
      id: "rank-9",
      call: (z) => gather(z(new Array<number>(9).fill(1)), 0, z(new Array<number>(9).fill(1), "i32")),
      error: ShapeError,
      message: /^gather: more than 8 axes/,
    },
  ],
};

function selectReference({ x, index: k }: Hosts, { axis }: AxisArgs): Host {
  const along = axisOf(x.shape, axis);
  const y = host(x.shape.with(along, k.data.length));
  everyIndex(y.shape, (at, flat) => {
    const to = k.data[at[along]];
    if (to >= 0 && to < x.shape[along]) y.data[flat] = x.data[flatten(x.shape, at.with(along, to))];
  });
  return y;
}

const chosen = (
  id: string,
  shape: Shape,
  axis: number,
  values: readonly number[],
  dtype: "i32" | "u32" = "i32",
): Sample<AxisArgs> => ({
  id: `indexSelect/${id}`,
  inputs: { x: { shape }, index: { shape: [values.length], values: cycle(...values), dtype } },
  args: { axis },
});

const selectRow: Row<AxisArgs> = {
  name: "indexSelect",
  tolerance: { forward: 0, gradient: 2e-6 },
  samples: [
    chosen("channels", [2, 4, 3, 3], 1, [3, 0, 3]),
    chosen("first", [5, 3], 0, [4, 1], "u32"),
    chosen("last", [2, 3, 4], -1, [0, 0, 1, 3, 2, 2, 2]),
    chosen("vector", [4], 0, [2, 2]),
    chosen("outside", [2, 3], 1, [1, 3, -1, 2]),
    chosen("nothing", [2, 3], 1, []),
    chosen("rank-6", [2, 1, 3, 2, 2, 2], 2, [2, 1]),
  ],
  run: ({ x, index: k }, { axis }) => indexSelect(x, axis, k),
  reference: selectReference,
  differentiable: ["x"],
  splits: true,
  half: ["x"],
  flops: () => 0,
  bytes: ({ x }) => 2 * bytesOf(x),
  errors: [
    {
      id: "rank",
      call: (z) => indexSelect(z([2, 3]), 1, z([1, 3], "i32")),
      error: ShapeError,
      message: /^indexSelect: the index must have one axis, got \[1, 3\]/,
    },
    {
      id: "axis",
      call: (z) => indexSelect(z([2, 3]), -3, z([1], "i32")),
      error: ShapeError,
      message: /^indexSelect: axis -3 is outside/,
    },
    {
      id: "dtype",
      call: (z) => indexSelect(z([2, 3]), 1, z([2])),
      error: DTypeError,
      message: /^indexSelect: the index has type f32/,
    },
  ],
};

export function scatterAddReference({ x, index: k, src }: Hosts, { axis }: AxisArgs): Host {
  const along = axisOf(x.shape, axis);
  const y = host(x.shape, x.data.slice());
  everyIndex(k.shape, (at, flat) => {
    const to = k.data[flat];
    if (to >= 0 && to < x.shape[along]) y.data[flatten(x.shape, at.with(along, to))] += src.data[flatten(src.shape, at)];
  });
  return y;
}

const added = (
  id: string,
  x: Shape,
  axis: number,
  indices: Shape,
  src: Shape,
  values = index(x.at(axis)!),
): Sample<AxisArgs> => ({
  id: `scatterAdd/${id}`,
  inputs: { x: { shape: x }, index: { shape: indices, values, dtype: "i32" }, src: { shape: src } },
  args: { axis },
});

const scatterAddRow: Row<AxisArgs> = {
  name: "scatterAdd",
  samples: [
    added("last", [2, 4], -1, [2, 9], [2, 9]),
    added("first", [4, 3], 0, [6, 3], [6, 3]),
    added("middle", [2, 3, 4], 1, [2, 5, 4], [2, 5, 4]),
    added("smaller-index", [3, 4, 5], 1, [2, 3, 4], [3, 6, 5]),
    added("all-in-one", [5], 0, [300], [300], cycle(2)),
    added("outside", [4], 0, [6], [6], cycle(0, 4, -1, 3)),
    added("nothing", [2, 3], 1, [2, 0], [2, 0]),
    added("to-nothing", [2, 0], 1, [2, 3], [2, 3], cycle(0)),
    added("rank-6", [2, 3, 2, 2, 3, 2], 4, [2, 3, 2, 1, 5, 2], [2, 3, 2, 2, 6, 2]),
    added("histogram", [1, 16], 1, [1, 3000], [1, 3000]),
  ],
  run: ({ x, index: k, src }, { axis }) => scatterAdd(x, axis, k, src),
  reference: scatterAddReference,
  differentiable: ["x", "src"],
  splits: false,
  half: ["x", "src"],
  flops: ({ src }) => src.reduce((a, b) => a * b, 1),
  bytes: ({ x, src }) => 2 * bytesOf(x) + 2 * bytesOf(src),
  errors: [
    {
      id: "src",
      call: (z) => scatterAdd(z([2, 3]), 1, z([2, 4], "i32"), z([2, 3])),
      error: ShapeError,
      message: /^scatterAdd: the index \[2, 4\] must have the rank of src \[2, 3\] and no larger size/,
    },
    {
      id: "index",
      call: (z) => scatterAdd(z([2, 3]), 1, z([3, 3], "i32"), z([3, 3])),
      error: ShapeError,
      message: /^scatterAdd: the index \[3, 3\] must have the rank of \[2, 3\]/,
    },
    {
      id: "dtype",
      call: (z) => scatterAdd(z([2], "i32"), 0, z([2], "i32"), z([2], "i32")),
      error: DTypeError,
      message: /^scatterAdd: input has type i32, expected f32/,
    },
    {
      id: "index-dtype",
      call: (z) => scatterAdd(z([2]), 0, z([2]), z([2])),
      error: DTypeError,
      message: /^scatterAdd: the index has type f32/,
    },
  ],
};

export const rows = [gatherRow, selectRow, scatterAddRow];
