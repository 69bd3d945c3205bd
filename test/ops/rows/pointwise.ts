/** @file Rows of the pointwise functions of one tensor. */

import * as voxgrad from "../../../src/index.ts";
import { DTypeError, sizeOf, type Tensor } from "../../../src/index.ts";
import {
  awayFromZero,
  between,
  bytesOf,
  cycle,
  host,
  normal,
  type Row,
  type Sample,
  type Shape,
  type Values,
} from "../../lib/row.ts";

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
  /** Where it is not the function of that name with numbers. */
  readonly call?: (x: Tensor, ...parameters: number[]) => Tensor;
  /** For a second table row of one function. */
  readonly id?: string;
  readonly constant?: true;
  readonly half?: string;
}

const positive = between(0.25, 4);
const wide: Values = (random, i) => 2 * normal(random, i);
const off = awayFromZero();

// Where exponentials under- or overflow, and where a function is almost linear or almost nothing.
const extreme = [0, 1e-4, -1e-4, 90, -90, 1e4, -1e4, 12, -12, -5];

// erfc by its continued fraction beyond 2 and the series of erf below.
function normalCdf(x: number): number {
  const z = Math.abs(x) / Math.SQRT2;
  let half: number;
  if (z < 2) {
    let term = z;
    let sum = z;
    for (let n = 1; n < 60; n++) {
      term *= -(z * z) / n;
      sum += term / (2 * n + 1);
    }
    half = 0.5 - sum / Math.sqrt(Math.PI);
  } else {
    let f = 0;
    for (let n = 60; n > 0; n--) f = n / 2 / (z + f);
    half = Math.exp(-z * z) / (z + f) / Math.sqrt(Math.PI) / 2;
  }
  return x >= 0 ? 1 - half : half;
}

