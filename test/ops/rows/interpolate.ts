/** @file Row of interpolation. */

import { ConfigError, DTypeError, interpolate, type InterpolateOptions, ShapeError, sizeOf } from "../../../src/index.ts";
import { bytesOf, everyIndex, flatten, host, type Host, type Hosts, type Row, type Sample, type Shape } from "../../lib/row.ts";

type Args = InterpolateOptions;

const perAxis = (v: number | readonly number[] | undefined, i: number) => (typeof v === "object" ? v[i] : v);

function outShape(x: Shape, args: Args): number[] {
  return x.map((n, i) => (i < 2 ? n : (perAxis(args.size, i - 2) ?? Math.floor(n * perAxis(args.scaleFactor, i - 2)!))));
}

const hat = (d: number) => Math.max(0, 1 - Math.abs(d));

function cubic(d: number): number {
  const [a, x] = [-0.75, Math.abs(d)];
  if (x <= 1) return (a + 2) * x ** 3 - (a + 3) * x ** 2 + 1;
  return x < 2 ? a * x ** 3 - 5 * a * x ** 2 + 8 * a * x - 4 * a : 0;
}

/** Weights of all inputs of an axis for each output. */
function matrix({ mode = "nearest", alignCorners }: Args, n: number, out: number, factor: number | undefined): number[][] {
  const scale = factor === undefined ? n / out : 1 / factor;
  return Array.from({ length: out }, (_, o) => {
    const at = alignCorners ? (out > 1 ? (o * (n - 1)) / (out - 1) : 0) : (o + 0.5) * scale - 0.5;
    const row = new Array<number>(n).fill(0);
    if (mode === "nearest") row[Math.min(n - 1, Math.floor(o * scale))] = 1;
    else if (mode === "nearest-exact") row[Math.min(n - 1, Math.floor((o + 0.5) * scale))] = 1;
    else if (mode === "area") {
      const [start, end] = [Math.floor((o * n) / out), Math.ceil(((o + 1) * n) / out)];
      row.fill(1 / (end - start), start, end);
    } else if (mode === "bicubic") {
      for (let k = Math.floor(at) - 1; k <= Math.floor(at) + 2; k++) row[Math.min(n - 1, Math.max(0, k))] += cubic(at - k);
    } else {
      const inside = Math.min(n - 1, Math.max(0, at));
      row.forEach((_, k) => (row[k] = hat(inside - k)));
    }
    return row;
  });
}

function reference({ x }: Hosts, args: Args): Host {
  const y = host(outShape(x.shape, args));
  const maps = x.shape.slice(2).map((n, i) => matrix(args, n, y.shape[i + 2], perAxis(args.scaleFactor, i)));
  // Where the weights are, since most are 0.
  const places = maps.map((rows) => rows.map((row) => [...row.keys()].filter((k) => row[k] !== 0)));
  everyIndex(y.shape, (at, o) => {
    const lists = places.map((rows, i) => rows[at[i + 2]]);
    let sum = 0;
    everyIndex(
      lists.map((l) => l.length),
      (picked) => {
        const from = picked.map((p, i) => lists[i][p]);
        const weight = from.reduce((w, k, i) => w * maps[i][at[i + 2]][k], 1);
        sum += weight * x.data[flatten(x.shape, [at[0], at[1], ...from])];
      },
    );
    y.data[o] = sum;
  });
  return y;
}

const sample = (id: string, shape: Shape, args: Args): Sample<Args> => ({
  id: `interpolate/${id}`,
  inputs: { x: { shape } },
  args,
});

