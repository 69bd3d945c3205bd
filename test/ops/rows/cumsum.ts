/** @file Row of running sums. */

import { cumsum, DTypeError, ShapeError, sizeOf } from "../../../src/index.ts";
import { bytesOf, everyIndex, flatten, host, type Host, type Hosts, type Row, uniform } from "../../lib/row.ts";

export function cumsumReference({ x }: Hosts, { axis }: { axis: number }): Host {
  const at = axis < 0 ? axis + x.shape.length : axis;
  const y = host(x.shape, x.data.slice());
  // In order of the index, so what comes before along the axis is done.
  everyIndex(x.shape, (i, flat) => {
    if (i[at] > 0) y.data[flat] += y.data[flatten(x.shape, i.with(at, i[at] - 1))];
  });
  return y;
}

const row: Row<{ axis: number }> = {
  name: "cumsum",
  tolerance: { forward: 1e-6 },
  samples: [
    { id: "cumsum/last", inputs: { x: { shape: [3, 5] } }, args: { axis: -1 } },
    { id: "cumsum/first", inputs: { x: { shape: [5, 3] } }, args: { axis: 0 } },
    { id: "cumsum/middle", inputs: { x: { shape: [2, 7, 3] } }, args: { axis: 1 } },
    { id: "cumsum/one", inputs: { x: { shape: [2, 1, 3] } }, args: { axis: 1 } },
    { id: "cumsum/one-block", inputs: { x: { shape: [2, 64] } }, args: { axis: 1 } },
    { id: "cumsum/one-more", inputs: { x: { shape: [2, 65, 2] } }, args: { axis: 1 } },
    { id: "cumsum/two-levels", inputs: { x: { shape: [1, 300, 2] } }, args: { axis: 1 } },
    { id: "cumsum/three-levels", inputs: { x: { shape: [5000, 2], values: uniform } }, args: { axis: 0 } },
    // A sum carried along in f32 is off by 1e-4 here.
    { id: "cumsum/long", inputs: { x: { shape: [300_000], values: uniform } }, args: { axis: 0 } },
    { id: "cumsum/empty", inputs: { x: { shape: [2, 0, 3] } }, args: { axis: 1 } },
    { id: "cumsum/rank-6", inputs: { x: { shape: [2, 2, 1, 5, 2, 3] } }, args: { axis: 3 } },
  ],
  run: ({ x }, { axis }) => cumsum(x, axis),
  reference: cumsumReference,
  differentiable: ["x"],
  splits: true,
  half: "sums leave the range of f16",
  flops: ({ x }) => sizeOf(x),
  bytes: ({ x }) => 2 * bytesOf(x),
  errors: [
    { id: "axis", call: (z) => cumsum(z([2, 3]), 2), error: ShapeError, message: /^cumsum: axis 2 is outside/ },
    {
      id: "dtype",
      call: (z) => cumsum(z([3], "i32"), 0),
      error: DTypeError,
      message: /^cumsum: input has type i32, expected f32/,
    },
  ],
};

export const rows = [row];
