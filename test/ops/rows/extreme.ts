/** @file Rows of extremes, spreads and norms over axes, and of the extremes along one axis with their index. */

import {
  amax,
  amin,
  ConfigError,
  DTypeError,
  max,
  min,
  vectorNorm,
  type VectorNormOptions,
  ShapeError,
  sizeOf,
  std,
  type Tensor,
  variance,
  type VarianceOptions,
} from "../../../src/index.ts";
import {
  awayFromZero,
  bytesOf,
  cycle,
  everyIndex,
  flatten,
  type Host,
  type Hosts,
  index,
  normal,
  type Row,
  type Sample,
  type Shape,
  type Values,
} from "../../lib/row.ts";

interface Args {
  readonly axes?: number | readonly number[];
  readonly keepDims?: boolean;
  readonly correction?: number;
  readonly p?: VectorNormOptions["p"];
}

const axesOf = ({ length }: Shape, axes: Args["axes"]): number[] =>
  axes === undefined ? Array.from({ length }, (_, i) => i) : [axes].flat().map((a) => (a < 0 ? a + length : a));

/** The elements behind each output, and their places in x. */
function groups(x: Host, { axes, keepDims = false }: Args): { shape: Shape; values: number[][]; places: number[][] } {
  const list = axesOf(x.shape, axes);
  const kept = x.shape.map((d, i) => (list.includes(i) ? 1 : d));
  const values: number[][] = Array.from({ length: sizeOf(kept) }, () => []);
  const places: number[][] = values.map(() => []);
  everyIndex(x.shape, (at, i) => {
    const to = flatten(
      kept,
      at.map((k, axis) => (list.includes(axis) ? 0 : k)),
    );
    values[to].push(x.data[i]);
    places[to].push(i);
  });
  return { shape: keepDims ? kept : x.shape.filter((_, i) => !list.includes(i)), values, places };
}

const reference =
  (f: (values: readonly number[], args: Args) => number) =>
  ({ x }: Hosts, args: Args): Host => {
    const { shape, values } = groups(x, args);
    return { shape, data: Float64Array.from(values, (list) => f(list, args)) };
  };

/** dy spread over the elements that `chosen` marks with 1 or −1, evenly or all of it to the first. */
const shared =
  (args: Args, chosen: (all: readonly number[]) => (v: number) => number, first = false): Sample<Args>["gradients"] =>
  ({ x }, dy) => {
    const data = new Float64Array(x.data.length);
    const { values, places } = groups(x, args);
    values.forEach((list, o) => {
      const marks = list.map(chosen(list));
      const hits = marks.filter((m) => m !== 0).length;
      marks.forEach((m, k) => {
        if (first ? m !== 0 && marks.indexOf(m) === k : m !== 0) data[places[o][k]] += (m * dy.data[o]) / (first ? 1 : hits);
      });
    });
    return { x: data };
  };

const five = [2, 3, 4, 5, 3];
const patterns: readonly [string, Shape, Args["axes"], boolean?][] = [
  ["all", five, undefined],
  ["all-keep", five, undefined, true],
  ["first", five, 0],
  ["last-keep", five, -1, true],
  ["middle-two", five, [1, 2]],
  ["ends", five, [0, 4]],
  ["alternating-odd", five, [1, 3]],
  ["alternating-even-keep", five, [0, 2, 4], true],
  ["rank-6-alternating", [2, 3, 2, 3, 2, 3], [1, 3, 5]],
  ["rank-6-alternating-first", [2, 3, 2, 3, 2, 3], [0, 2, 4]],
  ["65-terms", [3, 65], 1],
  ["66-terms-of-4096", [66, 4096], 0],
  ["chunks", [5, 5000], 1],
  ["chunks-first", [5000, 5], 0],
  ["100k", [100_003], undefined],
];

const spread = (axes: Args["axes"], keepDims?: boolean): Args => ({ axes, ...(keepDims ? { keepDims } : {}) });
const make = (op: string, values: Values, extra: Args = {}, id = ""): Sample<Args>[] =>
  patterns.map(([name, shape, axes, keepDims]) => ({
    id: `${op}/${id}${name}`,
    inputs: { x: { shape, values } },
    args: { ...spread(axes, keepDims), ...extra },
  }));

