/** @file Row of the focal loss. */

import { ConfigError, DTypeError, type DType, ShapeError, sizeOf } from "../../../src/index.ts";
import { focalLoss, type FocalLossOptions } from "../../../src/nn/losses/elementwise.ts";
import {
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
  uniform,
  type Values,
} from "../../lib/row.ts";

const softplus = (v: number) => Math.max(v, 0) + Math.log1p(Math.exp(-Math.abs(v)));

/** −(1 − p)^γ log p from the definition: p by softmax over the channels that count, or for each by sigmoid. */
function reference({ input, target }: Hosts, o: FocalLossOptions): Host {
  const {
    includeBackground = true,
    toOnehotY = false,
    gamma = 2,
    alpha,
    weight,
    reduction = "mean",
    useSoftmax = false,
    ignoreIndex,
  } = o;
  const channels = input.shape[1];
  const first = includeBackground || channels === 1 ? 0 : 1;
  const y = host(input.shape.with(1, channels - first));
  const classes = y.shape[1];
  const skipped = target.data.filter((label) => label === ignoreIndex).length;
  everyIndex(y.shape, (at, i) => {
    const place = (c: number) => flatten(input.shape, at.with(1, c + first));
    const x = input.data[place(at[1])];
    const label = target.data[flatten(input.shape.with(1, 1), at.with(1, 0))];
    if (label === ignoreIndex) return;
    const t = toOnehotY && channels > 1 ? Number(label === at[1] + first) : target.data[place(at[1])];
    let w = classes === 1 || weight === undefined ? 1 : typeof weight === "number" ? weight : weight[at[1]];
    let loss: number;
    if (useSoftmax) {
      const row = Array.from({ length: classes }, (_, c) => input.data[place(c)]);
      const top = Math.max(...row);
      const logP = x - top - Math.log(row.reduce((s, v) => s + Math.exp(v - top), 0));
      if (alpha !== undefined && includeBackground) w *= at[1] === 0 ? 1 - alpha : alpha;
      loss = -((1 - Math.exp(logP)) ** gamma) * logP * t;
    } else {
      const entropy = (1 - t) * softplus(x) + t * softplus(-x);
      if (alpha !== undefined) w *= t * alpha + (1 - t) * (1 - alpha);
      loss = Math.exp(-gamma * softplus(x * (2 * t - 1))) * entropy;
    }
    y.data[i] = w * loss;
  });
  if (reduction === "none") return y;
  const total = y.data.reduce((a, b) => a + b, 0);
  return host(
    [],
    Float64Array.of(total / (reduction === "mean" ? sizeOf(y.shape) - skipped * classes : sizeOf(y.shape.slice(2)))),
  );
}

const logits: Values = (random, i) => 3 * normal(random, i);
const far: Values = cycle(1e4, -1e4, 0, 9999, -9999.5, 80, -90, 1e4, 1e4, -1e4, -1e4, -1e4);

interface Inputs {
  readonly dtype?: DType;
  readonly values?: Values;
  readonly target?: Values;
}

function sample(id: string, shape: Shape, args: FocalLossOptions, inputs: Inputs = {}): Sample<FocalLossOptions> {
  const { dtype = "f32", values = logits } = inputs;
  const indices = args.toOnehotY && shape[1] > 1;
  const target = inputs.target ?? (indices ? index(shape[1]) : index(2));
  return {
    id: `focalLoss/${id}`,
    inputs: { input: { shape, values }, target: { shape: indices ? shape.with(1, 1) : shape, values: target, dtype } },
    args,
  };
}

const reductions = ["none", "sum", "mean"] as const;
const both = [false, true].map((useSoftmax) => [useSoftmax, useSoftmax ? "softmax" : "sigmoid"] as const);

