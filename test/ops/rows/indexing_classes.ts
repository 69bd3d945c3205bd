/** @file Rows of argmax, argmin and one-hot; none has a gradient. */

import { argmax, argmin, DTypeError, oneHot, ShapeError, sizeOf } from "../../../src/index.ts";
import { bytesOf, cycle, everyIndex, flatten, host, type Host, type Hosts, index, type Row } from "../../lib/row.ts";

interface ArgArgs {
  readonly axis: number;
  readonly keepDims?: boolean;
}

function argReference({ x }: Hosts, { axis, keepDims = false }: ArgArgs, sign: 1 | -1): Host {
  const at = axis < 0 ? axis + x.shape.length : axis;
  const kept = x.shape.with(at, 1);
  const best = new Float64Array(sizeOf(kept)).fill(-Infinity);
  const y = host(kept);
  // Indices along the axis come in ascending order, so the first of equals stays.
  everyIndex(x.shape, (i, flat) => {
    const to = flatten(kept, i.with(at, 0));
    if (sign * x.data[flat] <= best[to]) return;
    best[to] = sign * x.data[flat];
    y.data[to] = i[at];
  });
  return keepDims ? y : { shape: x.shape.toSpliced(at, 1), data: y.data };
}

const argmaxRow: Row<ArgArgs> = {
  name: "argmax",
  tolerance: { forward: 0 },
  samples: [
    { id: "argmax/channels", inputs: { x: { shape: [2, 4, 5, 3] } }, args: { axis: 1 } },
    { id: "argmax/channels-keep", inputs: { x: { shape: [2, 4, 5, 3] } }, args: { axis: 1, keepDims: true } },
    { id: "argmax/last", inputs: { x: { shape: [3, 7] } }, args: { axis: -1 } },
    { id: "argmax/first", inputs: { x: { shape: [5, 2, 3] } }, args: { axis: 0 } },
    { id: "argmax/vector", inputs: { x: { shape: [9] } }, args: { axis: 0 } },
    { id: "argmax/ties", inputs: { x: { shape: [3, 6, 8], values: index(3) } }, args: { axis: 1 } },
    { id: "argmax/all-negative", inputs: { x: { shape: [2, 3, 4], values: cycle(-1e30, -5, -7, -5, -1e4) } }, args: { axis: 1 } },
    { id: "argmax/one", inputs: { x: { shape: [2, 1, 4] } }, args: { axis: 1 } },
    { id: "argmax/volume", inputs: { x: { shape: [1, 3, 20, 21, 22] } }, args: { axis: 1, keepDims: true } },
  ],
  run: ({ x }, { axis, keepDims }) => argmax(x, axis, { keepDims }),
  reference: (hosts, args) => argReference(hosts, args, 1),
  differentiable: [],
  splits: true,
  half: "ties move with the rounding of the input",
  flops: ({ x }) => sizeOf(x),
  bytes: ({ x }, { axis }) => bytesOf(x, x.with(axis, 1)),
  errors: [
    { id: "axis", call: (z) => argmax(z([2, 3]), 2), error: ShapeError, message: /^argmax: axis 2 is outside/ },
    { id: "empty", call: (z) => argmax(z([2, 0]), 1), error: ShapeError, message: /^argmax: axis 1 of \[2, 0\] is empty/ },
    {
      id: "dtype",
      call: (z) => argmax(z([2, 3], "i32"), 1),
      error: DTypeError,
      message: /^argmax: input has type i32, expected f32/,
    },
  ],
};

const argminRow: Row<ArgArgs> = {
  ...argmaxRow,
  name: "argmin",
  samples: [
    { id: "argmin/channels", inputs: { x: { shape: [2, 4, 5, 3] } }, args: { axis: 1 } },
    { id: "argmin/last-keep", inputs: { x: { shape: [3, 7] } }, args: { axis: -1, keepDims: true } },
    { id: "argmin/ties", inputs: { x: { shape: [3, 6, 8], values: index(3) } }, args: { axis: 1 } },
  ],
  run: ({ x }, { axis, keepDims }) => argmin(x, axis, { keepDims }),
  reference: (hosts, args) => argReference(hosts, args, -1),
  errors: [
    { id: "empty", call: (z) => argmin(z([2, 0]), 1), error: ShapeError, message: /^argmin: axis 1 of \[2, 0\] is empty/ },
  ],
};

interface OneHotArgs {
  readonly classes: number;
  readonly ignoreIndex?: number;
}

function oneHotReference({ index }: Hosts, { classes, ignoreIndex }: OneHotArgs): Host {
  const y = host([index.shape[0], classes, ...index.shape.slice(2)]);
  everyIndex(index.shape, (at, flat) => {
    const k = index.data[flat];
    if (k >= 0 && k < classes && k !== ignoreIndex) y.data[flatten(y.shape, at.with(1, k))] = 1;
  });
  return y;
}

const oneHotRow: Row<OneHotArgs> = {
  name: "oneHot",
  tolerance: { forward: 0 },
  samples: [
    { id: "oneHot/f32", inputs: { index: { shape: [2, 1, 4, 5], values: index(4) } }, args: { classes: 4 } },
    { id: "oneHot/i32", inputs: { index: { shape: [2, 1, 4, 5], values: index(3), dtype: "i32" } }, args: { classes: 3 } },
    { id: "oneHot/u32", inputs: { index: { shape: [1, 1, 3, 3, 2], values: index(5), dtype: "u32" } }, args: { classes: 5 } },
    {
      id: "oneHot/outside",
      inputs: { index: { shape: [1, 1, 9], values: cycle(0, 255, 1, 2), dtype: "i32" } },
      args: { classes: 3, ignoreIndex: 255 },
    },
    {
      id: "oneHot/outside-f32",
      inputs: { index: { shape: [1, 1, 9], values: cycle(0, -1, 2, 1) } },
      args: { classes: 3, ignoreIndex: -1 },
    },
    {
      id: "oneHot/ignored-class",
      inputs: { index: { shape: [2, 1, 7], values: cycle(0, 1, 2, 1), dtype: "i32" } },
      args: { classes: 3, ignoreIndex: 1 },
    },
    { id: "oneHot/no-spatial", inputs: { index: { shape: [6, 1], values: index(2) } }, args: { classes: 2 } },
    { id: "oneHot/one-class", inputs: { index: { shape: [2, 1, 3], values: () => 0 } }, args: { classes: 1 } },
  ],
  run: ({ index }, { classes, ...options }) => oneHot(index, classes, options),
  reference: oneHotReference,
  differentiable: [],
  splits: true,
  half: "indices are no activations",
  flops: () => 0,
  bytes: ({ index }, { classes }) => (1 + classes) * bytesOf(index),
  errors: [
    {
      id: "channels",
      call: (z) => oneHot(z([2, 3, 4]), 3),
      error: ShapeError,
      message: /^oneHot: the index must be \[N, 1, spatial…\], got \[2, 3, 4\]/,
    },
    { id: "rank", call: (z) => oneHot(z([4]), 3), error: ShapeError, message: /^oneHot: the index must be/ },
    {
      id: "classes",
      call: (z) => oneHot(z([2, 1, 4]), 0),
      error: ShapeError,
      message: /^oneHot: classes must be a positive integer, got 0/,
    },
  ],
};

export const rows = [argmaxRow, argminRow, oneHotRow];
