/** @file Row of grid sampling. */

import { ConfigError, DTypeError, gridSample, type GridSampleOptions, ShapeError, sizeOf } from "../../../src/index.ts";
import {
  between,
  bytesOf,
  everyIndex,
  flatten,
  host,
  type Host,
  type Hosts,
  type Row,
  type Sample,
  type Shape,
} from "../../lib/row.ts";

type Args = GridSampleOptions;

/** Reflects at the border until the position is inside. */
function fold(v: number, n: number, { paddingMode = "zeros", alignCorners = false }: Args): number {
  if (paddingMode === "zeros") return v;
  if (paddingMode === "reflection") {
    const [low, high] = alignCorners ? [0, n - 1] : [-0.5, n - 0.5];
    if (low === high) return 0;
    while (v < low || v > high) v = v < low ? 2 * low - v : 2 * high - v;
  }
  return Math.min(n - 1, Math.max(0, v));
}

function cubic(d: number): number {
  const [a, x] = [-0.75, Math.abs(d)];
  if (x <= 1) return (a + 2) * x ** 3 - (a + 3) * x ** 2 + 1;
  return x < 2 ? a * x ** 3 - 5 * a * x ** 2 + 8 * a * x - 4 * a : 0;
}

/** Weights of all elements of an axis at a normalized position. */
function weights(g: number, n: number, args: Args): number[] {
  const at = args.alignCorners ? ((g + 1) / 2) * (n - 1) : ((g + 1) * n - 1) / 2;
  const row = new Array<number>(n).fill(0);
  if (args.mode === "bicubic") {
    for (let k = Math.floor(at) - 1; k <= Math.floor(at) + 2; k++) {
      const i = fold(k, n, args);
      if (i >= 0 && i < n) row[i] += cubic(at - k);
    }
    return row;
  }
  const inside = fold(at, n, args);
  if (args.mode === "nearest") {
    const i = Math.round(inside);
    if (i >= 0 && i < n) row[i] = 1;
    return row;
  }
  return row.map((_, i) => Math.max(0, 1 - Math.abs(inside - i)));
}

function reference({ x, grid }: Hosts, args: Args): Host {
  const size = x.shape.slice(2);
  const y = host([x.shape[0], x.shape[1], ...grid.shape.slice(1, -1)]);
  everyIndex(y.shape, (at, o) => {
    const g = flatten(grid.shape, [at[0], ...at.slice(2), 0]);
    const rows = size.map((n, i) => weights(grid.data[g + size.length - 1 - i], n, args));
    let sum = 0;
    everyIndex(size, (from) => {
      const weight = from.reduce((w, k, i) => w * rows[i][k], 1);
      if (weight !== 0) sum += weight * x.data[flatten(x.shape, [at[0], at[1], ...from])];
    });
    y.data[o] = sum;
  });
  return y;
}

const sample = (id: string, x: Shape, out: Shape, args: Args, reach = 1.4): Sample<Args> => ({
  id: `gridSample/${id}`,
  inputs: { x: { shape: x }, grid: { shape: [x[0], ...out, x.length - 2], values: between(-reach, reach) } },
  args,
});

