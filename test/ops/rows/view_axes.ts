/** @file Rows of views that add, drop, repeat, reverse or turn axes: exact in both directions. */

import { ConfigError, expand, flip, rot90, ShapeError, sizeOf, split, squeeze, stack, unsqueeze } from "../../../src/index.ts";
import {
  bytesOf,
  everyIndex,
  flatten,
  host,
  type Host,
  type Hosts,
  index,
  mapped,
  type Row,
  type Sample,
  type Shape,
} from "../../lib/row.ts";

// Finite differences of linear maps are exact up to their own rounding.
const tolerance = { forward: 0, gradient: 1e-9 };
const both = ({ x }: Readonly<Record<string, Shape>>) => 2 * bytesOf(x);
const mod = (a: number, n: number) => ((a % n) + n) % n;

interface AxesArgs {
  readonly axes?: number | readonly number[];
}

const squeezeRow: Row<AxesArgs> = {
  name: "squeeze",
  tolerance,
  samples: [
    { id: "squeeze/all", inputs: { x: { shape: [1, 3, 1, 2, 1] } }, args: {} },
    { id: "squeeze/one", inputs: { x: { shape: [1, 3, 1, 2] } }, args: { axes: 2 } },
    { id: "squeeze/some", inputs: { x: { shape: [1, 3, 1, 2, 1] } }, args: { axes: [0, -1] } },
    { id: "squeeze/not-one", inputs: { x: { shape: [1, 3, 1] } }, args: { axes: [0, 1] } },
    { id: "squeeze/to-scalar", inputs: { x: { shape: [1, 1] } }, args: {} },
    { id: "squeeze/empty", inputs: { x: { shape: [1, 0, 2] } }, args: {} },
  ],
  run: ({ x }, { axes }) => squeeze(x, axes),
  reference: ({ x }, { axes }) => {
    const list = (axes === undefined ? x.shape.map((_, i) => i) : [axes].flat()).map((a) => mod(a, x.shape.length));
    return host(
      x.shape.filter((d, i) => !(d === 1 && list.includes(i))),
      x.data.slice(),
    );
  },
  differentiable: ["x"],
  splits: true,
  half: ["x"],
  flops: () => 0,
  bytes: () => 0,
  errors: [
    { id: "axis", call: (z) => squeeze(z([1, 2]), 2), error: ShapeError, message: /^squeeze: axis 2 is outside/ },
    { id: "twice", call: (z) => squeeze(z([1, 2]), [0, -2]), error: ShapeError, message: /^squeeze: an axis is named twice/ },
  ],
};

const unsqueezeRow: Row<{ axis: number }> = {
  name: "unsqueeze",
  tolerance,
  samples: [
    { id: "unsqueeze/first", inputs: { x: { shape: [2, 3] } }, args: { axis: 0 } },
    { id: "unsqueeze/middle", inputs: { x: { shape: [2, 3] } }, args: { axis: 1 } },
    { id: "unsqueeze/last", inputs: { x: { shape: [2, 3] } }, args: { axis: -1 } },
    { id: "unsqueeze/scalar", inputs: { x: { shape: [] } }, args: { axis: 0 } },
  ],
  run: ({ x }, { axis }) => unsqueeze(x, axis),
  reference: ({ x }, { axis }) => host(x.shape.toSpliced(mod(axis, x.shape.length + 1), 0, 1), x.data.slice()),
  differentiable: ["x"],
  splits: true,
  half: ["x"],
  flops: () => 0,
  bytes: () => 0,
  errors: [
    { id: "axis", call: (z) => unsqueeze(z([2, 3]), 3), error: ShapeError, message: /^unsqueeze: axis 3 is outside \[-3, 3\)/ },
  ],
};

export function stackReference(inputs: Hosts, { axis = 0 }: { axis?: number }): Host {
  const list = Object.values(inputs);
  const at = mod(axis, list[0].shape.length + 1);
  const y = host(list[0].shape.toSpliced(at, 0, list.length));
  list.forEach((h, k) => everyIndex(h.shape, (i, flat) => (y.data[flatten(y.shape, i.toSpliced(at, 0, k))] = h.data[flat])));
  return y;
}

const pile = (id: string, axis: number | undefined, count: number, shape: Shape): Sample<{ axis?: number }> => ({
  id: `stack/${id}`,
  inputs: Object.fromEntries(Array.from({ length: count }, (_, i) => ["abcd"[i], { shape }])),
  args: axis === undefined ? {} : { axis },
});