const row: Row<Args> = {
  name: "interpolate",
  samples: [
    sample("nearest-1d-double", [2, 3, 5], { scaleFactor: 2 }),
    sample("nearest-2d-smaller", [1, 2, 7, 9], { size: [3, 4] }),
    sample("nearest-3d-uneven", [1, 2, 3, 4, 5], { size: [5, 4, 7], mode: "nearest" }),
    sample("nearest-exact-2d", [1, 2, 5, 6], { size: [8, 4], mode: "nearest-exact" }),
    sample("linear-1d", [2, 3, 5], { size: 9, mode: "linear" }),
    sample("bilinear-2d-double", [1, 5, 4, 5], { scaleFactor: 2, mode: "bilinear" }),
    sample("bilinear-2d-smaller", [1, 2, 7, 9], { size: [3, 4], mode: "bilinear" }),
    sample("bilinear-2d-corners", [1, 2, 4, 5], { size: [7, 3], mode: "bilinear", alignCorners: true }),
    sample("bilinear-2d-to-one", [1, 2, 4, 5], { size: [1, 6], mode: "bilinear", alignCorners: true }),
    sample("bilinear-2d-from-one", [1, 2, 1, 5], { size: [3, 4], mode: "bilinear" }),
    sample("bilinear-2d-one-axis", [1, 9, 4, 5], { size: [4, 8], mode: "bilinear" }),
    sample("bilinear-2d-factor", [1, 2, 6, 5], { scaleFactor: [1.7, 0.7], mode: "bilinear" }),
    sample("trilinear-3d-double", [1, 2, 2, 3, 4], { scaleFactor: 2, mode: "trilinear" }),
    sample("trilinear-3d-corners", [2, 1, 3, 4, 3], { size: [5, 6, 4], mode: "trilinear", alignCorners: true }),
    sample("bicubic-2d", [1, 2, 4, 6], { size: [7, 5], mode: "bicubic" }),
    sample("bicubic-2d-corners", [1, 2, 4, 6], { size: [6, 11], mode: "bicubic", alignCorners: true }),
    sample("area-2d", [1, 2, 7, 9], { size: [3, 4], mode: "area" }),
    sample("area-3d-larger", [1, 2, 2, 3, 4], { size: [3, 5, 4], mode: "area" }),
    sample("same-size", [1, 2, 4, 5], { size: [4, 5], mode: "bilinear" }),
    sample("empty-batch", [0, 2, 4, 5], { size: [8, 9], mode: "bilinear" }),
    // More positions than a workgroup has threads, and planes that do not fill the last of them.
    sample("large", [1, 11, 20, 21], { scaleFactor: 2, mode: "bilinear" }),
  ],
  run: ({ x }, args) => interpolate(x, args),
  reference,
  differentiable: ["x"],
  splits: true,
  half: ["x"],
  flops: ({ x }, args) => sizeOf(outShape(x, args)) * 2 * (args.mode === "bicubic" ? 4 : 2) ** (x.length - 2),
  bytes: ({ x }, args) => bytesOf(x, outShape(x, args)),
  errors: [
    {
      id: "rank",
      call: (z) => interpolate(z([2, 3]), { size: 2 }),
      error: ShapeError,
      message: /^interpolate: input must be \[N, C, spatial…\]/,
    },
    {
      id: "mode-axes",
      call: (z) => interpolate(z([1, 1, 4, 4]), { size: 8, mode: "trilinear" }),
      error: ShapeError,
      message: /^interpolate: mode trilinear is for 3 spatial axes, the input \[1, 1, 4, 4\] has 2/,
    },
    {
      id: "mode",
      call: (z) => interpolate(z([1, 1, 4]), { size: 8, mode: "lanczos" as never }),
      error: ConfigError,
      message: /^interpolate: unknown mode "lanczos"; known are nearest/,
    },
    {
      id: "align",
      call: (z) => interpolate(z([1, 1, 4]), { size: 8, alignCorners: false }),
      error: ConfigError,
      message: /^interpolate: alignCorners has no meaning for mode nearest/,
    },
    {
      id: "both",
      call: (z) => interpolate(z([1, 1, 4]), { size: 8, scaleFactor: 2 }),
      error: ConfigError,
      message: /^interpolate: give either size or scaleFactor/,
    },
    {
      id: "too-small",
      call: (z) => interpolate(z([1, 1, 4]), { scaleFactor: 0.1 }),
      error: ShapeError,
      message: /^interpolate: scaleFactor \[0.1\] makes \[0\]/,
    },
    {
      id: "factors",
      call: (z) => interpolate(z([1, 1, 4]), { scaleFactor: [2, 2] }),
      error: ShapeError,
      message: /^interpolate: scaleFactor has 2 entries for 1 spatial axes/,
    },
    {
      id: "dtype",
      call: (z) => interpolate(z([1, 1, 4], "i32"), { size: 8 }),
      error: DTypeError,
      message: /^interpolate: input has type i32/,
    },
  ],
};

export const rows = [row];
