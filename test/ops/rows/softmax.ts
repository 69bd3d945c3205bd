/** @file Rows of softmax and its logarithm. */

import { DTypeError, logSoftmax, ShapeError, sizeOf, softmax } from "../../../src/index.ts";
import {
  bytesOf,
  cycle,
  host,
  type Host,
  type Hosts,
  normal,
  type Row,
  type Sample,
  type Shape,
  type Values,
} from "../../lib/row.ts";

interface SoftmaxArgs {
  readonly axis?: number;
}

/** Each run of elements along one axis, by their places. */
function everyRow(
  { shape, data }: Host,
  axis: number,
  visit: (places: readonly number[], top: number, total: number) => void,
): void {
  const at = axis < 0 ? axis + shape.length : axis;
  const stride = sizeOf(shape.slice(at + 1));
  for (let start = 0; start < data.length; start++) {
    if (Math.floor(start / stride) % shape[at] !== 0) continue;
    const places = Array.from({ length: shape[at] }, (_, k) => start + k * stride);
    const top = Math.max(...places.map((i) => data[i]));
    visit(
      places,
      top,
      places.reduce((sum, i) => sum + Math.exp(data[i] - top), 0),
    );
  }
}

/** exp(x − max) / Σ exp(x − max) along one axis. */
export function softmaxReference({ x }: Hosts, { axis = 1 }: SoftmaxArgs): Host {
  const y = host(x.shape);
  everyRow(x, axis, (places, top, total) => places.forEach((i) => (y.data[i] = Math.exp(x.data[i] - top) / total)));
  return y;
}

/** x − max − log Σ exp(x − max) along one axis. */
function logSoftmaxReference({ x }: Hosts, { axis = 1 }: SoftmaxArgs): Host {
  const y = host(x.shape);
  everyRow(x, axis, (places, top, total) => places.forEach((i) => (y.data[i] = x.data[i] - top - Math.log(total))));
  return y;
}

const logits: Values = (random, i) => 3 * normal(random, i);

const sample = (id: string, shape: Shape, args: SoftmaxArgs, values = logits): Sample<SoftmaxArgs> => ({
  id: `softmax/${id}`,
  inputs: { x: { shape, values } },
  args,
});

const row: Row<SoftmaxArgs> = {
  name: "softmax",
  // Gradients of rows that one class wins vanish against dy: the scale of errors is that of dy · y.
  tolerance: { floor: 0.5 },
  samples: [
    sample("channels", [2, 3, 4, 5], {}),
    sample("first-axis", [3, 2, 5], { axis: 0 }),
    sample("last-axis", [3, 7], { axis: -1 }),
    sample("middle-axis", [2, 3, 4, 2], { axis: 2 }),
    sample("3d", [1, 4, 2, 3, 2], { axis: 1 }),
    sample("vector", [6], { axis: 0 }),
    sample("one-class", [2, 1, 3], {}),
    sample("many-classes", [2, 105, 3], {}),
    { ...sample("extreme", [3, 3, 2], {}, cycle(1e4, -1e4, 0, 1e4, -1e4, 80, 90, -100, -9999.5, 9999.5)), half: false },
    { ...sample("extreme-negative", [2, 3], {}, cycle(-1e4, -9999, -1e4, -3e4, -3e4)), half: false },
    sample("equal", [2, 4, 2], {}, () => 1e4),
  ],
  run: ({ x }, { axis }) => softmax(x, axis),
  reference: softmaxReference,
  differentiable: ["x"],
  splits: true,
  half: ["x"],
  flops: ({ x }) => 4 * sizeOf(x),
  bytes: ({ x }) => 2 * bytesOf(x),
  errors: [
    {
      id: "axis",
      call: (z) => softmax(z([2, 3]), 2),
      error: ShapeError,
      message: /^softmax: axis 2 is outside \[-2, 2\) of a tensor of rank 2/,
    },
    { id: "axis-fraction", call: (z) => softmax(z([2, 3]), 0.5), error: ShapeError, message: /^softmax: axis 0.5/ },
    {
      id: "dtype",
      call: (z) => softmax(z([2, 3], "i32")),
      error: DTypeError,
      message: /^softmax: input has type i32, expected f32/,
    },
  ],
};

const logRow: Row<SoftmaxArgs> = {
  ...row,
  name: "logSoftmax",
  tolerance: { floor: 1 },
  samples: [
    ...row.samples.map((s) => ({ ...s, id: s.id.replace("softmax", "logSoftmax") })),
    sample("sure", [3, 2], {}, cycle(20, 0, -40, 0, 80, 0)),
  ].map((s) => ({ ...s, id: s.id.replace("softmax/sure", "logSoftmax/sure") })),
  run: ({ x }, { axis }) => logSoftmax(x, axis),
  reference: logSoftmaxReference,
  errors: [
    { id: "axis", call: (z) => logSoftmax(z([2, 3]), -3), error: ShapeError, message: /^logSoftmax: axis -3 is outside/ },
    { id: "dtype", call: (z) => logSoftmax(z([2, 3], "i32")), error: DTypeError, message: /^logSoftmax: input has type i32/ },
  ],
};

export const rows = [row, logRow];
