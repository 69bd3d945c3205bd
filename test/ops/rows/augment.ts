/** @file Rows of augmentation on the device: where voxels are taken from. */

import { ConfigError, ShapeError, splineField, sizeOf, warp, type WarpOptions } from "../../../src/index.ts";
import {
  between,
  bytesOf,
  cycle,
  everyIndex,
  flatten,
  host,
  type Host,
  type Hosts,
  type Row,
  type Sample,
  type Shape,
  type Values,
} from "../../lib/row.ts";

type WarpArgs = Omit<WarpOptions, "displacement" | "knots">;

function inside(v: number, n: number, mode: WarpArgs["paddingMode"]): number {
  if (mode === "reflection") while (v < -0.5 || v > n - 0.5) v = v < -0.5 ? -1 - v : 2 * n - 1 - v;
  return mode === undefined || mode === "zeros" ? v : Math.min(n - 1, Math.max(0, v));
}

/** To the nearest whole number; halves to the even one. */
export const roundEven = (v: number): number => (Math.abs(v % 1) === 0.5 ? 2 * Math.round(v / 2) : Math.round(v));

/** Value of the four uniform cubic B-splines around a position between knots. */
function spline(t: number): number[] {
  return [(1 - t) ** 3, 3 * t ** 3 - 6 * t * t + 4, -3 * t ** 3 + 3 * t * t + 3 * t + 1, t ** 3].map((v) => v / 6);
}

interface FieldArgs {
  readonly size: Shape;
}

function splined({ knots }: Hosts, { size }: FieldArgs): Host {
  const y = host([knots.shape[0], knots.shape[1], ...size]);
  everyIndex(y.shape, ([n, c, ...o], flat) => (y.data[flat] = splineAt(knots, n, c, o, size)));
  return y;
}

function splineAt(field: Host, n: number, axis: number, o: readonly number[], size: Shape): number {
  const knots = field.shape.slice(2);
  const along = o.map((v, a) => {
    const u = size[a] > 1 ? (v / (size[a] - 1)) * (knots[a] - 3) : 0;
    const first = Math.min(Math.floor(u), knots[a] - 4);
    return { first, weights: spline(u - first) };
  });
  let sum = 0;
  everyIndex(
    along.map(() => 4),
    (k) => {
      const weight = k.reduce((w, j, a) => w * along[a].weights[j], 1);
      sum += weight * field.data[flatten(field.shape, [n, axis, ...k.map((j, a) => along[a].first + j)])];
    },
  );
  return sum;
}

function warped({ x, matrix, displacement: field, knots }: Hosts, args: WarpArgs): Host {
  const spatial = x.shape.slice(2);
  const size = args.size ?? spatial;
  const displacement = knots ? splined({ knots }, { size }) : field;
  const y = host([x.shape[0], x.shape[1], ...size]);
  everyIndex(y.shape, ([n, c, ...o], flat) => {
    const at = spatial.map((count, axis) => {
      let v = matrix.data[flatten(matrix.shape, [n, axis, o.length])];
      for (let k = 0; k < o.length; k++) v += matrix.data[flatten(matrix.shape, [n, axis, k])] * o[k];
      if (displacement) v += displacement.data[flatten(displacement.shape, [n, axis, ...o])];
      v = inside(v, count, args.paddingMode);
      return args.mode === "nearest" ? roundEven(v) : v;
    });
    let sum = 0;
    everyIndex(
      spatial.map(() => 2),
      (corner) => {
        const from = at.map((v, a) => Math.floor(v) + corner[a]);
        const weight = at.reduce((w, v, a) => w * Math.max(0, 1 - Math.abs(v - from[a])), 1);
        if (weight > 0 && from.every((k, a) => k >= 0 && k < spatial[a]))
          sum += weight * x.data[flatten(x.shape, [n, c, ...from])];
      },
    );
    y.data[flat] = sum;
  });
  return y;
}

// Near the identity, with a shift that leaves the image at some places.
const near =
  (axes: number): Values =>
  (random, i) => {
    const [row, column] = [Math.floor(i / (axes + 1)) % axes, i % (axes + 1)];
    return column === axes ? 2 * random() - 1 : (row === column ? 1 : 0) + 0.4 * (random() - 0.5);
  };

const warpSample = (
  id: string,
  x: Shape,
  args: WarpArgs,
  elastic: boolean | Shape = false,
  matrix: Values = near(x.length - 2),
): Sample<WarpArgs> => ({
  id: `warp/${id}`,
  inputs: {
    x: { shape: x },
    matrix: { shape: [x[0], x.length - 2, x.length - 1], values: matrix },
    ...(Array.isArray(elastic) && { knots: { shape: [x[0], x.length - 2, ...elastic], values: between(-1.5, 1.5) } }),
    ...(elastic === true && {
      displacement: { shape: [x[0], x.length - 2, ...(args.size ?? x.slice(2))], values: between(-1.5, 1.5) },
    }),
  },
  args,
});

const half = "takes f32 only";