// Finite differences must not swap the first two: no two elements are close.
const distinct: Values = (_, i) => ((i * 7919) % 100_003) / 1000 - 50;

const common = {
  differentiable: ["x"],
  splits: true,
  half: "differences and ties that f16 cannot tell",
  flops: ({ x }: Record<string, Shape>) => sizeOf(x),
  bytes: ({ x }: Record<string, Shape>) => bytesOf(x),
};

function extremeRow(name: string, op: typeof amax, f: (...v: number[]) => number): Row<Args> {
  const best = (list: readonly number[]) => list.reduce((a, b) => f(a, b));
  const ofBest = (all: readonly number[]) => {
    const top = best(all);
    return (v: number) => (v === top ? 1 : 0);
  };
  const tied = (id: string, args: Args): Sample<Args> => ({
    id: `${name}/ties-${id}`,
    inputs: { x: { shape: [3, 4, 6, 2], values: index(3) } },
    args,
    gradients: shared(args, ofBest),
  });
  return {
    ...common,
    name,
    tolerance: { forward: 0 },
    samples: [
      ...make(name, distinct),
      tied("all", {}),
      tied("one", { axes: 1 }),
      tied("two", { axes: [0, 2], keepDims: true }),
      {
        id: `${name}/negative`,
        inputs: { x: { shape: [2, 70], values: (_, i) => -1e30 - i * 1e27 } },
        args: { axes: 1 },
        gradients: shared({ axes: 1 }, ofBest),
      },
    ],
    run: ({ x }, { axes, ...options }) => op(x, axes, options),
    reference: reference(best),
    errors: [
      { id: "axis", call: (z) => op(z([2, 3]), 2), error: ShapeError, message: new RegExp(`^${name}: axis 2 is outside`) },
      {
        id: "empty",
        call: (z) => op(z([2, 0]), 1),
        error: ShapeError,
        message: new RegExp(`^${name}: 0 elements of \\[2, 0\\] for each result, needs at least 1`),
      },
      { id: "dtype", call: (z) => op(z([2], "i32")), error: DTypeError, message: new RegExp(`^${name}: input has type i32`) },
    ],
  };
}

/** The values, with the indices given back. */
function withIndexRow(name: string, op: typeof max, f: (...v: number[]) => number): Row<Args> {
  const best = (list: readonly number[]) => list.reduce((a, b) => f(a, b));
  const ofBest = (all: readonly number[]) => {
    const top = best(all);
    return (v: number) => (v === top ? 1 : 0);
  };
  const samples = [
    ["channels", [2, 4, 5, 3], 1],
    ["last", [3, 7], -1],
    ["first-keep", [5, 2, 3], 0, true],
    ["one", [2, 1, 4], 1],
    ["vector", [300], 0],
  ] as const satisfies typeof patterns;
  const run = (x: Tensor, { axes, ...options }: Args): Tensor => {
    const { values, indices } = op(x, axes as number, options);
    indices.dispose();
    return values;
  };
  return {
    ...common,
    name,
    tolerance: { forward: 0 },
    samples: [
      ...samples.map(([id, shape, axes, keepDims]) => ({
        id: `${name}/${id}`,
        inputs: { x: { shape, values: distinct } },
        args: spread(axes, keepDims),
      })),
      {
        id: `${name}/ties`,
        inputs: { x: { shape: [3, 6, 4], values: index(3) } },
        args: { axes: 1 },
        gradients: shared({ axes: 1 }, ofBest, true),
      },
    ],
    run: ({ x }, args) => run(x, args),
    reference: reference(best),
    errors: [
      { id: "axis", call: (z) => op(z([2, 3]), 2), error: ShapeError, message: new RegExp(`^${name}: axis 2 is outside`) },
      { id: "empty", call: (z) => op(z([2, 0]), 1), error: ShapeError, message: /axis 1 of \[2, 0\] is empty/ },
    ],
  };
}

