/** @file Rows of sum and mean. */

import { DTypeError, mean, ShapeError, sizeOf, sum } from "../../../src/index.ts";
import {
  bytesOf,
  type Host,
  type Hosts,
  normal,
  type Row,
  type Sample,
  type Shape,
  uniform,
  type Values,
} from "../../lib/row.ts";

interface ReduceArgs {
  readonly axes?: number | readonly number[];
  readonly keepDims?: boolean;
}

function axesOf(shape: Shape, axes: ReduceArgs["axes"]): number[] {
  if (axes === undefined) return shape.map((_, i) => i);
  return (typeof axes === "number" ? [axes] : axes).map((a) => (a < 0 ? a + shape.length : a));
}

/** Σ over `axes`, with sizes kept as 1 or dropped. */
export function sumReference({ x }: Hosts, { axes, keepDims = false }: ReduceArgs): Host {
  const list = axesOf(x.shape, axes);
  let { shape, data } = x;
  // One axis after the other, as if by nested loops.
  for (const axis of list) {
    const size = shape[axis];
    const inner = sizeOf(shape.slice(axis + 1));
    const outer = sizeOf(shape.slice(0, axis));
    const out = new Float64Array(outer * inner);
    for (let o = 0; o < outer; o++)
      for (let k = 0; k < size; k++) for (let i = 0; i < inner; i++) out[o * inner + i] += data[(o * size + k) * inner + i];
    shape = shape.with(axis, 1);
    data = out;
  }
  return { shape: keepDims ? shape : shape.filter((_, i) => !list.includes(i)), data: list.length > 0 ? data : data.slice() };
}

function meanReference(inputs: Hosts, args: ReduceArgs): Host {
  const y = sumReference(inputs, args);
  const terms = sizeOf(axesOf(inputs.x.shape, args.axes).map((a) => inputs.x.shape[a]));
  return { ...y, data: y.data.map((v) => v / terms) };
}

const five = [2, 3, 4, 5, 3];

// id, shape, axes, keepDims
const patterns: readonly [string, Shape, ReduceArgs["axes"], boolean?][] = [
  ["all", five, undefined],
  ["all-keep", five, undefined, true],
  ["none", five, []],
  ["first", five, 0],
  ["first-keep", five, [0], true],
  ["last", five, [-1]],
  ["last-keep", five, -1, true],
  ["middle", five, [2]],
  ["middle-two", five, [1, 2]],
  ["ends", five, [0, 4]],
  ["ends-keep", five, [0, -1], true],
  ["alternating-odd", five, [1, 3]],
  ["alternating-even", five, [4, 0, 2]],
  ["alternating-even-keep", five, [0, 2, 4], true],
  ["bias-gradient", five, [0, 2, 3, 4]],
  ["all-listed", five, [0, 1, 2, 3, 4]],
  ["rank-6-alternating", [2, 3, 2, 3, 2, 3], [1, 3, 5]],
  ["ones", [1, 1, 1], [1]],
  ["one-sizes", [1, 5, 1, 3, 1], [0, 2, 3]],
  ["scalar", [], undefined],
  ["scalar-element", [1], 0],
  // Between the two kernels: 64 terms are a thread's, more a workgroup's unless there are many outputs.
  ["64-terms", [3, 64], 1],
  ["65-terms", [3, 65], 1],
  ["65-terms-first", [65, 3], 0],
  ["66-terms-of-4096", [66, 4096], 0],
  ["513-terms", [513, 5], 0],
];

// Beyond 64 terms per lane, 2,048 on a software adapter and 16,384 on others, chunks are added in a second pass; later in a third.
const large: readonly [string, Shape, ReduceArgs["axes"]][] = [
  ["2048", [2048], undefined],
  ["2049", [2, 2049], 1],
  ["16384", [16384], undefined],
  ["16385", [16385], undefined],
  ["100k", [100_003], undefined],
  ["300k-last", [3, 100_001], 1],
  ["300k-first", [100_001, 3], 0],
  ["240k-middle", [2, 40_000, 3], 1],
  ["200k-two-runs", [40, 2, 50, 2, 25], [0, 2]],
  ["270k-three-runs", [30, 2, 40, 2, 57], [0, 2, 4]],
  ["1M", [1024, 1024], undefined],
  ["1.2M", [1_200_001], undefined],
];

function samples(op: string, big = large): Sample<ReduceArgs>[] {
  const values: Values = (random, i) => normal(random, i) + 0.5;
  return [
    ...patterns.map(([id, shape, axes, keepDims]) => ({
      id: `${op}/${id}`,
      inputs: { x: { shape, values } },
      args: { axes, ...(keepDims ? { keepDims } : {}) },
    })),
    // Uniform values do not cancel: rounding errors of one sign would add up.
    ...big.map(([id, shape, axes]) => ({ id: `${op}/${id}`, inputs: { x: { shape, values: uniform } }, args: { axes } })),
  ];
}

const sumRow: Row<ReduceArgs> = {
  name: "sum",
  samples: [...samples("sum"), { id: "sum/empty-axis", inputs: { x: { shape: [0, 3] } }, args: { axes: 0 } }],
  run: ({ x }, { axes, ...options }) => sum(x, axes, options),
  reference: sumReference,
  differentiable: ["x"],
  splits: true,
  half: "sums leave the range of f16",
  flops: ({ x }) => sizeOf(x),
  bytes: ({ x }) => bytesOf(x),
  errors: [
    { id: "axis", call: (z) => sum(z([2, 3]), [0, 2]), error: ShapeError, message: /^sum: axis 2 is outside \[-2, 2\)/ },
    { id: "twice", call: (z) => sum(z([2, 3]), [1, -1]), error: ShapeError, message: /^sum: an axis is named twice in \[1, 1\]/ },
    { id: "dtype", call: (z) => sum(z([2, 3], "i32")), error: DTypeError, message: /^sum: x has type i32, expected f32/ },
  ],
};

const meanRow: Row<ReduceArgs> = {
  ...sumRow,
  name: "mean",
  samples: samples("mean", large.slice(4, 7)),
  run: ({ x }, { axes, ...options }) => mean(x, axes, options),
  reference: meanReference,
  errors: [{ id: "axis", call: (z) => mean(z([2, 3]), -3), error: ShapeError, message: /^mean: axis -3 is outside \[-2, 2\)/ }],
};

export const rows = [sumRow, meanRow];
