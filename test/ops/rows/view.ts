/** @file Rows of the operations that only move elements: exact in both directions. */

import { concat, ConfigError, permute, reshape, ShapeError, sizeOf, slice } from "../../../src/index.ts";
import {
  bytesOf,
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

// Finite differences of linear maps are exact up to their own rounding.
const tolerance = { forward: 0, gradient: 1e-9 };

type Range = readonly [start?: number, stop?: number, step?: number];

interface SliceArgs {
  readonly slices: readonly (Range | undefined)[];
}

/** Indices of Python's `range(size)[start:stop:step]`. */
export function pythonSlice(size: number, [start, stop, step = 1]: Range): number[] {
  const bound = (v: number | undefined, missing: number) =>
    v === undefined ? missing : v < 0 ? Math.max(0, size + v) : Math.min(size, v);
  const list: number[] = [];
  for (let i = bound(start, 0); i < bound(stop, size); i += step) list.push(i);
  return list;
}

export function sliceReference({ x }: Hosts, { slices }: SliceArgs): Host {
  const lists = x.shape.map((size, axis) => pythonSlice(size, slices[axis] ?? []));
  const y = host(lists.map((l) => l.length));
  everyIndex(y.shape, (at, flat) => {
    y.data[flat] =
      x.data[
        flatten(
          x.shape,
          at.map((k, axis) => lists[axis][k]),
        )
      ];
  });
  return y;
}

const cut = (id: string, shape: Shape, ...slices: (Range | undefined)[]): Sample<SliceArgs> => ({
  id: `slice/${id}`,
  inputs: { x: { shape } },
  args: { slices },
});

const sliceRow: Row<SliceArgs> = {
  name: "slice",
  tolerance,
  samples: [
    cut("first-axis", [5, 3], [1, 4]),
    cut("last-axis", [2, 3, 7], undefined, undefined, [2, 6]),
    cut("to-the-end", [7], [3]),
    cut("from-the-start", [7], [undefined, 3]),
    cut("negative", [4, 9], [-3, -1], [-7, undefined]),
    cut("step", [11], [1, 10, 3]),
    cut("steps-all-axes", [5, 6, 7], [0, 5, 2], [1, 6, 3], [2, undefined, 4]),
    cut("step-past-the-end", [5], [3, 5, 10]),
    cut("clamped", [4, 5], [-9, 99], [2, 99]),
    cut("whole", [2, 3]),
    cut("rank-6", [2, 3, 2, 3, 2, 3], [1], [0, 2], undefined, [-2], undefined, [0, 3, 2]),
    cut("crop-3d", [1, 2, 8, 9, 7], undefined, undefined, [2, 6], [3, 7], [1, 5]),
    cut("nothing-left", [4, 3], [2, 2]),
    cut("large", [3, 200, 170], [0, 3, 2], [10, 190], [5, -5, 2]),
    cut("one-block-per-sample", [3, 4, 60, 80], undefined, [1, 3]),
    cut("aligned-rows", [2, 3, 8, 16], undefined, undefined, [1, 5], [4, 12]),
    cut("aligned-rows-from-odd", [2, 3, 8, 16], undefined, undefined, [1, 5], [3, 11]),
    cut("axes-of-one", [1, 5, 1, 1, 4, 1], undefined, [1, 4], undefined, undefined, [1, 3]),
    cut("no-elements", [3, 0, 4], [1, 3]),
    { id: "slice/i32", inputs: { x: { shape: [6, 4], values: index(99), dtype: "i32" } }, args: { slices: [[1, 5, 2], [2]] } },
  ],
  run: ({ x }, { slices }) => slice(x, slices),
  reference: sliceReference,
  differentiable: ["x"],
  splits: true,
  half: ["x"],
  flops: () => 0,
  bytes: ({ x }, { slices }) => 2 * bytesOf(x.map((size, axis) => pythonSlice(size, slices[axis] ?? []).length)),
  errors: [
    {
      id: "too-many",
      call: (z) => slice(z([2, 3]), [[0], [0], [0]]),
      error: ShapeError,
      message: /^slice: 3 ranges for a tensor of shape \[2, 3\]/,
    },
    {
      id: "step",
      call: (z) => slice(z([4]), [[0, 4, 0]]),
      error: ShapeError,
      message: /^slice: step 0 on axis 0 must be a positive integer/,
    },
    { id: "negative-step", call: (z) => slice(z([4]), [[3, 0, -1]]), error: ShapeError, message: /^slice: step -1 on axis 0/ },
    { id: "fraction", call: (z) => slice(z([4]), [[0.5, 3]]), error: ShapeError, message: /^slice: .*axis 0/ },
    {
      id: "rank-9",
      call: (z) =>
        slice(
          z([3, 3, 3, 3, 3, 3, 3, 3, 3]),
          Array.from({ length: 9 }, (): Range => [0, 2]),
        ),
      error: ShapeError,
      message: /^slice: more than 8 axes in \[2, .*are left/,
    },
  ],
};

interface ConcatArgs {
  readonly axis?: number;
}

export function concatReference(inputs: Hosts, { axis = 1 }: ConcatArgs): Host {
  const list = Object.values(inputs);
  const at = axis < 0 ? axis + list[0].shape.length : axis;
  const y = host(
    list[0].shape.with(
      at,
      list.reduce((sum, h) => sum + h.shape[at], 0),
    ),
  );
  let start = 0;
  for (const h of list) {
    const from = start;
    everyIndex(h.shape, (i, flat) => (y.data[flatten(y.shape, i.with(at, i[at] + from))] = h.data[flat]));
    start += h.shape[at];
  }
  return y;
}

const join = (id: string, axis: number | undefined, ...shapes: Shape[]): Sample<ConcatArgs> => ({
  id: `concat/${id}`,
  inputs: Object.fromEntries(shapes.map((shape, i) => ["abcd"[i], { shape }])),
  args: axis === undefined ? {} : { axis },
});

const concatRow: Row<ConcatArgs> = {
  name: "concat",
  tolerance,
  samples: [
    join("channels", undefined, [2, 3, 4, 5], [2, 1, 4, 5]),
    join("three-channels", 1, [1, 2, 3], [1, 1, 3], [1, 4, 3]),
    join("first-axis", 0, [2, 3], [1, 3], [4, 3], [1, 3]),
    join("last-axis", -1, [2, 3, 1], [2, 3, 4]),
    join("middle-3d", 3, [1, 2, 3, 2, 4], [1, 2, 3, 5, 4]),
    join("vector", 0, [3], [4]),
    join("one", 1, [2, 3]),
    join("with-empty", 1, [2, 0, 3], [2, 2, 3]),
    join("rank-6", 4, [2, 1, 2, 3, 1, 2], [2, 1, 2, 3, 2, 2]),
    join("large", 1, [2, 3, 60, 70], [2, 5, 60, 70]),
  ],
  run: (tensors, { axis }) => concat(Object.values(tensors), axis),
  reference: concatReference,
  differentiable: ["a", "b", "c", "d"],
  splits: true,
  half: ["a", "b", "c", "d"],
  flops: () => 0,
  bytes: (shapes) => 2 * bytesOf(...Object.values(shapes)),
  errors: [
    {
      id: "sizes",
      call: (z) => concat([z([1, 2, 3]), z([1, 2, 4])]),
      error: ShapeError,
      message: /^concat: tensor 1 \[1, 2, 4\] and tensor 0 \[1, 2, 3\] differ on another axis than 1/,
    },
    { id: "ranks", call: (z) => concat([z([1, 2, 3]), z([1, 2])]), error: ShapeError, message: /^concat: tensor 1 \[1, 2\]/ },
    { id: "axis", call: (z) => concat([z([1, 2]), z([1, 2])], 2), error: ShapeError, message: /^concat: axis 2 is outside/ },
    { id: "nothing", call: () => concat([]), error: ShapeError, message: /^concat: needs at least one tensor/ },
    {
      id: "dtypes",
      call: (z) => concat([z([1, 2]), z([1, 2], "i32")]),
      error: ConfigError,
      message: /^concat: tensors must be of one type/,
    },
  ],
};

interface PermuteArgs {
  readonly axes: readonly number[];
}

const permuteRow: Row<PermuteArgs> = {
  name: "permute",
  tolerance,
  samples: [
    { id: "permute/transpose", inputs: { x: { shape: [3, 5] } }, args: { axes: [1, 0] } },
    { id: "permute/rotate", inputs: { x: { shape: [2, 3, 4] } }, args: { axes: [1, 2, 0] } },
    { id: "permute/channels-last", inputs: { x: { shape: [2, 3, 4, 5] } }, args: { axes: [0, 2, 3, 1] } },
    { id: "permute/5d", inputs: { x: { shape: [1, 2, 3, 4, 2] } }, args: { axes: [3, 0, 4, 2, 1] } },
    { id: "permute/rank-6", inputs: { x: { shape: [2, 3, 2, 1, 3, 2] } }, args: { axes: [5, 1, 3, 0, 4, 2] } },
    { id: "permute/same", inputs: { x: { shape: [2, 3] } }, args: { axes: [0, 1] } },
    { id: "permute/u32", inputs: { x: { shape: [4, 3], values: index(1000), dtype: "u32" } }, args: { axes: [1, 0] } },
    { id: "permute/large", inputs: { x: { shape: [40, 50, 60] } }, args: { axes: [2, 0, 1] } },
  ],
  run: ({ x }, { axes }) => permute(x, axes),
  reference: ({ x }, { axes }) => {
    const y = host(axes.map((a) => x.shape[a]));
    everyIndex(
      x.shape,
      (at, flat) =>
        (y.data[
          flatten(
            y.shape,
            axes.map((a) => at[a]),
          )
        ] = x.data[flat]),
    );
    return y;
  },
  differentiable: ["x"],
  splits: false,
  half: ["x"],
  flops: () => 0,
  bytes: ({ x }) => 2 * bytesOf(x),
  errors: [
    {
      id: "count",
      call: (z) => permute(z([2, 3]), [0]),
      error: ShapeError,
      message: /^permute: \[0\] is not a permutation of the axes of \[2, 3\]/,
    },
    {
      id: "twice",
      call: (z) => permute(z([2, 3]), [1, 1]),
      error: ShapeError,
      message: /^permute: \[1, 1\] is not a permutation/,
    },
    {
      id: "negative",
      call: (z) => permute(z([2, 3]), [0, -1]),
      error: ShapeError,
      message: /^permute: \[0, -1\] is not a permutation/,
    },
  ],
};

interface ReshapeArgs {
  readonly shape: Shape;
}

const reshapeRow: Row<ReshapeArgs> = {
  name: "reshape",
  tolerance,
  samples: [
    { id: "reshape/flatten", inputs: { x: { shape: [2, 3, 4] } }, args: { shape: [24] } },
    { id: "reshape/open", inputs: { x: { shape: [2, 3, 4] } }, args: { shape: [4, -1] } },
    { id: "reshape/open-one", inputs: { x: { shape: [6] } }, args: { shape: [2, -1, 3] } },
    { id: "reshape/scalar", inputs: { x: { shape: [1, 1] } }, args: { shape: [] } },
    { id: "reshape/same", inputs: { x: { shape: [2, 3] } }, args: { shape: [2, 3] } },
  ],
  run: ({ x }, { shape }) => reshape(x, shape),
  reference: ({ x }, { shape }) => {
    const known = sizeOf(shape.filter((d) => d >= 0));
    return host(
      shape.map((d) => (d < 0 ? x.data.length / known : d)),
      x.data.slice(),
    );
  },
  differentiable: ["x"],
  splits: true,
  half: ["x"],
  flops: () => 0,
  bytes: () => 0,
  errors: [
    { id: "size", call: (z) => reshape(z([2, 3]), [4]), error: ShapeError, message: /\[2, 3\] has 6 elements, \[4\] has 4/ },
    {
      id: "open",
      call: (z) => reshape(z([2, 3]), [4, -1]),
      error: ShapeError,
      message: /^reshape: \[2, 3\] does not fit \[4, -1\]/,
    },
    {
      id: "two-open",
      call: (z) => reshape(z([2, 3]), [-1, -1]),
      error: ShapeError,
      message: /^reshape: \[2, 3\] does not fit \[-1, -1\]/,
    },
    {
      id: "two-open-of-three",
      call: (z) => reshape(z([2, 3]), [-1, -1, 6]),
      error: ShapeError,
      message: /^reshape: .* does not fit/,
    },
    { id: "negative", call: (z) => reshape(z([2, 3]), [-2, -3]), error: ShapeError, message: /^reshape: .* does not fit/ },
  ],
};

export const rows = [sliceRow, concatRow, permuteRow, reshapeRow];