function squares(list: readonly number[]): number {
  const mean = list.reduce((a, b) => a + b, 0) / list.length;
  return list.reduce((sum, v) => sum + (v - mean) ** 2, 0);
}

function spreadRow(name: string, op: typeof variance, f: (v: number) => number): Row<Args> {
  const ct: Values = (random, i) => 1e4 + normal(random, i);
  return {
    ...common,
    name,
    samples: [
      ...make(name, (random, i) => normal(random, i) + 0.5),
      ...make(name, normal, { correction: 0 }, "biased-").slice(0, 4),
      // A mean of 1e4 has digits down to 1e-3, and so has the center.
      {
        id: `${name}/ct`,
        inputs: { x: { shape: [4, 9000], values: ct } },
        args: { axes: 1 },
        tolerance: { forward: 1e-4, gradient: 1e-3 },
      },
      {
        id: `${name}/constant`,
        inputs: { x: { shape: [3, 8], values: () => 7 } },
        args: { axes: 1 },
        gradients: () => ({ x: new Float64Array(24) }),
      },
    ],
    run: ({ x }, { axes, ...options }) => op(x, axes, options as VarianceOptions),
    reference: reference((list, { correction = 1 }) => f(squares(list) / (list.length - correction))),
    errors: [
      { id: "axis", call: (z) => op(z([2, 3]), 2), error: ShapeError, message: new RegExp(`^${name}: axis 2 is outside`) },
      {
        id: "one",
        call: (z) => op(z([2, 1]), 1),
        error: ShapeError,
        message: new RegExp(`^${name}: 1 elements of \\[2, 1\\] for each result leave nothing with correction 1`),
      },
    ],
  };
}

const normRow: Row<Args> = {
  ...common,
  name: "vectorNorm",
  samples: [
    ...make("vectorNorm", normal),
    ...make("vectorNorm", awayFromZero(), { p: 1 }, "l1-"),
    ...make("vectorNorm", distinct, { p: Infinity }, "max-").map((s) => ({
      ...s,
      gradients: shared(s.args, (all) => {
        const top = all.reduce((m, w) => Math.max(m, Math.abs(w)), 0);
        return (v) => (Math.abs(v) === top ? Math.sign(v) : 0);
      }),
    })),
    {
      id: "vectorNorm/zeros",
      inputs: { x: { shape: [2, 3], values: () => 0 } },
      args: { axes: 1 },
      gradients: () => ({ x: new Float64Array(6) }),
    },
    {
      id: "vectorNorm/max-ties",
      inputs: { x: { shape: [2, 4], values: cycle(3, -3, 1, 3) } },
      args: { p: Infinity, axes: 1 },
      gradients: shared({ axes: 1 }, () => (v) => (Math.abs(v) === 3 ? Math.sign(v) : 0)),
    },
  ],
  run: ({ x }, args) => vectorNorm(x, args),
  reference: reference((list, { p = 2 }) => {
    if (p === 1) return list.reduce((s, v) => s + Math.abs(v), 0);
    if (p === 2) return Math.sqrt(list.reduce((s, v) => s + v * v, 0));
    return list.reduce((m, v) => Math.max(m, Math.abs(v)), 0);
  }),
  errors: [
    { id: "axis", call: (z) => vectorNorm(z([2, 3]), { axes: 5 }), error: ShapeError, message: /^vectorNorm: axis 5 is outside/ },
    {
      id: "p",
      call: (z) => vectorNorm(z([2]), { p: 3 as 2 }),
      error: ConfigError,
      message: /^vectorNorm: p must be 1, 2 or Infinity, got 3/,
    },
  ],
};

export const rows = [
  extremeRow("amax", amax, Math.max),
  extremeRow("amin", amin, Math.min),
  withIndexRow("max", max, Math.max),
  withIndexRow("min", min, Math.min),
  spreadRow("variance", variance, (v) => v),
  spreadRow("std", std, Math.sqrt),
  normRow,
];
