/** @file Rows of augmentation on the device. */

import {
  adjustIntensity,
  blur,
  ConfigError,
  lowResolution,
  ShapeError,
  splineField,
  sizeOf,
  warp,
  type WarpOptions,
} from "../../../src/index.ts";
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
  type Shapes,
  type Values,
} from "../../lib/row.ts";
import { philox } from "../../lib/philox.ts";

type WarpArgs = Omit<WarpOptions, "displacement">;

function inside(v: number, n: number, mode: WarpArgs["paddingMode"]): number {
  if (mode === "reflection") while (v < -0.5 || v > n - 0.5) v = v < -0.5 ? -1 - v : 2 * n - 1 - v;
  return mode === undefined || mode === "zeros" ? v : Math.min(n - 1, Math.max(0, v));
}

const roundEven = (v: number): number => (Math.abs(v % 1) === 0.5 ? 2 * Math.round(v / 2) : Math.round(v));

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

function warped({ x, matrix, displacement }: Hosts, args: WarpArgs): Host {
  const spatial = x.shape.slice(2);
  const size = args.size ?? spatial;
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
  elastic = false,
  matrix: Values = near(x.length - 2),
): Sample<WarpArgs> => ({
  id: `warp/${id}`,
  inputs: {
    x: { shape: x },
    matrix: { shape: [x[0], x.length - 2, x.length - 1], values: matrix },
    ...(elastic && { displacement: { shape: [x[0], x.length - 2, ...(args.size ?? x.slice(2))], values: between(-1.5, 1.5) } }),
  },
  args,
});

type ChannelArgs = Readonly<Record<string, never>>;

interface LowArgs {
  readonly axes?: readonly number[];
}

function coarsened({ x, zooms }: Hosts, { axes }: LowArgs): Host {
  const spatial = x.shape.slice(2);
  const y = host(x.shape);
  everyIndex(x.shape, ([n, c, ...o], flat) => {
    const zoom = zooms.data[n * x.shape[1] + c];
    const pairs = o.map((v, axis) => {
      const size = spatial[axis];
      const coarse = Math.max(1, roundEven(size * zoom));
      if ((axes && !axes.includes(axis)) || coarse >= size) return [[v, 1] as const];
      const at = Math.max(0, ((v + 0.5) * coarse) / size - 0.5);
      const first = Math.floor(at);
      return [first, Math.min(first + 1, coarse - 1)].map(
        (k, i) => [Math.floor(((k + 0.5) * size) / coarse), i === 0 ? 1 - at + first : at - first] as const,
      );
    });
    everyIndex(
      pairs.map((p) => p.length),
      (k) => {
        const weight = k.reduce((w, j, a) => w * pairs[a][j][1], 1);
        y.data[flat] += weight * x.data[flatten(x.shape, [n, c, ...k.map((j, a) => pairs[a][j][0])])];
      },
    );
  });
  return y;
}

interface BlurArgs {
  readonly radius: number;
}

function smoothed({ x, sigmas }: Hosts, { radius }: BlurArgs): Host {
  let y = x;
  for (let axis = 2; axis < x.shape.length; axis++) {
    const next = host(x.shape);
    const size = x.shape[axis];
    everyIndex(x.shape, (at, flat) => {
      const sigma = sigmas.data[at[0] * x.shape[1] + at[1]];
      let [sum, total] = [0, 0];
      for (let d = -radius; d <= radius; d++) {
        const weight = sigma > 0 ? Math.exp((-d * d) / (2 * sigma * sigma)) : d === 0 ? 1 : 0;
        let k = size > 1 ? at[axis] + d : 0;
        while (k < 0 || k >= size) k = k < 0 ? -k : 2 * (size - 1) - k;
        sum += weight * y.data[flatten(x.shape, at.with(axis, k))];
        total += weight;
      }
      next.data[flat] = sum / total;
    });
    y = next;
  }
  return y;
}

const numbersOf = (...rows: number[][]): Values => cycle(...rows.flat());

/** In float32 where a bit decides: which words noise is made of. */
function adjusted({ x, numbers, statistics }: Hosts): Host {
  const y = host(x.shape);
  const plane = sizeOf(x.shape.slice(2));
  for (let i = 0; i < y.data.length; i++) {
    const channel = Math.floor(i / plane);
    const [scale, shift, contrast, gamma, inverted, noise, seed] = numbers.data.slice(7 * channel);
    const [mean, a, b] = [0, 1, 2].map((k) => statistics.data[3 * channel + k] * scale + shift);
    let [low, high] = [Math.min(a, b), Math.max(a, b)];
    const contrasted = (v: number) => Math.min(Math.max(a, b), Math.max(Math.min(a, b), (v - mean) * contrast + mean));
    let v = x.data[i] * scale + shift;
    if (contrast !== 1) [v, low, high] = [contrasted(v), contrasted(low), contrasted(high)];
    if (gamma !== 1 && high > low) {
      const t = (v - low) / (high - low);
      v = low + (high - low) * (inverted ? 1 - (1 - t) ** gamma : t ** gamma);
    }
    if (noise > 0) {
      const k = i % plane;
      const words = philox([Math.floor(k / 4), 0, channel, 0], [seed, 0x61756721]);
      const [u, w] = k % 4 >= 2 ? words.slice(2) : words;
      const radius = Math.sqrt(-2 * Math.log(1 - (u >>> 8) / 2 ** 24));
      const angle = 2 * Math.PI * ((w >>> 8) / 2 ** 24);
      v += noise * radius * (k % 2 === 1 ? Math.sin(angle) : Math.cos(angle));
    }
    y.data[i] = v;
  }
  return y;
}