const gridSampleRow: Row<Args> = {
  name: "gridSample",
  // A position is found in f32: an error of 1e-7 there becomes one of the size of the image in the weights.
  tolerance: { forward: 5e-6, gradient: 2e-5, floor: 1 },
  samples: [
    sample("2d", [2, 3, 5, 6], [4, 5], {}),
    sample("2d-align", [1, 2, 5, 6], [4, 5], { alignCorners: true }),
    sample("2d-border", [1, 2, 5, 6], [4, 5], { paddingMode: "border" }),
    sample("2d-reflection", [1, 2, 5, 6], [4, 5], { paddingMode: "reflection" }, 4),
    sample("2d-reflection-align", [1, 2, 5, 6], [4, 5], { paddingMode: "reflection", alignCorners: true }, 4),
    sample("2d-nearest", [1, 2, 5, 6], [4, 5], { mode: "nearest" }),
    sample("2d-nearest-border", [1, 2, 5, 6], [4, 5], { mode: "nearest", paddingMode: "border" }),
    sample("2d-bicubic", [1, 2, 5, 6], [4, 5], { mode: "bicubic" }),
    sample("2d-bicubic-border", [1, 2, 5, 6], [3, 4], { mode: "bicubic", paddingMode: "border", alignCorners: true }),
    sample("2d-bicubic-reflection", [1, 2, 5, 6], [3, 4], { mode: "bicubic", paddingMode: "reflection" }),
    sample("2d-one-row", [1, 2, 1, 6], [3, 4], { paddingMode: "reflection", alignCorners: true }),
    sample("2d-many-channels", [1, 9, 3, 4], [3, 4], {}),
    // Long lists in the gradient of the image: they must be added in order.
    sample("2d-crowded", [1, 2, 2, 2], [40, 40], { paddingMode: "border" }, 3),
    sample("3d", [2, 2, 3, 4, 5], [3, 2, 4], {}),
    sample("3d-border-align", [1, 2, 3, 4, 5], [3, 2, 4], { paddingMode: "border", alignCorners: true }),
    sample("3d-nearest-reflection", [1, 2, 3, 4, 5], [3, 2, 4], { mode: "nearest", paddingMode: "reflection" }, 3),
    sample("3d-reflection", [1, 1, 3, 4, 5], [3, 2, 4], { paddingMode: "reflection" }, 3),
    sample("empty-batch", [0, 2, 3, 4], [2, 2], {}),
  ],
  run: ({ x, grid }, args) => gridSample(x, grid, args),
  reference,
  differentiable: ["x", "grid"],
  splits: false,
  half: ["x"],
  flops: ({ x, grid }, args) => x[1] * (sizeOf(grid) / (x.length - 2)) * 2 * (args.mode === "bicubic" ? 4 : 2) ** (x.length - 2),
  bytes: ({ x, grid }) => bytesOf(x, grid) + (bytesOf(grid) * x[1]) / (x.length - 2),
  errors: [
    {
      id: "rank",
      call: (z) => gridSample(z([1, 1, 4]), z([1, 4, 1])),
      error: ShapeError,
      message: /^gridSample: input must be .* 2 or 3 spatial axes/,
    },
    {
      id: "grid",
      call: (z) => gridSample(z([1, 1, 4, 4]), z([1, 4, 4, 3])),
      error: ShapeError,
      message: /^gridSample: grid \[1, 4, 4, 3\] must be \[1, size, size, 2\] for the input \[1, 1, 4, 4\]/,
    },
    {
      id: "batch",
      call: (z) => gridSample(z([2, 1, 4, 4]), z([1, 4, 4, 2])),
      error: ShapeError,
      message: /^gridSample: grid .* must be \[2, size/,
    },
    {
      id: "bicubic-3d",
      call: (z) => gridSample(z([1, 1, 4, 4, 4]), z([1, 2, 2, 2, 3]), { mode: "bicubic" }),
      error: ShapeError,
      message: /^gridSample: mode bicubic is for 2 spatial axes/,
    },
    {
      id: "mode",
      call: (z) => gridSample(z([1, 1, 4, 4]), z([1, 2, 2, 2]), { mode: "linear" as never }),
      error: ConfigError,
      message: /^gridSample: unknown mode "linear"/,
    },
    {
      id: "padding",
      call: (z) => gridSample(z([1, 1, 4, 4]), z([1, 2, 2, 2]), { paddingMode: "wrap" as never }),
      error: ConfigError,
      message: /^gridSample: unknown paddingMode "wrap"/,
    },
    {
      id: "dtype",
      call: (z) => gridSample(z([1, 1, 4, 4], "i32"), z([1, 2, 2, 2])),
      error: DTypeError,
      message: /^gridSample: input has type i32/,
    },
  ],
};

export const rows = [gridSampleRow];
