/** @file Rows of the matrix product and the linear map. */

import { DTypeError, linear, matmul, ShapeError, sizeOf, type Tensor } from "../../../src/index.ts";
import { matmul as matmulKernel, matmulShape, type MatmulOptions, type MatmulVariant } from "../../../src/kernels/matmul.ts";
import {
  bytesOf,
  everyIndex,
  flatten,
  host,
  type Host,
  type Hosts,
  type InputSpec,
  type Row,
  type Shape,
  type Shapes,
} from "../../lib/row.ts";

interface MatmulArgs extends MatmulOptions {
  /** Forces a variant of the kernel. */
  readonly variant?: MatmulVariant;
}

function swap({ shape, data }: Host): Host {
  const [rows, columns] = shape.slice(-2);
  const swapped = [...shape.slice(0, -2), columns, rows];
  const out = host(swapped);
  everyIndex(swapped, (at, flat) => (out.data[flat] = data[flatten(shape, [...at.slice(0, -2), at.at(-1)!, at.at(-2)!])]));
  return out;
}

/** y[…, m, n] = Σ a[…, m, k] · b[…, k, n], broadcasting what precedes the last two axes; a vector's missing axis leaves the result. */
export function matmulReference({ a, b }: Hosts, { transposeA = false, transposeB = false }: MatmulArgs): Host {
  if (a.shape.length === 1) {
    const y = matmulReference({ a: host([1, a.data.length], a.data), b }, { transposeB });
    return host(b.shape.length === 1 ? [] : y.shape.toSpliced(-2, 1), y.data);
  }
  if (b.shape.length === 1) {
    const y = matmulReference({ a, b: host([b.data.length, 1], b.data) }, { transposeA });
    return host(y.shape.slice(0, -1), y.data);
  }
  const [l, r] = [transposeA ? swap(a) : a, transposeB ? swap(b) : b];
  const rank = Math.max(l.shape.length, r.shape.length);
  const batchOf = (shape: Shape) => [...new Array<number>(rank - shape.length).fill(1), ...shape.slice(0, -2)];
  const [lb, rb] = [batchOf(l.shape), batchOf(r.shape)];
  const batch = lb.map((d, i) => (d === 1 ? rb[i] : d));
  const y = host([...batch, l.shape.at(-2)!, r.shape.at(-1)!]);
  const inner = l.shape.at(-1)!;
  const [lFull, rFull] = [
    [...lb, ...l.shape.slice(-2)],
    [...rb, ...r.shape.slice(-2)],
  ];
  everyIndex(y.shape, (at, flat) => {
    const [m, n] = at.slice(-2);
    const inside = (sizes: Shape) => sizes.map((d, i) => (d === 1 ? 0 : at[i]));
    const from = flatten(lFull, [...inside(lb), m, 0]);
    const to = flatten(rFull, [...inside(rb), 0, n]);
    let sum = 0;
    for (let k = 0; k < inner; k++) sum += l.data[from + k] * r.data[to + k * r.shape.at(-1)!];
    y.data[flat] = sum;
  });
  return y;
}

const m = (id: string, a: Shape, b: Shape, args: MatmulArgs = {}) => ({
  id: `matmul/${id}`,
  inputs: { a: { shape: a }, b: { shape: b } },
  args,
});

const outShape = ({ a, b }: Shapes, args: MatmulArgs): Shape =>
  a.length < 2 || b.length < 2 ? [1] : matmulShape("matmul", a, b, args).outShape;

const innerOf = ({ a }: Shapes, { transposeA }: MatmulArgs): number => (transposeA ? a.at(-2)! : a.at(-1)!);

const matmulRow: Row<MatmulArgs> = {
  name: "matmul",
  samples: [
    m("2d", [5, 7], [7, 6]),
    m("one-by-one", [1, 1], [1, 1]),
    m("one-row", [1, 9], [9, 33]),
    m("three-rows", [3, 9], [9, 5]),
    m("one-column", [9, 4], [4, 1]),
    m("whole-tiles", [16, 8], [8, 64]),
    m("many-tiles", [33, 20], [20, 130]),
    m("transpose-a", [7, 5], [7, 6], { transposeA: true }),
    m("transpose-b", [5, 7], [6, 7], { transposeB: true }),
    m("transpose-both", [7, 5], [6, 7], { transposeA: true, transposeB: true }),
    m("batch", [3, 4, 5], [3, 5, 6]),
    m("batch-transpose-b", [2, 3, 4, 5], [2, 3, 6, 5], { transposeB: true }),
    m("batch-transpose-a", [2, 5, 4], [2, 5, 6], { transposeA: true }),
    m("batch-times-matrix", [2, 3, 4, 5], [5, 6]),
    m("batch-times-matrix-transposed", [2, 3, 4, 5], [6, 5], { transposeB: true }),
    m("batch-transposed-times-matrix", [2, 3, 5, 4], [5, 6], { transposeA: true }),
    m("matrix-times-batch", [4, 5], [2, 3, 5, 6]),
    m("broadcast-a", [1, 3, 4, 5], [2, 1, 5, 6]),
    m("broadcast-ranks", [3, 4, 5], [2, 1, 5, 3]),
    m("broadcast-4-axes", [2, 1, 2, 1, 3, 4], [1, 2, 1, 3, 4, 2]),
    m("vector-vector", [11], [11]),
    m("vector-matrix", [4], [4, 5]),
    m("matrix-vector", [5, 4], [4]),
    m("vector-batch", [4], [3, 4, 5]),
    m("batch-vector", [3, 5, 4], [4]),
    m("empty-batch", [0, 3, 4], [4, 5]),
    m("empty-inner", [3, 0], [0, 5]),
    m("empty-rows", [0, 4], [4, 5]),
    // Slabs of terms for few results, and for the accuracy of long sums.
    m("long-inner", [3, 9001], [9001, 4]),
    m("long-inner-batch", [2, 3, 1500], [2, 1500, 4]),
  ],
  run: ({ a, b }, { variant, ...options }) => {
    if (variant === undefined) return matmul(a, b, options);
    return matmulKernel("matmul", a, b, undefined, matmulShape("matmul", a.shape, b.shape, options), variant);
  },
  reference: matmulReference,
  differentiable: ["a", "b"],
  splits: true,
  half: ["a", "b"],
  flops: (shapes, args) => 2 * sizeOf(outShape(shapes, args)) * innerOf(shapes, args),
  bytes: (shapes, args) => bytesOf(shapes.a, shapes.b, outShape(shapes, args)),
  errors: [
    {
      id: "inner",
      call: (z) => matmul(z([2, 3]), z([4, 2])),
      error: ShapeError,
      message: /^matmul: \[2, 3\] has 3 entries along the axis that is summed, \[4, 2\] has 4/,
    },
    {
      id: "batch",
      call: (z) => matmul(z([2, 3, 3]), z([3, 3, 3])),
      error: ShapeError,
      message: /^matmul: shapes \[2\] and \[3\] do not broadcast/,
    },
    {
      id: "scalar",
      call: (z) => matmul(z([]), z([3])),
      error: ShapeError,
      message: /^matmul: expected vectors or matrices, got \[\]/,
    },
    {
      id: "batch-axes",
      call: (z) => matmul(z([2, 1, 2, 1, 2, 3, 4]), z([1, 2, 1, 2, 1, 4, 2])),
      error: ShapeError,
      message: /^matmul: .* broadcast over more than 4 batch axes/,
    },
    {
      id: "dtype",
      call: (z) => matmul(z([2, 2]), z([2, 2], "i32")),
      error: DTypeError,
      message: /^matmul: b has type i32, expected f32/,
    },
  ],
};

