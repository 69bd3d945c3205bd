/** @file Row of the region sums. */

import { DTypeError, regionSums, ShapeError, sizeOf } from "../../../src/index.ts";
import { softmaxReference } from "./softmax.ts";
import {
  awayFromZero,
  bytesOf,
  cycle,
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

interface RegionArgs {
  readonly activation?: "none" | "sigmoid" | "softmax";
  readonly mode?: "plain" | "squared" | "soft";
  readonly indexTarget?: boolean;
  readonly maskOf?: "terms" | "inputs";
  readonly ignoreIndex?: number;
}

/** Of an element of a channel, among the positions of all samples. */
function position([, channels, ...spatial]: Shape, i: number): number {
  const inner = sizeOf(spatial);
  return Math.floor(i / (channels * inner)) * inner + (i % inner);
}

/** Activation, one-hot target, then the three sums as MONAI's DiceLoss writes them; "soft" is its overlap (|q| + |t| − |q − t|) / 2. */
function reference({ x: logits, target, mask }: Hosts, args: RegionArgs): Host {
  const { activation = "none", mode = "plain", indexTarget = false, maskOf = "terms", ignoreIndex } = args;
  const m = (i: number) => mask?.data[position(logits.shape, i) % mask.data.length] ?? 1;
  const inputs = mask && maskOf === "inputs";
  const x: Host = { shape: logits.shape, data: logits.data.map((v, i) => (inputs ? v * m(i) : v)) };
  const [samples, channels] = x.shape;
  const inner = sizeOf(x.shape.slice(2));
  let q = x.data;
  if (activation === "sigmoid") q = q.map((v) => 1 / (1 + Math.exp(-v)));
  if (activation === "softmax") q = softmaxReference({ x }, {}).data;
  const t = q.map((_, i) => {
    const label = (inputs ? m(i) : 1) * target.data[indexTarget ? position(x.shape, i) : i];
    return indexTarget ? Number(label === Math.floor(i / inner) % channels) : label;
  });
  const y = host([3, samples, channels]);
  q.forEach((a, i) => {
    if (ignoreIndex !== undefined && target.data[position(x.shape, i)] === ignoreIndex) return;
    const b = t[i];
    const at = Math.floor(i / inner);
    const terms = {
      plain: [a * b, a, b],
      squared: [a * b, a * a, b * b],
      soft: [(Math.abs(a) + Math.abs(b) - Math.abs(a - b)) / 2, Math.abs(a), Math.abs(b)],
    }[mode];
    const factor = inputs ? 1 : m(i);
    terms.forEach((v, k) => (y.data[k * samples * channels + at] += factor * v));
  });
  return y;
}

const logits: Values = (random, i) => 2 * normal(random, i);
const binary = index(2);

function sample(id: string, shape: Shape, args: RegionArgs, x: Values = logits, target?: Values): Sample<RegionArgs> {
  // Soft labels have kinks where prediction and label meet; random ones do not meet.
  const labels = target ?? (args.indexTarget ? index(shape[1]) : args.mode === "soft" ? uniform : binary);
  return {
    id: `regionSums/${id}`,
    inputs: { x: { shape, values: x }, target: { shape: args.indexTarget ? shape.with(1, 1) : shape, values: labels } },
    args,
  };
}

const half: Values = index(2);

/** With a mask, and class indices as integers. */
function masked(id: string, shape: Shape, args: RegionArgs, maskShape: Shape, mask: Values = half): Sample<RegionArgs> {
  const { inputs, ...rest } = sample(id, shape, args);
  const target = { ...inputs.target, ...(args.indexTarget ? { dtype: "i32" as const } : {}) };
  return { ...rest, inputs: { ...inputs, target, mask: { shape: maskShape, values: mask } } };
}

const activations = ["none", "sigmoid", "softmax"] as const;
const modes = ["plain", "squared", "soft"] as const;

const row: Row<RegionArgs> = {
  name: "regionSums",
  samples: [
    sample("defaults", [2, 3, 4, 4], {}),
    ...activations.flatMap((activation) =>
      modes.flatMap((mode) =>
        [false, true].map((indexTarget) =>
          sample(
            `${activation}-${mode}${indexTarget ? "-index" : ""}`,
            [2, 3, 5, 4],
            { activation, mode, indexTarget },
            activation === "none" ? awayFromZero() : logits,
          ),
        ),
      ),
    ),
    ...(["terms", "inputs"] as const).flatMap((maskOf) => [
      masked(`masked-${maskOf}`, [2, 3, 5, 4], { activation: "sigmoid", maskOf }, [2, 1, 5, 4]),
      masked(`masked-${maskOf}-shared`, [3, 3, 5, 4], { activation: "softmax", maskOf, indexTarget: true }, [1, 1, 5, 4]),
      masked(`masked-${maskOf}-factors`, [2, 3, 5, 4], { activation: "softmax", mode: "squared", maskOf }, [2, 1, 5, 4], uniform),
      masked(`masked-${maskOf}-soft`, [2, 2, 7], { activation: "sigmoid", mode: "soft", maskOf }, [2, 1, 7], uniform),
    ]),
    masked("masked-chunks", [2, 2, 70, 71], { activation: "softmax", indexTarget: true }, [2, 1, 70, 71], uniform),
    sample("binary-3d", [3, 1, 4, 3, 2], { activation: "sigmoid" }),
    sample("no-spatial", [4, 3], { activation: "softmax", indexTarget: true }),
    ...[255, -1, 1].map((ignoreIndex) =>
      sample(
        `ignored-${ignoreIndex}`,
        [2, 3, 4, 4],
        { activation: "softmax", indexTarget: true, ignoreIndex },
        logits,
        cycle(0, ignoreIndex, 2, 1, ignoreIndex),
      ),
    ),
    sample("4096-positions", [1, 2, 64, 64], { activation: "sigmoid" }),
    sample("4900-positions-softmax-index", [2, 3, 70, 70], { activation: "softmax", indexTarget: true }),
    sample("4097-positions-squared", [2, 2, 4097], { activation: "sigmoid", mode: "squared" }),
    sample("9k-positions-soft", [1, 2, 21, 21, 21], { activation: "sigmoid", mode: "soft" }, logits, binary),
    sample("300k-positions", [1, 1, 64, 70, 70], { activation: "sigmoid" }),
    {
      ...sample("extreme-sigmoid", [1, 2, 6], { activation: "sigmoid" }, cycle(1e4, -1e4, 90, -90, 0)),
      tolerance: { floor: 1 },
      half: false,
    },
    {
      ...sample("extreme-softmax", [1, 3, 5], { activation: "softmax" }, cycle(1e4, -1e4, 0, 90)),
      tolerance: { floor: 1 },
      half: false,
    },
  ],
  run: ({ x, target, mask }, args) => regionSums(x, target, { ...args, mask }),
  reference,
  differentiable: ["x"],
  splits: true,
  half: ["x"],
  flops: ({ x }) => 10 * sizeOf(x),
  bytes: ({ x, target }) => bytesOf(x, target),
  errors: [
    {
      id: "rank",
      call: (z) => regionSums(z([3]), z([3])),
      error: ShapeError,
      message: /^regionSums: input must be \[N, C, spatial…\], got \[3\]/,
    },
    {
      id: "target",
      call: (z) => regionSums(z([2, 3, 4]), z([2, 1, 4])),
      error: ShapeError,
      message: /^regionSums: target \[2, 1, 4\] does not fit the input \[2, 3, 4\]; expected \[2, 3, 4\]$/,
    },
    {
      id: "index-target",
      call: (z) => regionSums(z([2, 3, 4]), z([2, 3, 4]), { indexTarget: true }),
      error: ShapeError,
      message: /^regionSums: target .*expected \[2, 1, 4\] \(class indices\)/,
    },
    {
      id: "mask",
      call: (z) => regionSums(z([2, 3, 4]), z([2, 3, 4]), { mask: z([2, 3, 4]) }),
      error: ShapeError,
      message: /^regionSums: mask \[2, 3, 4\] must be \[2, 1, 4\], or \[1, 1, 4\] for all samples/,
    },
    {
      id: "dtype",
      call: (z) => regionSums(z([2, 3, 4]), z([2, 3, 4], "i32")),
      error: DTypeError,
      message: /^regionSums: target has type i32, expected f32/,
    },
  ],
};

export const rows = [row];