const half = "takes f32 only";
const plainBytes = ({ x }: Shapes) => 2 * bytesOf(x);

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
      // Flip, crop: exact.
      warpSample("3d-flip-crop", [1, 1, 4, 5, 6], { size: [2, 5, 3] }, false, cycle(1, 0, 0, 1, 0, -1, 0, 4, 0, 0, 1, 2)),
      warpSample("one-element", [1, 1, 1, 1], { size: [2, 2], paddingMode: "reflection" }),
    ],
    run: ({ x, matrix, displacement }, args: WarpArgs) => warp(x, matrix, { ...args, ...(displacement && { displacement }) }),
    reference: warped,
    differentiable: [],
    splits: false,
    half,
    flops: ({ x, displacement }) => sizeOf(x) * (displacement ? 200 : 30),
    bytes: plainBytes,
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
  {
    name: "adjustIntensity",
    tolerance: { forward: 1e-5 },
    samples: [
      ["brightness", [1.2, 0.3, 1, 1, 0, 0, 0], [0.8, -0.1, 1, 1, 0, 0, 0]],
      ["contrast", [1, 0, 1.25, 1, 0, 0, 0], [1, 0, 0.6, 1, 0, 0, 0]],
      ["gamma", [1, 0, 1, 1.5, 0, 0, 0], [1, 0, 1, 0.7, 1, 0, 0]],
      ["noise", [1, 0, 1, 1, 0, 0.3, 123456], [1, 0, 1, 1, 0, 0, 7]],
      ["all", [1.1, 0.2, 1.3, 1.2, 1, 0.1, 16777215], [-0.9, 0.1, 0.8, 0.9, 0, 0.2, 5]],
    ].map(([id, ...rows]) => ({
      id: `adjustIntensity/${String(id)}`,
      inputs: {
        x: { shape: [2, 2, 5, 7], values: between(-1, 2) },
        numbers: { shape: [2, 2, 7], values: numbersOf(...(rows as number[][])) },
        statistics: { shape: [2, 2, 3], values: cycle(0.5, -1, 2) },
      },
      args: {},
    })) as Sample<ChannelArgs>[],
    run: ({ x, numbers, statistics }) => adjustIntensity(x, numbers, statistics),
    reference: adjusted,
    differentiable: [],
    splits: false,
    half,
    flops: ({ x }) => 30 * sizeOf(x),
    bytes: plainBytes,
    errors: [
      {
        id: "numbers",
        call: (z) => adjustIntensity(z([1, 2, 4]), z([1, 2, 6]), z([1, 2, 3])),
        error: ShapeError,
        message: /^adjustIntensity: numbers \[1, 2, 6\] must be \[1, 2, 7\]/,
      },
    ],
  },
  {
    name: "blur",
    samples: (
      [
        ["1d", [2, 2, 9], 4],
        ["2d", [1, 3, 7, 8], 3],
        ["3d", [2, 1, 4, 5, 6], 3],
        ["wider-than-the-image", [1, 2, 3, 1, 2], 8],
      ] as const
    ).map(([id, shape, radius]) => ({
      id: `blur/${id}`,
      inputs: { x: { shape }, sigmas: { shape: shape.slice(0, 2), values: cycle(0.7, 0, 1.5) } },
      args: { radius },
    })),
    run: ({ x, sigmas }, { radius }: BlurArgs) => blur(x, sigmas, radius),
    reference: smoothed,
    differentiable: [],
    splits: false,
    half,
    flops: ({ x }, { radius }: BlurArgs) => (2 * radius + 1) * 4 * (x.length - 2) * sizeOf(x),
    bytes: plainBytes,
    errors: [
      { id: "radius", call: (z) => blur(z([1, 1, 4]), z([1, 1]), 0), error: ConfigError, message: /^blur: radius must be/ },
    ],
  },
  {
    name: "lowResolution",
    samples: (
      [
        ["1d", [2, 2, 9], undefined],
        ["2d", [1, 3, 7, 8], undefined],
        ["3d", [2, 2, 4, 5, 6], undefined],
        ["3d-in-plane", [1, 3, 4, 5, 6], [1, 2]],
      ] as const
    ).map(([id, shape, axes]) => ({
      id: `lowResolution/${id}`,
      inputs: { x: { shape }, zooms: { shape: shape.slice(0, 2), values: cycle(0.5, 1, 0.63) } },
      args: axes ? { axes } : {},
    })),
    run: ({ x, zooms }, { axes }: LowArgs) => lowResolution(x, zooms, axes),
    reference: coarsened,
    differentiable: [],
    splits: false,
    half,
    flops: ({ x }) => 30 * sizeOf(x),
    bytes: plainBytes,
    errors: [
      {
        id: "axes",
        call: (z) => lowResolution(z([1, 1, 4]), z([1, 1]), [1]),
        error: ShapeError,
        message: /^lowResolution: axes \[1\] must be spatial axes/,
      },
    ],
  },
];
