/** @file Rows of the pointwise functions: a table for those of one tensor, another for those of two. */

import * as voxgrad from "../../src/index.ts";
import { DTypeError, ShapeError, sizeOf, type Tensor } from "../../src/index.ts";
import {
  awayFromZero,
  between,
  bytesOf,
  cycle,
  everyIndex,
  flatten,
  host,
  normal,
  type Row,
  type Sample,
  type Shape,
  type Values,
} from "./row.ts";

interface Unary {
  readonly f: (x: number, a: number, b: number) => number;
  readonly values: Values;
  /** Values where the function is hard: large, tiny, saturated. */
  readonly hard: readonly number[];
  /** Parameters, one sample each; the first one is used where it does not matter. */
  readonly parameters?: readonly (readonly number[])[];
  /** f' at a kink, as PyTorch chooses it. */
  readonly kink?: { readonly at: readonly number[]; readonly slope: (x: number, a: number, b: number) => number };
  readonly tolerance?: Row<unknown>["tolerance"];
}

const positive = between(0.25, 4);
const wide: Values = (random, i) => 2 * normal(random, i);
const off = awayFromZero();

const unaries: Readonly<Record<string, Unary>> = {
  relu: { f: (x) => Math.max(x, 0), values: off, hard: [1e6, -1e6, 3], kink: { at: [0, 1, -1], slope: (x) => (x > 0 ? 1 : 0) } },
  sigmoid: { f: (x) => 1 / (1 + Math.exp(-x)), values: wide, hard: [0, 20, -20, 88, -88, 1e4, -1e4] },
  leakyRelu: {
    f: (x, a) => (x >= 0 ? x : a * x),
    values: off,
    hard: [1e6, -1e6],
    parameters: [[], [0.2], [0]],
    kink: { at: [0, 2, -2], slope: (x, a) => (x > 0 ? 1 : a) },
  },
  elu: {
    f: (x, a) => (x > 0 ? x : a * Math.expm1(x)),
    values: off,
    hard: [-1e-3, -88, -1e4, 50, -0.7],
    parameters: [[], [0.5]],
    kink: { at: [0, 1.5, -1.5], slope: (x, a) => (x > 0 ? 1 : a * Math.exp(x)) },
  },
  tanh: { f: Math.tanh, values: wide, hard: [0, 1e-4, 9, -9, 50, -1e4, 1e4], tolerance: { forward: 1e-5, gradient: 3e-5 } },
  affine: { f: (x, a, b) => a * x + b, values: normal, hard: [1e6, -1e-6, 0], parameters: [[2.5, -1], [-0.3], [0, 4]] },
  exp: { f: Math.exp, values: wide, hard: [0, 1, -20, -90, 2], tolerance: { forward: 4e-6, gradient: 1e-5 } },
  log: { f: Math.log, values: positive, hard: [1, 1.001, 1000, 1e30, 0.125] },
  sqrt: { f: Math.sqrt, values: positive, hard: [1, 4, 100, 1e4, 2] },
  abs: { f: Math.abs, values: off, hard: [1e6, -1e6], kink: { at: [0, 1, -1], slope: Math.sign } },
  square: { f: (x) => x * x, values: normal, hard: [0, 100, -100] },
  reciprocal: {
    f: (x) => 1 / x,
    values: (random, i) => positive(random, i) * (random() < 0.5 ? -1 : 1),
    hard: [1, -1, 1000, -3],
  },
  clamp: {
    f: (x, low, high) => Math.min(Math.max(x, low), high),
    values: (random, i) => Math.floor(8 * random() - 4) + between(0.1, 0.9)(random, i),
    hard: [1e6, -1e6, 0.25],
    parameters: [
      [-1, 2],
      [0, 1],
    ],
    // The bounds are inside, as in PyTorch.
    kink: { at: [-1, 2, 0, 5, -5], slope: (x, low, high) => (x >= low && x <= high ? 1 : 0) },
  },
};

// Defaults of PyTorch's functions of the same names.
const defaults: Readonly<Record<string, readonly number[]>> = { leakyRelu: [0.01], elu: [1], affine: [1, 0] };

interface UnaryArgs {
  readonly parameters: readonly number[];
}

function unaryRow(name: string, { f, values, hard, parameters = [[]], kink, tolerance }: Unary): Row<UnaryArgs> {
  const call = (voxgrad as unknown as Record<string, (x: Tensor, ...parameters: number[]) => Tensor>)[name];
  const complete = (list: readonly number[]): [number, number] => {
    const [, b = 0] = defaults[name] ?? [];
    const [a = defaults[name]?.[0] ?? 0, second = b] = list;
    return [a, second];
  };
  const make = (id: string, shape: Shape, v: Values, list: readonly number[]): Sample<UnaryArgs> => ({
    id: `${name}/${id}`,
    inputs: { x: { shape, values: v } },
    args: { parameters: list },
  });
  const samples = [
    ...parameters.map((list) => make(list.length ? `parameters-${list.join("-")}` : "plain", [2, 3, 4, 5], values, list)),
    make("scalar", [], values, parameters[0]),
    make("rank-6", [1, 2, 3, 1, 2, 2], values, parameters[0]),
    make("hard", [hard.length], cycle(...hard), parameters[0]),
    make("empty", [2, 0, 3], values, parameters[0]),
    make("large", [3, 121, 97], values, parameters[0]),
  ];
  if (kink) {
    samples.push({
      ...make("kink", [kink.at.length], cycle(...kink.at), parameters[0]),
      gradients: ({ x }, dy) => ({ x: dy.data.map((g, i) => g * kink.slope(x.data[i], ...complete(parameters[0]))) }),
    });
  }
  return {
    name,
    samples,
    tolerance,
    run: ({ x }, { parameters: list }) => call(x, ...list),
    reference: ({ x }, { parameters: list }) =>
      host(
        x.shape,
        x.data.map((v) => f(v, ...complete(list))),
      ),
    differentiable: ["x"],
    flops: ({ x }) => sizeOf(x),
    bytes: ({ x }) => 2 * bytesOf(x),
    errors: [
      {
        id: "dtype",
        call: (z) => call(z([2, 3], "i32"), 1, 2),
        error: DTypeError,
        message: new RegExp(`^${name}: input has type i32, expected f32`),
      },
    ],
  };
}