const stackRow: Row<{ axis?: number }> = {
  name: "stack",
  tolerance,
  samples: [
    pile("first", undefined, 3, [2, 3]),
    pile("middle", 1, 2, [2, 3, 4]),
    pile("last", -1, 4, [3, 5]),
    pile("scalars", 0, 3, []),
    pile("one", 1, 1, [2, 3]),
    pile("empty", 0, 2, [0, 3]),
    pile("to-rank-6", 2, 2, [2, 1, 3, 2, 2]),
  ],
  run: (tensors, { axis }) => stack(Object.values(tensors), axis),
  reference: stackReference,
  differentiable: ["a", "b", "c", "d"],
  splits: true,
  half: ["a", "b", "c", "d"],
  flops: () => 0,
  bytes: (shapes) => 2 * bytesOf(...Object.values(shapes)),
  errors: [
    { id: "nothing", call: () => stack([]), error: ShapeError, message: /^stack: needs at least one tensor/ },
    {
      id: "shapes",
      call: (z) => stack([z([2, 3]), z([2, 3]), z([3, 2])]),
      error: ShapeError,
      message: /^stack: tensor 2 \[3, 2\] and tensor 0 \[2, 3\] differ/,
    },
    { id: "axis", call: (z) => stack([z([2]), z([2])], 2), error: ShapeError, message: /^stack: axis 2 is outside/ },
    {
      id: "dtypes",
      call: (z) => stack([z([2]), z([2], "u32")]),
      error: ConfigError,
      message: /^stack: tensors must be of one type/,
    },
  ],
};

interface SplitArgs {
  readonly sizes: number | readonly number[];
  readonly axis?: number;
  /** Which part the row returns. */
  readonly part: number;
}

const splitRow: Row<SplitArgs> = {
  name: "split",
  tolerance,
  samples: [
    { id: "split/sizes", inputs: { x: { shape: [2, 6, 3] } }, args: { sizes: [1, 3, 2], part: 1 } },
    { id: "split/even", inputs: { x: { shape: [2, 6, 3] } }, args: { sizes: 2, part: 2 } },
    { id: "split/rest", inputs: { x: { shape: [2, 7] } }, args: { sizes: 3, axis: -1, part: 2 } },
    { id: "split/one-part", inputs: { x: { shape: [5, 2] } }, args: { sizes: 9, axis: 0, part: 0 } },
    { id: "split/nothing", inputs: { x: { shape: [3, 4] } }, args: { sizes: [0, 4], part: 0 } },
    { id: "split/empty-axis", inputs: { x: { shape: [2, 0] } }, args: { sizes: 3, part: 0 } },
  ],
  run: ({ x }, { sizes, axis, part }) => {
    const parts = split(x, sizes, axis);
    parts.forEach((t, i) => i === part || t.dispose());
    return parts[part];
  },
  reference: ({ x }, { sizes, axis = 1, part }) => {
    const at = mod(axis, x.shape.length);
    const start = typeof sizes === "number" ? part * sizes : sizes.slice(0, part).reduce((a, b) => a + b, 0);
    const size = typeof sizes === "number" ? Math.min(sizes, x.shape[at] - start) : sizes[part];
    return mapped(x, x.shape.with(at, size), (i) => i.with(at, i[at] + start));
  },
  differentiable: ["x"],
  splits: true,
  half: ["x"],
  flops: () => 0,
  bytes: both,
  errors: [
    {
      id: "sum",
      call: (z) => split(z([2, 6]), [2, 3]),
      error: ShapeError,
      message: /^split: sizes \[2, 3\] must be integers .* add up to 6/,
    },
    { id: "negative", call: (z) => split(z([2, 6]), [-1, 7]), error: ShapeError, message: /^split: sizes \[-1, 7\]/ },
    {
      id: "zero",
      call: (z) => split(z([2, 6]), 0),
      error: ShapeError,
      message: /^split: the size of parts must be a positive integer/,
    },
    { id: "axis", call: (z) => split(z([2, 6]), 3, 2), error: ShapeError, message: /^split: axis 2 is outside/ },
  ],
};

const grow = (id: string, from: Shape, shape: Shape): Sample<{ shape: Shape }> => ({
  id: `expand/${id}`,
  inputs: { x: { shape: from } },
  args: { shape },
});

const expandRow: Row<{ shape: Shape }> = {
  name: "expand",
  tolerance: { forward: 0, gradient: 1e-6 }, // its gradient is a sum
  samples: [
    grow("last", [2, 1], [2, 5]),
    grow("inner-two", [2, 3, 1, 1], [2, 3, 4, 5]),
    grow("kept", [3, 1], [-1, 4]),
    grow("new-axes", [3], [2, 4, 3]),
    grow("scalar", [], [2, 3]),
    grow("same", [2, 3], [2, 3]),
    grow("rank-6", [1, 3, 1, 2, 1, 2], [2, 3, 2, 2, 3, 2]),
    grow("to-nothing", [1, 3], [0, 3]),
    grow("aligned", [2, 1, 8], [2, 3, 8]),
    grow("blocks", [2, 1, 4096], [2, 3, 4096]),
  ],
  run: ({ x }, { shape }) => expand(x, shape),
  reference: ({ x }, { shape }) => {
    const lead = shape.length - x.shape.length;
    const target = shape.map((d, i) => (d < 0 ? x.shape[i - lead] : d));
    return mapped(x, target, (at) => at.slice(lead).map((k, i) => (x.shape[i] === 1 ? 0 : k)));
  },
  differentiable: ["x"],
  splits: true,
  half: ["x"],
  flops: () => 0,
  bytes: ({ x }, { shape }) => bytesOf(x) + 4 * Math.abs(sizeOf(shape)),
  errors: [
    {
      id: "size",
      call: (z) => expand(z([2, 3]), [2, 6]),
      error: ShapeError,
      message: /^expand: \[2, 3\] does not expand to \[2, 6\]: only axes of size 1/,
    },
    { id: "rank", call: (z) => expand(z([2, 3]), [3]), error: ShapeError, message: /^expand: \[2, 3\] does not expand to \[3\]/ },
    { id: "new-open", call: (z) => expand(z([3]), [-1, 3]), error: ShapeError, message: /^expand: \[3\] does not expand/ },
  ],
};

