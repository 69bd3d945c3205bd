/** @file Rows of the losses of `voxgrad/nn`. */

import { ConfigError, DTypeError, type DType, ShapeError, sizeOf, type Tensor } from "../../../src/index.ts";
import type { Reduction } from "../../../src/autograd/cross_entropy.ts";
import {
  bceWithLogitsLoss,
  crossEntropyLoss,
  huberLoss,
  l1Loss,
  mseLoss,
  smoothL1Loss,
} from "../../../src/nn/losses/elementwise.ts";
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
  type Random,
  type Row,
  type Sample,
  type Shape,
  uniform,
  type Values,
} from "../../lib/row.ts";

interface CrossEntropyArgs {
  readonly ignoreIndex?: number;
  readonly labelSmoothing?: number;
  readonly reduction?: Reduction;
}

const reduced = (list: Host, reduction: Reduction, total: number): Host => {
  if (reduction === "none") return list;
  const sum = list.data.reduce((a, b) => a + b, 0);
  return host([], Float64Array.of(reduction === "sum" ? sum : sum / total));
};

/** −Σ_c w_c t_c log p_c from the definition, with smoothed targets. */
function crossEntropyReference({ input, target, weight }: Hosts, args: CrossEntropyArgs): Host {
  const { ignoreIndex = -100, labelSmoothing: e = 0, reduction = "mean" } = args;
  const classes = input.shape[1];
  const losses = host(input.shape.toSpliced(1, 1));
  const probabilities = target.shape.length === input.shape.length;
  let total = 0;
  everyIndex(losses.shape, (at, i) => {
    const places = Array.from({ length: classes }, (_, c) => flatten(input.shape, at.toSpliced(1, 0, c)));
    const x = places.map((k) => input.data[k]);
    const top = Math.max(...x);
    const lse = top + Math.log(x.reduce((s, v) => s + Math.exp(v - top), 0));
    const w = x.map((_, c) => weight?.data[c] ?? 1);
    const label = probabilities ? 0 : target.data[i];
    if (label === ignoreIndex || !(label in w)) return;
    const t = places.map((k, c) => (probabilities ? target.data[k] : c === label ? 1 : 0));
    losses.data[i] = t.reduce((s, v, c) => s + w[c] * ((1 - e) * v + e / classes) * (lse - x[c]), 0);
    total += probabilities ? 1 : w[label];
  });
  return reduced(losses, reduction, total);
}

const logits: Values = (random, i) => 3 * normal(random, i);

interface Inputs {
  readonly dtype?: DType;
  readonly weighted?: boolean;
  readonly values?: Values;
  readonly target?: Values;
}

const classSample = (id: string, shape: Shape, args: CrossEntropyArgs = {}, inputs: Inputs = {}): Sample<CrossEntropyArgs> => {
  const { dtype = "i32", weighted, values = logits, target = index(shape[1]) } = inputs;
  return {
    id: `crossEntropyLoss/${id}`,
    inputs: {
      input: { shape, values },
      target: { shape: shape.toSpliced(1, 1), values: target, dtype },
      ...(weighted ? { weight: { shape: [shape[1]], values: between(0.2, 2) } } : {}),
    },
    args,
  };
};

const probabilitySample = (id: string, args: CrossEntropyArgs = {}, weighted = false): Sample<CrossEntropyArgs> => ({
  id: `crossEntropyLoss/probabilities${id}`,
  inputs: {
    input: { shape: [2, 3, 4, 5], values: logits },
    target: { shape: [2, 3, 4, 5], values: uniform },
    ...(weighted ? { weight: { shape: [3], values: between(0.2, 2) } } : {}),
  },
  args,
});

const smooth = { labelSmoothing: 0.1 };
const reductions = ["none", "sum", "mean"] as const;
const holes: Values = cycle(-100, 0, 2, 1, -100, 1, 0);
const far: Values = cycle(1e4, -1e4, 0, 9999, -9999.5, 80, -90, 1e4, 1e4, -1e4, -1e4, -1e4);

