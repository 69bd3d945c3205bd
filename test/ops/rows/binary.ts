/** @file Rows of the pointwise functions of two tensors, and of `where`. */

import * as voxgrad from "../../../src/index.ts";
import { DTypeError, ShapeError, sizeOf, type Tensor, where } from "../../../src/index.ts";
import {
  between,
  bytesOf,
  cycle,
  everyIndex,
  flatten,
  host,
  type Host,
  type Hosts,
  index,
  normal,
  type Row,
  type Sample,
  type Shape,
  type Values,
} from "../../lib/row.ts";

interface BinaryArgs {
  /** Instead of a second tensor. */
  readonly number?: number;
}

type F = (a: number, b: number) => number;

interface Binary {
  readonly f: F;
  readonly a?: Values;
  readonly b?: Values;
  readonly number?: number;
  readonly samples?: readonly Sample<BinaryArgs>[];
  readonly constant?: true;
  readonly half?: string;
}

const flag =
  (f: (a: number, b: number) => boolean): F =>
  (a, b) =>
    f(a, b) ? 1 : 0;

/** Gradients at ties: half of dy to each. */
const ties = (name: string, wins: (a: number, b: number) => boolean): Sample<BinaryArgs> => ({
  id: `${name}/ties`,
  inputs: { a: { shape: [2, 4], values: cycle(1, 2, -3, 0) }, b: { shape: [2, 4], values: cycle(1, -2, -3, 5) } },
  args: {},
  gradients: ({ a, b }, dy) => {
    const share = (u: Host, v: Host) =>
      dy.data.map((g, i) => g * (u.data[i] === v.data[i] ? 0.5 : wins(u.data[i], v.data[i]) ? 1 : 0));
    return { a: share(a, b), b: share(b, a) };
  },
});

const pows = (list: readonly [id: string, bases: readonly number[], exponent: number][]): Sample<BinaryArgs>[] =>
  list.map(([id, bases, number]) => ({
    id: `pow/${id}`,
    inputs: { a: { shape: [bases.length], values: cycle(...bases) } },
    args: { number },
  }));

const whole = index(5);

// On two grids that never meet: finite differences must not cross the tie.
const grid =
  (offset: number): Values =>
  (random, i) =>
    Math.round(normal(random, i) * 64) / 64 + offset;

const magnifies = "magnifies the rounding of its input";
const compares = "rounding makes values equal";