export function flipReference({ x }: Hosts, { axes }: { axes: number | readonly number[] }): Host {
  const list = [axes].flat().map((a) => mod(a, x.shape.length));
  return mapped(x, x.shape, (at) => at.map((k, i) => (list.includes(i) ? x.shape[i] - 1 - k : k)));
}

const flipRow: Row<{ axes: number | readonly number[] }> = {
  name: "flip",
  tolerance,
  samples: [
    { id: "flip/last", inputs: { x: { shape: [2, 3, 5] } }, args: { axes: -1 } },
    { id: "flip/first", inputs: { x: { shape: [3, 8] } }, args: { axes: 0 } },
    { id: "flip/all", inputs: { x: { shape: [2, 3, 4] } }, args: { axes: [0, 1, 2] } },
    { id: "flip/none", inputs: { x: { shape: [2, 3] } }, args: { axes: [] } },
    { id: "flip/spatial-3d", inputs: { x: { shape: [1, 2, 4, 5, 6] } }, args: { axes: [2, -1] } },
    { id: "flip/rank-6", inputs: { x: { shape: [2, 3, 2, 2, 3, 2] } }, args: { axes: [1, 3, 4] } },
    { id: "flip/empty", inputs: { x: { shape: [2, 0, 3] } }, args: { axes: [1, 2] } },
    { id: "flip/blocks", inputs: { x: { shape: [3, 2, 4096] } }, args: { axes: 0 } },
    { id: "flip/i32", inputs: { x: { shape: [4, 3], values: index(99), dtype: "i32" } }, args: { axes: 1 } },
  ],
  run: ({ x }, { axes }) => flip(x, axes),
  reference: flipReference,
  differentiable: ["x"],
  splits: true,
  half: ["x"],
  flops: () => 0,
  bytes: both,
  errors: [
    { id: "axis", call: (z) => flip(z([2, 3]), 2), error: ShapeError, message: /^flip: axis 2 is outside/ },
    { id: "twice", call: (z) => flip(z([2, 3]), [1, -1]), error: ShapeError, message: /^flip: an axis is named twice/ },
  ],
};

interface TurnArgs {
  readonly k?: number;
  readonly axes?: readonly [number, number];
}

// One quarter: y[i, j] = x[j, n − 1 − i].
function quarter(x: Host, a: number, b: number): Host {
  const shape = x.shape.with(a, x.shape[b]).with(b, x.shape[a]);
  return mapped(x, shape, (at) => at.with(a, at[b]).with(b, x.shape[b] - 1 - at[a]));
}

const turn = (id: string, shape: Shape, args: TurnArgs): Sample<TurnArgs> => ({
  id: `rot90/${id}`,
  inputs: { x: { shape } },
  args,
});

const rot90Row: Row<TurnArgs> = {
  name: "rot90",
  tolerance,
  samples: [
    turn("once", [3, 5], {}),
    turn("twice", [3, 5], { k: 2 }),
    turn("three", [3, 5], { k: 3 }),
    turn("four", [3, 5], { k: 4 }),
    turn("back", [2, 3, 4, 5], { k: -1, axes: [2, 3] }),
    turn("other-order", [2, 3, 4, 5], { k: 1, axes: [3, 1] }),
    turn("negative-axes", [2, 3, 4], { k: 5, axes: [-1, 0] }),
    turn("empty", [0, 3], { k: 1 }),
    turn("rank-6", [2, 1, 3, 2, 2, 3], { k: 3, axes: [5, 2] }),
  ],
  run: ({ x }, { k, axes }) => rot90(x, k, axes),
  reference: ({ x }, { k = 1, axes = [0, 1] }) => {
    const [a, b] = axes.map((axis) => mod(axis, x.shape.length));
    let y = x;
    for (let i = 0; i < mod(k, 4); i++) y = quarter(y, a, b);
    return y;
  },
  differentiable: ["x"],
  splits: true,
  half: ["x"],
  flops: () => 0,
  bytes: both,
  errors: [
    {
      id: "same",
      call: (z) => rot90(z([2, 3]), 1, [1, -1]),
      error: ShapeError,
      message: /^rot90: needs two different axes, got \[1, -1\]/,
    },
    { id: "axis", call: (z) => rot90(z([2, 3]), 1, [0, 2]), error: ShapeError, message: /^rot90: axis 2 is outside/ },
    { id: "k", call: (z) => rot90(z([2, 3]), 0.5), error: ShapeError, message: /^rot90: k must be an integer, got 0.5/ },
  ],
};

export const rows = [squeezeRow, unsqueezeRow, stackRow, splitRow, expandRow, flipRow, rot90Row];