export const rows: Row<any>[] = [
  {
    name: "warp",
    // A position is found in f32.
    tolerance: { forward: 5e-6, floor: 1 },
    samples: [
      warpSample("1d", [2, 2, 9], {}),
      warpSample("2d", [2, 3, 6, 7], {}),
      warpSample("2d-size", [2, 1, 6, 7], { size: [3, 9], paddingMode: "border" }),
      warpSample("2d-elastic", [2, 2, 8, 9], { paddingMode: "reflection" }, true),
      warpSample("2d-nearest", [1, 2, 6, 7], { mode: "nearest" }),
      warpSample("3d", [2, 2, 4, 5, 6], {}),
      warpSample("3d-nearest-border", [1, 2, 4, 5, 6], { mode: "nearest", paddingMode: "border" }),
      warpSample("3d-reflection", [1, 1, 4, 5, 6], { paddingMode: "reflection" }),
      warpSample("3d-elastic", [2, 1, 5, 6, 7], {}, true),
      warpSample("1d-knots", [2, 2, 9], {}, [5]),
      warpSample("2d-knots", [2, 2, 8, 9], { paddingMode: "border" }, [6, 4]),
      warpSample("2d-knots-nearest", [2, 1, 8, 9], { mode: "nearest", size: [11, 5] }, [4, 7]),
      // More rows than a thread of a software adapter has, more stretches than rows.
      warpSample("2d-knots-tall", [1, 1, 40, 3], { size: [150, 3] }, [9, 4], cycle(0.25, 0, 1, 0, 1, 0.25)),
      warpSample("3d-knots", [2, 2, 5, 6, 7], { size: [4, 7, 5] }, [4, 12, 5]),
      warpSample("3d-knots-one-row", [1, 1, 4, 5, 6], { size: [4, 1, 6] }, [4, 5, 4]),
      // Flip, crop: exact.
      warpSample("3d-flip-crop", [1, 1, 4, 5, 6], { size: [2, 5, 3] }, false, cycle(1, 0, 0, 1, 0, -1, 0, 4, 0, 0, 1, 2)),
      warpSample("one-element", [1, 1, 1, 1], { size: [2, 2], paddingMode: "reflection" }),
    ],
    run: ({ x, matrix, displacement, knots }, args: WarpArgs) =>
      warp(x, matrix, { ...args, ...(displacement && { displacement }), ...(knots && { knots }) }),
    reference: warped,
    differentiable: [],
    splits: false,
    half,
    flops: ({ x, displacement, knots }) => sizeOf(x) * (displacement || knots ? 200 : 30),
    bytes: ({ x }) => 2 * bytesOf(x),
    errors: [
      {
        id: "matrix",
        call: (z) => warp(z([1, 1, 4, 4]), z([1, 2, 2])),
        error: ShapeError,
        message: /^warp: matrix \[1, 2, 2\] must be \[1, 2, 3\]/,
      },
      {
        id: "displacement",
        call: (z) => warp(z([1, 1, 4, 4]), z([1, 2, 3]), { displacement: z([1, 2, 3, 4]) }),
        error: ShapeError,
        message: /^warp: displacement \[1, 2, 3, 4\] must be \[1, 2, 4, 4\]/,
      },
      {
        id: "knots",
        call: (z) => warp(z([1, 1, 4, 4]), z([1, 2, 3]), { knots: z([1, 2, 4]) }),
        error: ShapeError,
        message: /^warp: knots \[1, 2, 4\] must be \[1, 2, 2 numbers of knots\]/,
      },
      {
        id: "few-knots",
        call: (z) => warp(z([1, 1, 4, 4]), z([1, 2, 3]), { knots: z([1, 2, 4, 3]) }),
        error: ShapeError,
        message: /^warp: knots .* must be at least 4 along each axis/,
      },
      {
        id: "displacement-and-knots",
        call: (z) => warp(z([1, 1, 4, 4]), z([1, 2, 3]), { displacement: z([1, 2, 4, 4]), knots: z([1, 2, 4, 4]) }),
        error: ConfigError,
        message: /^warp: takes displacement or knots, not both/,
      },
      {
        id: "mode",
        call: (z) => warp(z([1, 1, 4, 4]), z([1, 2, 3]), { mode: "cubic" as "nearest" }),
        error: ConfigError,
        message: /^warp: unknown mode "cubic"/,
      },
    ],
  },
  {
    name: "splineField",
    samples: (
      [
        ["1d", [2, 2, 6], [9]],
        ["2d", [2, 1, 4, 5], [7, 1]],
        ["3d", [1, 3, 4, 5, 6], [5, 6, 4]],
      ] as const
    ).map(([id, shape, size]) => ({ id: `splineField/${id}`, inputs: { knots: { shape } }, args: { size } })),
    run: ({ knots }, { size }: FieldArgs) => splineField(knots, size),
    reference: splined,
    differentiable: [],
    splits: false,
    half,
    flops: ({ knots }, { size }: FieldArgs) => 20 * knots[0] * knots[1] * sizeOf(size),
    bytes: ({ knots }, { size }: FieldArgs) => 4 * knots[0] * knots[1] * sizeOf(size),
    errors: [
      {
        id: "knots",
        call: (z) => splineField(z([1, 1, 3]), [5]),
        error: ShapeError,
        message: /^splineField: knots \[1, 1, 3\] must be at least 4/,
      },
    ],
  },
];