const binaries: Readonly<Record<string, Binary>> = {
  add: { f: (a, b) => a + b },
  sub: { f: (a, b) => a - b },
  mul: { f: (a, b) => a * b },
  div: { f: (a, b) => a / b, half: magnifies },
  maximum: { f: Math.max, a: grid(0), b: grid(1 / 128), samples: [ties("maximum", (u, v) => u > v)] },
  minimum: { f: Math.min, a: grid(0), b: grid(1 / 128), samples: [ties("minimum", (u, v) => u < v)] },
  pow: {
    f: (a, b) => a ** b,
    half: magnifies,
    a: between(0.25, 3),
    number: 2.5,
    samples: [
      ...pows([
        ["square", [-3, 0, 2, 1e3, -1e-3], 2],
        ["cube", [-3, 0, 2, 100, -0.1], 3],
        ["zero", [-3, 0, 2], 0],
        ["one", [-3, 0, 2], 1],
        ["minus-two", [-3, 0.5, 2, 1], -2],
        ["minus-three", [-3, -0.5, 2, 1], -3],
        ["root", [4, 2, 1, 0.25], 0.5],
        ["fifteenth", [-1.25, 1.5], 15],
        ["sixteenth", [-1.25, 1.5], 16],
        ["seventeenth", [-1.25, 1.5], 17],
      ]),
      {
        id: "pow/zero-base",
        inputs: { a: { shape: [4], values: () => 0 }, b: { shape: [4], values: cycle(0, 1, 2, 2.5) } },
        args: {},
        // b a^(b-1) and 0, as PyTorch.
        gradients: (_, dy) => ({ a: Float64Array.of(0, dy.data[1], 0, 0), b: new Float64Array(4) }),
      },
    ],
  },
  eq: { f: flag((a, b) => a === b), a: whole, b: whole, number: 2, constant: true, half: compares },
  ne: { f: flag((a, b) => a !== b), a: whole, b: whole, number: 2, constant: true, half: compares },
  lt: { f: flag((a, b) => a < b), a: whole, b: whole, number: 2, constant: true, half: compares },
  le: { f: flag((a, b) => a <= b), a: whole, b: whole, number: 2, constant: true, half: compares },
  gt: { f: flag((a, b) => a > b), a: whole, b: whole, number: 2, constant: true, half: compares },
  ge: { f: flag((a, b) => a >= b), a: whole, b: whole, number: 2, constant: true, half: compares },
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
  ["wide", [3, 7, 8], [3, 7, 8]],
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

function binaryRow(name: string, { f, a: left, b: right = rightValues, number: second = -1.7, ...row }: Binary): Row<BinaryArgs> {
  const call = (voxgrad as unknown as Record<string, (a: Tensor, b: Tensor | number) => Tensor>)[name];
  return {
    name,
    samples: [
      ...patterns.map(([id, a, b]) => ({
        id: `${name}/${id}`,
        inputs: { a: { shape: a, values: left }, b: { shape: b, values: right } },
        args: {},
      })),
      { id: `${name}/number`, inputs: { a: { shape: [3, 4], values: left } }, args: { number: second } },
      { id: `${name}/number-odd`, inputs: { a: { shape: [3, 5], values: left } }, args: { number: second } },
      ...(row.samples ?? []),
    ],
    run: ({ a, b }, { number }) => call(a, b ?? number!),
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
    differentiable: row.constant ? [] : ["a", "b"],
    splits: true,
    half: row.half ?? ["a", "b"],
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

interface WhereArgs {
  readonly a?: number;
  readonly b?: number;
}

function whereReference({ condition, a, b }: Hosts, args: WhereArgs): Host {
  const value = (h: Host | undefined, number?: number): Host => h ?? host([], Float64Array.of(number!));
  const [left, right] = [value(a, args.a), value(b, args.b)];
  const y = host(broadcast(condition.shape, broadcast(left.shape, right.shape)));
  everyIndex(y.shape, (at, i) => {
    const from = condition.data[broadcastIndex(condition.shape, at)] === 0 ? right : left;
    y.data[i] = from.data[broadcastIndex(from.shape, at)];
  });
  return y;
}

const whereSample = (
  id: string,
  condition: Shape,
  a: Shape | number,
  b: Shape | number,
  dtype: "f32" | "i32" | "u32" = "f32",
): Sample<WhereArgs> => ({
  id: `where/${id}`,
  inputs: {
    condition: { shape: condition, values: (random) => (random() < 0.5 ? 0 : 1 + Math.floor(3 * random())), dtype },
    ...(typeof a === "number" ? {} : { a: { shape: a } }),
    ...(typeof b === "number" ? {} : { b: { shape: b } }),
  },
  args: { ...(typeof a === "number" ? { a } : {}), ...(typeof b === "number" ? { b } : {}) },
});

const whereRow: Row<WhereArgs> = {
  name: "where",
  samples: [
    whereSample("same", [2, 3, 4], [2, 3, 4], [2, 3, 4]),
    whereSample("i32", [2, 3, 4], [2, 3, 4], [2, 3, 4], "i32"),
    whereSample("u32", [5], [5], [5], "u32"),
    whereSample("channels", [2, 1, 4, 5], [2, 3, 4, 5], [3, 1, 1]),
    whereSample("outer", [3, 1], [1, 4], [2, 1, 1]),
    whereSample("scalars", [3, 4], [], [1]),
    whereSample("numbers", [3, 4], 1.5, -2),
    whereSample("number-left", [3, 4], -7, [3, 4]),
    whereSample("number-right", [2, 1], [2, 3], 0),
    whereSample("rank-6", [1, 3, 1, 2, 1, 2], [2, 1, 2, 2, 3, 1], [2, 3, 1, 1, 3, 2]),
    whereSample("empty", [2, 0], [2, 1], 3),
    {
      ...whereSample("signed-zero", [6], [6], [6]),
      inputs: { condition: { shape: [6], values: cycle(0, -0, 1, -1, 1e-30, -2) }, a: { shape: [6] }, b: { shape: [6] } },
    },
  ],
  run: ({ condition, a, b }, args) => where(condition, a ?? args.a!, b ?? args.b!),
  reference: whereReference,
  differentiable: ["a", "b"],
  splits: true,
  half: ["a", "b"],
  flops: ({ condition }) => sizeOf(condition),
  bytes: ({ condition, a = [], b = [] }) => bytesOf(condition, a, b, broadcast(condition, broadcast(a, b))),
  errors: [
    {
      id: "shapes",
      call: (z) => where(z([2, 3]), z([2, 4]), 0),
      error: ShapeError,
      message: /^where: shapes \[2, 3\] and \[2, 4\] do not broadcast/,
    },
    {
      id: "dtype",
      call: (z) => where(z([2]), z([2], "i32"), 0),
      error: DTypeError,
      message: /^where: a has type i32, expected f32/,
    },
  ],
};

export const rows = [...Object.entries(binaries).map(([name, b]) => binaryRow(name, b)), whereRow] as Row<any>[];