export const rows: Row<FocalLossOptions>[] = [
  {
    name: "focalLoss",
    tolerance: { gradient: 5e-6, floor: 0.1 },
    samples: [
      sample("defaults", [2, 3, 4, 5], {}),
      ...both.flatMap(([useSoftmax, name]) => [
        ...reductions.map((reduction) =>
          sample(
            `${name}-${reduction}`,
            [2, 3, 4, 5],
            { useSoftmax, reduction, toOnehotY: true, alpha: 0.3, weight: [0.5, 2, 1] },
            { dtype: "i32" },
          ),
        ),
        ...[0, 0.5, 1, 1.5, 3].map((gamma) =>
          sample(`${name}-gamma-${gamma}`, [2, 3, 4, 4], { useSoftmax, gamma, reduction: "none", toOnehotY: true }),
        ),
        sample(`${name}-no-background`, [2, 4, 3, 3], { useSoftmax, includeBackground: false, alpha: 0.25, weight: [1, 2, 3] }),
        sample(`${name}-no-background-index`, [2, 4, 3, 2, 2], { useSoftmax, includeBackground: false, toOnehotY: true }),
        sample(`${name}-soft-target`, [2, 3, 5, 4], { useSoftmax, weight: 2, reduction: "none" }, { target: uniform }),
        sample(`${name}-single`, [3, 1, 4, 4], {
          useSoftmax,
          includeBackground: false,
          toOnehotY: true,
          weight: 7,
          alpha: 0.2,
          reduction: "sum",
        }),
        sample(`${name}-no-spatial`, [5, 3], { useSoftmax, toOnehotY: true }, { dtype: "u32" }),
        sample(`${name}-onehot-i32`, [2, 2, 3, 3], { useSoftmax }, { dtype: "i32" }),
        ...(["mean", "sum", "none"] as const).map((reduction) =>
          sample(
            `${name}-ignored-${reduction}`,
            [2, 3, 4],
            { useSoftmax, toOnehotY: true, reduction, ignoreIndex: 255 },
            { target: cycle(0, 255, 2, 1, 255) },
          ),
        ),
        // 512 positions are a chunk on a software adapter, 4,096 elsewhere.
        sample(`${name}-chunks`, [2, 2, 70, 71], { useSoftmax, toOnehotY: true }),
        {
          ...sample(`${name}-extreme`, [4, 3, 5], { useSoftmax, reduction: "none", toOnehotY: true }, { values: far }),
          half: false,
        },
        {
          ...sample(`${name}-extreme-gamma-half`, [4, 3, 5], { useSoftmax, gamma: 0.5, toOnehotY: true }, { values: far }),
          half: false,
        },
        // Almost right: 1 − p has digits that the difference would lose.
        sample(
          `${name}-sure`,
          [4, 2, 3],
          { useSoftmax, gamma: 0.5, reduction: "none", toOnehotY: true },
          { values: cycle(8, -8, 6, -7, 9), target: cycle(0, 1) },
        ),
      ]),
    ],
    run: ({ input, target }, args) => focalLoss(input, target, args),
    reference,
    differentiable: ["input"],
    splits: true,
    half: ["input"],
    flops: ({ input }) => 20 * sizeOf(input),
    bytes: ({ input, target }) => bytesOf(input, target),
    errors: [
      { id: "rank", call: (z) => focalLoss(z([3]), z([3])), error: ShapeError, message: /^focalLoss: input must be \[N, C/ },
      {
        id: "target",
        call: (z) => focalLoss(z([2, 3, 4]), z([2, 1, 4])),
        error: ShapeError,
        message:
          /^focalLoss: target \[2, 1, 4\] does not fit the input \[2, 3, 4\]; expected \[2, 3, 4\]; for class indices set the option toOnehotY: true$/,
      },
      {
        id: "index-target",
        call: (z) => focalLoss(z([2, 3, 4]), z([2, 3, 4]), { toOnehotY: true }),
        error: ShapeError,
        message: /^focalLoss: target .*expected \[2, 1, 4\] \(class indices\)/,
      },
      {
        id: "weights",
        call: (z) => focalLoss(z([2, 3, 4]), z([2, 3, 4]), { weight: [1, 2] }),
        error: ShapeError,
        message: /^focalLoss: weight \[1, 2\] must have 3 entries/,
      },
      {
        id: "negative-weight",
        call: (z) => focalLoss(z([2, 3, 4]), z([2, 3, 4]), { weight: -1 }),
        error: ConfigError,
        message: /^focalLoss: weights must not be negative/,
      },
      {
        id: "reduction",
        call: (z) => focalLoss(z([2, 3]), z([2, 3]), { reduction: "avg" as "sum" }),
        error: ConfigError,
        message: /^focalLoss: reduction must be/,
      },
      {
        id: "dtype",
        call: (z) => focalLoss(z([2, 3], "i32"), z([2, 3])),
        error: DTypeError,
        message: /^focalLoss: input has type i32, expected f32/,
      },
    ],
  },
];