/** Both variants of the kernel on any device. */
const variants: Row<MatmulArgs> = {
  ...matmulRow,
  samples: (["registers", "tile 64x64"] as const).flatMap((variant) => [
    m(`${variant.replace(" ", "-")}-many-tiles`, [130, 35], [35, 70], { variant }),
    m(`${variant.replace(" ", "-")}-transpose-a`, [35, 66], [35, 67], { variant, transposeA: true }),
    m(`${variant.replace(" ", "-")}-transpose-b`, [66, 35], [67, 35], { variant, transposeB: true }),
    m(`${variant.replace(" ", "-")}-batch`, [3, 5, 17], [3, 17, 9], { variant }),
    m(`${variant.replace(" ", "-")}-broadcast`, [2, 1, 5, 6], [1, 3, 6, 4], { variant }),
    m(`${variant.replace(" ", "-")}-long-inner`, [3, 9001], [9001, 4], { variant }),
  ]),
  differentiable: [],
  splits: true,
  half: "a kernel by name, for f32",
  errors: [],
};

interface LinearArgs {
  readonly none?: undefined;
}

const l = (id: string, x: Shape, weight: Shape, bias: boolean) => {
  const inputs: Record<string, InputSpec> = { x: { shape: x }, weight: { shape: weight } };
  return { id: `linear/${id}`, inputs: bias ? { ...inputs, bias: { shape: [weight[0]] } } : inputs, args: {} };
};

const linearRow: Row<LinearArgs> = {
  name: "linear",
  samples: [
    l("2d", [4, 5], [3, 5], true),
    l("no-bias", [4, 5], [3, 5], false),
    l("vector", [5], [3, 5], true),
    l("tokens", [2, 3, 7, 9], [12, 9], true),
    l("many-tiles", [2, 40, 33], [70, 33], true),
    l("one-feature", [9, 1], [1, 1], true),
    l("empty-batch", [0, 5], [3, 5], true),
    // Slabs: the bias is added once.
    l("long-features", [2, 9001], [3, 9001], true),
    l("many-rows", [3000, 6], [4, 6], true),
  ],
  run: ({ x, weight, bias }: Record<string, Tensor>) => linear(x, weight, bias),
  reference: ({ x, weight, bias }) => {
    const y = matmulReference({ a: host([1, ...x.shape], x.data), b: weight }, { transposeB: true });
    return host(
      [...x.shape.slice(0, -1), weight.shape[0]],
      bias ? y.data.map((v, i) => v + bias.data[i % bias.data.length]) : y.data,
    );
  },
  differentiable: ["x", "weight", "bias"],
  splits: true,
  half: ["x"],
  flops: ({ x, weight }) => 2 * sizeOf(x) * weight[0],
  bytes: ({ x, weight, ...rest }) => bytesOf(x, weight, ...Object.values(rest), [...x.slice(0, -1), weight[0]]),
  errors: [
    {
      id: "weight",
      call: (z) => linear(z([2, 3]), z([3])),
      error: ShapeError,
      message: /^linear: weight \[3\] must be \[out, in\]/,
    },
    {
      id: "features",
      call: (z) => linear(z([2, 3]), z([5, 4])),
      error: ShapeError,
      message: /^linear: input \[2, 3\] must be \[…, 4\] for a weight \[5, 4\]/,
    },
    {
      id: "bias",
      call: (z) => linear(z([2, 3]), z([5, 3]), z([3])),
      error: ShapeError,
      message: /^linear: bias \[3\] must be \[5\]/,
    },
    { id: "dtype", call: (z) => linear(z([2, 3], "i32"), z([5, 3])), error: DTypeError, message: /has type i32, expected f32/ },
  ],
};

export const rows = [matmulRow, variants, linearRow];