const magnifies = "magnifies the rounding of its input";
const steps = "rounding moves values over a step of it or of its slope";

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
  tanh: { f: Math.tanh, values: wide, hard: [0, 1e-4, 9, -9, 50, -1e4, 1e4] },
  relu6: {
    half: steps,
    f: (x) => Math.min(Math.max(x, 0), 6),
    values: (random, i) => 4 * off(random, i),
    hard: [1e6, -1e6, 3, 5.5],
    kink: { at: [0, 6, 3, -1, 7], slope: (x) => (x > 0 && x < 6 ? 1 : 0) },
  },
  logSigmoid: { f: (x) => Math.min(x, 0) - Math.log1p(Math.exp(-Math.abs(x))), values: wide, hard: extreme },
  selu: {
    f: (x) => 1.0507009873554805 * (x > 0 ? x : 1.6732632423543772 * Math.expm1(x)),
    values: off,
    hard: [-1e-3, -88, -1e4, 50, -0.7],
  },
  gelu: { f: (x) => x * normalCdf(x), values: wide, hard: extreme },
  "gelu tanh": {
    id: "tanh",
    call: (x) => voxgrad.gelu(x, { approximate: "tanh" }),
    f: (x) => (x / 2) * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3))),
    values: wide,
    hard: extreme,
  },
  silu: { f: (x, a) => x / (1 + Math.exp(-a * x)), values: wide, hard: extreme, parameters: [[], [0.5], [-1.5]] },
  mish: { f: (x) => x * Math.tanh(Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)))), values: wide, hard: extreme },
  softplus: {
    call: (x, beta, threshold) => voxgrad.softplus(x, { beta, threshold }),
    f: (x, a, b) => (a * x > b ? x : (Math.max(a * x, 0) + Math.log1p(Math.exp(-Math.abs(a * x)))) / a),
    values: wide,
    hard: extreme,
    parameters: [[], [2.5], [0.5, 3.1]],
    // From here on it is x itself, of slope 1.
    kink: { at: [20.5, 19.5, 20], slope: (x) => (x > 20 ? 1 : 1 / (1 + Math.exp(-x))) },
  },
  hardswish: {
    half: steps,
    f: (x) => (x * Math.min(Math.max(x + 3, 0), 6)) / 6,
    values: wide,
    hard: [...extreme, 2.9, -2.9],
    kink: { at: [3, -3, 0, 4, -4], slope: (x) => (x <= -3 ? 0 : x >= 3 ? 1 : x / 3 + 0.5) },
  },
  erf: { f: (x) => 2 * normalCdf(x * Math.SQRT2) - 1, values: wide, hard: [0, 1e-4, -1e-3, 0.49, 0.51, -3, 6, -1e4] },
  neg: { f: (x) => -x, values: normal, hard: [0, 1e6, -1e-6] },
  rsqrt: { half: magnifies, f: (x) => 1 / Math.sqrt(x), values: positive, hard: [1, 4, 100, 1e4, 2] },
  sign: { half: steps, f: Math.sign, values: off, hard: [1e6, -1e-2], kink: { at: [0, 1, -1], slope: () => 0 } },
  floor: {
    half: steps,
    f: Math.floor,
    values: between(0.1, 0.9),
    hard: [1.5, -1.5, -0.25, 1e5 + 0.5],
    kink: { at: [0, 1, -1, 7], slope: () => 0 },
  },
  // Halves go to the even neighbor.
  round: {
    half: steps,
    f: (x) => (Math.abs(x % 1) === 0.5 ? 2 * Math.round(x / 2) : Math.round(x)),
    values: between(0.6, 1.4),
    hard: [1.25, -1.75, 1e7],
    kink: { at: [0.5, 1.5, 2.5, -0.5, -1.5, -2.5], slope: () => 0 },
  },
  isFinite: {
    half: steps,
    f: (x) => (Number.isFinite(x) ? 1 : 0),
    values: normal,
    hard: [0, NaN, Infinity, -Infinity, 3.4e38, 1e-40, -1],
    constant: true,
  },
  affine: { f: (x, a, b) => a * x + b, values: normal, hard: [1e6, -1e-6, 0], parameters: [[2.5, -1], [-0.3], [0, 4]] },
  exp: { f: Math.exp, values: wide, hard: [0, 1, -20, -90, 2], tolerance: { forward: 4e-6, gradient: 1e-5 } },
  log: { half: magnifies, f: Math.log, values: positive, hard: [1, 1.001, 1000, 1e30, 0.125] },
  sqrt: { half: magnifies, f: Math.sqrt, values: positive, hard: [1, 4, 100, 1e4, 2] },
  abs: { f: Math.abs, values: off, hard: [1e6, -1e6], kink: { at: [0, 1, -1], slope: Math.sign } },
  square: { f: (x) => x * x, values: normal, hard: [0, 100, -100] },
  reciprocal: {
    half: magnifies,
    f: (x) => 1 / x,
    values: (random, i) => positive(random, i) * (random() < 0.5 ? -1 : 1),
    hard: [1, -1, 1000, -3],
  },
  clamp: {
    half: steps,
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
const defaults: Readonly<Record<string, readonly number[]>> = {
  leakyRelu: [0.01],
  elu: [1],
  affine: [1, 0],
  silu: [1],
  softplus: [1, 20],
};

interface UnaryArgs {
  readonly parameters: readonly number[];
}

function unaryRow(
  key: string,
  { f, values, hard, parameters = [[]], kink, tolerance, id: second, ...unary }: Unary,
): Row<UnaryArgs> {
  const [name] = key.split(" ");
  const { call = (voxgrad as unknown as Record<string, NonNullable<Unary["call"]>>)[name] } = unary;
  const complete = (list: readonly number[]): [number, number] => {
    const [, b = 0] = defaults[name] ?? [];
    const [a = defaults[name]?.[0] ?? 0, second = b] = list;
    return [a, second];
  };
  const make = (id: string, shape: Shape, v: Values, list: readonly number[]): Sample<UnaryArgs> => ({
    id: `${name}/${second ? `${second}-` : ""}${id}`,
    inputs: { x: { shape, values: v } },
    args: { parameters: list },
  });
  const samples = [
    ...parameters.map((list) => make(list.length ? `parameters-${list.join("-")}` : "plain", [2, 3, 4, 5], values, list)),
    make("scalar", [], values, parameters[0]),
    make("rank-6", [1, 2, 3, 1, 2, 2], values, parameters[0]),
    { ...make("hard", [hard.length], cycle(...hard), parameters[0]), half: false },
    make("empty", [2, 0, 3], values, parameters[0]),
    make("large", [3, 121, 97], values, parameters[0]),
    // A multiple of four: the wide variant.
    make("large-wide", [3, 121, 96], values, parameters[0]),
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
    differentiable: unary.constant ? [] : ["x"],
    splits: true,
    half: unary.half ?? ["x"],
    flops: ({ x }) => sizeOf(x),
    bytes: ({ x }) => 2 * bytesOf(x),
    errors: second
      ? []
      : [
          {
            id: "dtype",
            call: (z) => call(z([2, 3], "i32"), ...parameters[0]),
            error: DTypeError,
            message: new RegExp(`^${name}: (a|input) has type i32, expected f32`),
          },
        ],
  };
}

export const rows = Object.entries(unaries).flatMap(([name, u]) => unaryRow(name, u));