const crossEntropyRow: Row<CrossEntropyArgs> = {
  name: "crossEntropyLoss",
  // Gradients of positions that are right vanish: the scale of errors is that of dy.
  tolerance: { gradient: 2e-6, floor: 1 },
  samples: [
    ...reductions.map((reduction) => classSample(reduction, [2, 3, 4, 5], { reduction })),
    ...reductions.map((reduction) =>
      classSample(
        `weighted-smooth-holes-${reduction}`,
        [2, 3, 4, 5],
        { reduction, ...smooth },
        { weighted: true, target: holes },
      ),
    ),
    ...reductions.map((reduction) => probabilitySample(`-${reduction}`, { reduction, ...smooth }, true)),
    probabilitySample(""),
    classSample("f32", [2, 4, 3, 3, 2], {}, { dtype: "f32" }),
    classSample("f32-holes", [2, 3, 7], {}, { dtype: "f32", target: holes }),
    classSample("u32", [2, 4, 3], {}, { dtype: "u32" }),
    classSample("weighted", [5, 4], {}, { weighted: true }),
    classSample("smooth", [5, 4], smooth),
    classSample("ignore-0", [3, 4, 5], { ignoreIndex: 0 }, { weighted: true }),
    classSample("ignore-255", [3, 4, 5], { ignoreIndex: 255 }, { target: cycle(0, 255, 3, 2, 255) }),
    classSample("one-class", [4, 1, 3], {}, { target: () => 0 }),
    classSample("many-classes", [2, 105, 9]),
    // 512 positions are a chunk on a software adapter, 4,096 elsewhere.
    classSample("chunks", [2, 3, 70, 71], { reduction: "mean" }, { weighted: true }),
    classSample("chunks-sum", [2, 3, 70, 71], { reduction: "sum" }),
    { ...classSample("extreme", [4, 3, 5], { reduction: "none" }, { values: far }), half: false },
    { ...classSample("extreme-mean", [4, 3, 5], smooth, { values: far, weighted: true }), half: false },
    classSample("sure", [4, 2, 3], { reduction: "none" }, { values: cycle(15, -15, 20, -20, 40), target: cycle(0, 1) }),
    classSample(
      "masked",
      [2, 3, 4],
      { reduction: "sum" },
      { values: (r, i) => (i % 12 >= 8 ? -3e38 : normal(r, i)), target: index(2) },
    ),
  ],
  run: ({ input, target, weight }, args) => crossEntropyLoss(input, target, { weight, ...args }),
  reference: crossEntropyReference,
  differentiable: ["input"],
  splits: true,
  half: ["input"],
  flops: ({ input }) => 6 * sizeOf(input),
  bytes: ({ input, target }) => bytesOf(input, target),
  errors: [
    {
      id: "rank",
      call: (z) => crossEntropyLoss(z([3]), z([])),
      error: ShapeError,
      message: /^crossEntropyLoss: input must be \[N, C/,
    },
    {
      id: "target",
      call: (z) => crossEntropyLoss(z([2, 3, 4]), z([2, 1, 4])),
      error: ShapeError,
      message: /^crossEntropyLoss: target \[2, 1, 4\] does not fit the input \[2, 3, 4\]; expected class indices \[2, 4\] or/,
    },
    {
      id: "weight",
      call: (z) => crossEntropyLoss(z([2, 3]), z([2]), { weight: z([2]) }),
      error: ShapeError,
      message: /^crossEntropyLoss: weight \[2\] must be \[3\], one per class/,
    },
    {
      id: "probabilities",
      call: (z) => crossEntropyLoss(z([2, 3]), z([2, 3], "i32")),
      error: DTypeError,
      message: /^crossEntropyLoss: target has type i32, expected f32 probabilities/,
    },
    {
      id: "smoothing",
      call: (z) => crossEntropyLoss(z([2, 3]), z([2]), { labelSmoothing: 2 }),
      error: ConfigError,
      message: /^crossEntropyLoss: labelSmoothing must be in \[0, 1\], got 2/,
    },
    {
      id: "reduction",
      call: (z) => crossEntropyLoss(z([2, 3]), z([2]), { reduction: "avg" as "sum" }),
      error: ConfigError,
      message: /^crossEntropyLoss: reduction must be/,
    },
  ],
};

interface PairArgs {
  readonly beta?: number;
  readonly delta?: number;
  readonly posWeight?: number;
  readonly reduction?: Reduction;
}

type PairLoss = (input: Tensor, target: Tensor, options: PairArgs & { readonly weight?: Tensor }) => Tensor;

interface Pair {
  readonly loss: PairLoss;
  readonly f: (x: number, t: number, args: PairArgs, posWeight: number) => number;
  readonly options?: readonly PairArgs[];
  readonly input?: Values;
  readonly target?: Values;
  readonly hard?: Sample<PairArgs>;
}

const softplus = (v: number) => Math.max(v, 0) + Math.log1p(Math.exp(-Math.abs(v)));

function pairReference(f: Pair["f"]) {
  return ({ input, target, weight, posWeight }: Hosts, args: PairArgs): Host => {
    const at = (h: Host | undefined, i: number) => h?.data[Math.floor(i / (input.data.length / h.data.length))] ?? 1;
    const data = input.data.map((x, i) => at(weight, i) * f(x, target.data[i], args, args.posWeight ?? at(posWeight, i)));
    return reduced({ shape: input.shape, data }, args.reduction ?? "mean", data.length);
  };
}

function pairRow(name: string, { loss, f, options = [], input = logits, target = normal, hard }: Pair): Row<PairArgs> {
  const sample = (id: string, shape: Shape, args: PairArgs, more: Sample<PairArgs>["inputs"] = {}): Sample<PairArgs> => ({
    id: `${name}/${id}`,
    inputs: { input: { shape, values: input }, target: { shape, values: target }, ...more },
    args,
  });
  const weight = { weight: { shape: [3, 1, 1], values: between(0.5, 2) } };
  return {
    name,
    tolerance: { floor: 0.1 },
    samples: [
      ...reductions.map((reduction) => sample(reduction, [2, 3, 4, 5], { reduction })),
      ...options.map((o) => sample(Object.entries(o).join("-").replace(",", "-"), [3, 5, 7], o)),
      sample("weighted", [3, 4, 5], {}, weight),
      sample("weighted-none", [3, 4, 5], { reduction: "none" }, weight),
      sample("large", [2, 70, 71], {}),
      ...(name === "bceWithLogitsLoss"
        ? [sample("pos-weight-channels", [3, 4, 5], {}, { posWeight: { shape: [3, 1, 1], values: between(0.5, 4) } })]
        : []),
      ...(hard ? [hard] : []),
    ],
    run: ({ input, target: wanted, ...more }, args) => loss(input, wanted, { ...args, ...more }),
    reference: pairReference(f),
    differentiable: ["input", "target"],
    splits: true,
    half: ["input"],
    flops: ({ input }) => 4 * sizeOf(input),
    bytes: ({ input }) => 2 * bytesOf(input),
    errors: [
      {
        id: "shapes",
        call: (z) => loss(z([2, 1]), z([2]), {}),
        error: ShapeError,
        message: new RegExp(`^${name}: target \\[2\\] must have the shape of the input \\[2, 1\\]`),
      },
      {
        id: "reduction",
        call: (z) => loss(z([2]), z([2]), { reduction: "avg" as "sum" }),
        error: ConfigError,
        message: new RegExp(`^${name}: reduction must be`),
      },
      {
        id: "weight",
        call: (z) => loss(z([2]), z([2]), { weight: z([3, 2]) }),
        error: ShapeError,
        message: new RegExp(`^${name}: weight \\[3, 2\\] does not broadcast to the input \\[2\\]`),
      },
    ],
  };
}

const whole = (random: Random): number => Math.floor(8 * random()) - 4;

export const rows: Row<any>[] = [
  crossEntropyRow,
  pairRow("mseLoss", { loss: mseLoss, f: (x, t) => (x - t) ** 2 }),
  // Whole numbers against others: finite differences must not step over the kink where the two are equal.
  pairRow("l1Loss", {
    loss: l1Loss,
    f: (x, t) => Math.abs(x - t),
    input: (random) => whole(random) + 0.2 + 0.6 * random(),
    target: (random) => whole(random),
  }),
  pairRow("smoothL1Loss", {
    loss: smoothL1Loss,
    f: (x, t, { beta = 1 }) => (Math.abs(x - t) < beta ? (x - t) ** 2 / 2 / beta : Math.abs(x - t) - beta / 2),
    options: [{ beta: 0.5 }, { beta: 0 }],
  }),
  pairRow("huberLoss", {
    loss: huberLoss,
    f: (x, t, { delta = 1 }) => (Math.abs(x - t) <= delta ? (x - t) ** 2 / 2 : delta * (Math.abs(x - t) - delta / 2)),
    options: [{ delta: 2.5 }],
  }),
  pairRow("bceWithLogitsLoss", {
    loss: bceWithLogitsLoss,
    f: (x, t, _, posWeight) => posWeight * t * softplus(-x) + (1 - t) * softplus(x),
    options: [{ posWeight: 3 }],
    target: (random) => (random() < 0.5 ? 0 : 0.25 + 0.75 * Math.round(random())),
    hard: {
      id: "bceWithLogitsLoss/hard",
      inputs: {
        input: { shape: [2, 6], values: cycle(90, -90, 1e4, -1e4, 0, 12) },
        target: { shape: [2, 6], values: (_, i) => (i < 6 ? 0 : 1) },
      },
      args: { reduction: "none" },
      half: false,
    },
  }),
];