interface BinaryArgs {
  /** Instead of a second tensor. */
  readonly number?: number;
}

const binaries: Readonly<Record<string, (a: number, b: number) => number>> = {
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  div: (a, b) => a / b,
};

const patterns: readonly [id: string, a: Shape, b: Shape][] = [
  ["same", [2, 3, 4], [2, 3, 4]],
  ["scalars", [], []],
  ["scalar-right", [2, 3, 4], []],
  ["scalar-left", [], [2, 3]],
  ["one-right", [2, 3, 4], [1]],
  ["one-left", [1, 1], [3, 4]],
  ["row", [3, 4], [4]],
  ["column", [3, 4], [3, 1]],
  ["outer", [3, 1], [1, 5]],
  ["outer-ranks", [4, 1, 3], [2, 1]],
  ["channels", [2, 3, 4, 5], [1, 3, 1, 1]],
  ["channels-left", [3, 1, 1], [2, 3, 4, 5]],
  ["positions", [2, 3, 4, 5], [2, 1, 4, 5]],
  ["both", [2, 1, 4, 1], [1, 3, 1, 5]],
  ["rank-5", [2, 1, 3, 1, 4], [3, 3, 2, 1]],
  ["rank-6", [2, 3, 1, 2, 1, 3], [1, 3, 2, 1, 2, 3]],
  ["rank-6-alternating", [1, 3, 1, 2, 1, 2], [2, 3, 2, 2, 3, 2]],
  ["rank-6-scalar", [2, 2, 2, 2, 2, 2], []],
  ["empty", [2, 0, 3], [1, 3]],
  ["many-terms", [70, 5, 90], [5, 1]],
  ["many-terms-left", [1], [170, 101]],
];

const rightValues: Values = (random, i) => between(0.5, 2)(random, i) * (random() < 0.5 ? -1 : 1);

function broadcast(a: Shape, b: Shape): number[] {
  const rank = Math.max(a.length, b.length);
  const size = (shape: Shape, i: number) => shape[shape.length - rank + i] ?? 1;
  return Array.from({ length: rank }, (_, i) => (size(a, i) === 1 ? size(b, i) : size(a, i)));
}

const broadcastIndex = (shape: Shape, at: readonly number[]): number =>
  flatten(
    shape,
    shape.map((d, i) => (d === 1 ? 0 : at[at.length - shape.length + i])),
  );

function binaryRow(name: string, f: (a: number, b: number) => number): Row<BinaryArgs> {
  const call = (voxgrad as unknown as Record<string, (a: Tensor, b: Tensor | number) => Tensor>)[name];
  return {
    name,
    samples: [
      ...patterns.map(([id, a, b]) => ({
        id: `${name}/${id}`,
        inputs: { a: { shape: a }, b: { shape: b, values: rightValues } },
        args: {},
      })),
      { id: `${name}/number`, inputs: { a: { shape: [3, 4] } }, args: { number: -1.7 } },
    ],
    run: ({ a, b }, { number }) => call(a, b ?? number),
    reference: ({ a, b }, { number }) => {
      if (!b)
        return host(
          a.shape,
          a.data.map((v) => f(v, number!)),
        );
      const y = host(broadcast(a.shape, b.shape));
      everyIndex(y.shape, (at, i) => {
        y.data[i] = f(a.data[broadcastIndex(a.shape, at)], b.data[broadcastIndex(b.shape, at)]);
      });
      return y;
    },
    differentiable: ["a", "b"],
    // Gradients of broadcast inputs are sums of terms of both signs, of size 1.
    tolerance: { floor: 1 },
    flops: ({ a, b = [] }) => sizeOf(broadcast(a, b)),
    bytes: ({ a, b = [] }) => bytesOf(a, b, broadcast(a, b)),
    errors: [
      {
        id: "shapes",
        call: (z) => call(z([2, 3]), z([2, 4])),
        error: ShapeError,
        message: new RegExp(
          `^${name}: shapes \\[2, 3\\] and \\[2, 4\\] do not broadcast: axis 1 from the left has sizes 3 and 4`,
        ),
      },
      {
        id: "rank-7",
        call: (z) => call(z([1, 1, 1, 1, 1, 1, 2]), z([2])),
        error: ShapeError,
        message: new RegExp(`^${name}: result .* has more than six axes`),
      },
      {
        id: "dtype",
        call: (z) => call(z([2]), z([2], "u32")),
        error: DTypeError,
        message: new RegExp(`^${name}: b has type u32, expected f32`),
      },
    ],
  };
}

export const rows = [
  ...Object.entries(unaries).map(([name, u]) => unaryRow(name, u)),
  ...Object.entries(binaries).map(([name, f]) => binaryRow(name, f)),
];
