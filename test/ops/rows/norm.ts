/** @file Rows of instance and group norm, and what the rows of the other norms share. Those: norm_batch.ts, norm_layer.ts. */

import { DTypeError, groupNorm, instanceNorm, type NormCallOptions, ShapeError, sizeOf } from "../../../src/index.ts";
import {
  between,
  bytesOf,
  host,
  type Host,
  type Hosts,
  type InputSpec,
  normal,
  type Row,
  type Sample,
  type Shape,
  type Tensors,
  type Tolerance,
  type Values,
} from "../../lib/row.ts";

export interface NormArgs {
  readonly eps?: number;
  /** The slope below zero, if there is an activation: 0 for ReLU. An input `slope` is parametric ReLU. */
  readonly leak?: number;
  /** Where an input `residual` is added. */
  readonly added?: "behind" | "before";
}

export const options = ({ slope, residual }: Tensors, { eps, leak, added }: NormArgs): NormCallOptions => ({
  ...(eps === undefined ? {} : { eps }),
  ...(leak === undefined ? {} : { activation: leak === 0 ? "relu" : { leakyRelu: leak } }),
  ...(slope ? { activation: { prelu: slope } } : {}),
  ...(residual ? { residual: added === "before" ? { before: residual } : { behind: residual } } : {}),
});

/** z where z > 0, else slope · z, plus the residual behind or before that. */
export function rectified({ shape, data }: Host, { slope, residual }: Hosts, { leak = 1, added }: NormArgs): Host {
  const r = (i: number, where: string) => (residual && added === where ? residual.data[i] : 0);
  const z = { shape, data: data.map((v, i) => v + r(i, "before")) };
  const inner = sizeOf(z.shape.slice(2));
  const of = (i: number) => (slope ? slope.data[(Math.floor(i / inner) % z.shape[1]) % slope.data.length] : leak);
  return { shape, data: z.data.map((v, i) => (v > 0 ? v : v * of(i)) + r(i, "behind")) };
}

interface GroupNormArgs extends NormArgs {
  readonly groups: number;
}

/** (x − mean) / √(variance + eps) · weight[channel] + bias[channel] over each run of C / groups channels. */
export function groupNormReference(inputs: Hosts, args: GroupNormArgs): Host {
  const { x, weight, bias } = inputs;
  const { groups, eps = 1e-5 } = args;
  const [samples, channels] = x.shape;
  const inner = sizeOf(x.shape.slice(2));
  const y = host(x.shape);
  const count = (channels / groups) * inner;
  for (let g = 0; g < samples * groups; g++) {
    const part = x.data.subarray(g * count, (g + 1) * count);
    const mean = part.reduce((a, b) => a + b, 0) / count;
    const variance = part.reduce((a, b) => a + (b - mean) ** 2, 0) / count;
    for (let i = 0; i < count; i++) {
      const channel = Math.floor((g * count + i) / inner) % channels;
      const h = (part[i] - mean) / Math.sqrt(variance + eps);
      y.data[g * count + i] = weight && bias ? h * weight.data[channel] + bias.data[channel] : h;
    }
  }
  return rectified(y, inputs, args);
}

export const wide =
  (offset: number, spread: number): Values =>
  (random, i) =>
    offset + spread * normal(random, i);

interface Extra {
  readonly values?: Values;
  /** Number of slopes of a parametric ReLU. */
  readonly slopes?: number;
  readonly tolerance?: Partial<Tolerance>;
}

export function sample<A>(
  id: string,
  shape: Shape,
  affine: boolean,
  args: A,
  { values = wide(2, 3), slopes, tolerance }: Extra = {},
): Sample<A> {
  const perChannel: Record<string, InputSpec> = affine ? { weight: { shape: [shape[1]] }, bias: { shape: [shape[1]] } } : {};
  const residual: Record<string, InputSpec> = (args as NormArgs).added ? { residual: { shape } } : {};
  const slope: Record<string, InputSpec> = slopes ? { slope: { shape: [slopes], values: between(-0.3, 0.5) } } : {};
  return { id, inputs: { x: { shape, values }, ...perChannel, ...slope, ...residual }, args, tolerance };
}

const instance: Row<NormArgs> = {
  name: "instanceNorm",
  samples: [
    sample("instanceNorm/empty-batch", [0, 3, 4], true, {}),
    sample("instanceNorm/1d", [2, 3, 9], false, {}),
    sample("instanceNorm/2d", [2, 3, 5, 4], false, {}),
    sample("instanceNorm/2d-affine", [2, 3, 4, 5], true, {}),
    sample("instanceNorm/3d", [1, 2, 3, 4, 5], false, {}),
    sample("instanceNorm/3d-affine", [2, 3, 3, 2, 4], true, {}),
    sample("instanceNorm/eps", [1, 2, 3, 4], true, { eps: 0.5 }),
    // Two elements become ±1: the gradient is what eps leaves over, so errors are those of dy / deviation.
    sample("instanceNorm/two-elements", [1, 4, 2, 1], false, {}, { tolerance: { floor: 1 } }),
    sample("instanceNorm/above-one-workgroup", [2, 2, 17, 19], true, {}),
    sample(
      "instanceNorm/ct-offset",
      [1, 2, 12, 12],
      true,
      {},
      { values: wide(1000, 50), tolerance: { forward: 2e-5, gradient: 2e-5 } },
    ),
    // The nearest f32 to the mean is off by a thousandth of the deviation.
    { ...sample("instanceNorm/huge-mean", [2, 3, 5, 4], true, {}, { values: wide(1000, 0.03) }), half: false },
    sample("instanceNorm/volume", [1, 2, 26, 28, 30], true, {}, { tolerance: { gradient: 2e-5 } }),
    sample("instanceNorm/relu", [2, 3, 5, 4], false, { leak: 0 }),
    sample("instanceNorm/leaky-3d-affine", [2, 3, 3, 2, 5], true, { leak: 0.01 }),
    sample("instanceNorm/prelu", [2, 3, 4, 5], false, {}, { slopes: 1 }),
    sample("instanceNorm/prelu-per-channel-affine", [2, 3, 3, 5], true, {}, { slopes: 3 }),
    sample("instanceNorm/prelu-empty-batch", [0, 3, 4], true, {}, { slopes: 1 }),
    sample("instanceNorm/prelu-many-channels", [2, 40, 17, 4], true, {}, { slopes: 1 }),
    sample("instanceNorm/residual", [2, 3, 5, 4], false, { added: "behind" }),
    sample("instanceNorm/prelu-residual", [2, 3, 4, 5], true, { added: "behind" }, { slopes: 3 }),
    sample("instanceNorm/residual-relu", [2, 3, 5, 3], true, { leak: 0, added: "before" }),
    sample("instanceNorm/residual-prelu", [2, 3, 4, 5], false, { added: "before" }, { slopes: 1 }),
    sample(
      "instanceNorm/residual-leaky-volume",
      [1, 2, 26, 28, 30],
      true,
      { leak: 0.1, added: "before" },
      { tolerance: { gradient: 2e-5 } },
    ),
    sample("instanceNorm/constant-channel", [1, 2, 3, 3], true, {}, { values: () => 5, tolerance: { floor: 300 } }),
  ],
  run: (t, args) => instanceNorm(t.x, t.weight, t.bias, options(t, args)),
  reference: (inputs, args) => groupNormReference(inputs, { ...args, groups: inputs.x.shape[1] }),
  differentiable: ["x", "weight", "bias", "slope", "residual"],
  splits: true,
  half: ["x", "residual"],
  flops: ({ x }) => 8 * sizeOf(x),
  bytes: ({ x }) => 2 * bytesOf(x),
  errors: [
    {
      id: "slopes",
      call: (z) => instanceNorm(z([2, 3, 4]), undefined, undefined, { activation: { prelu: z([2]) } }),
      error: ShapeError,
      message: /^prelu: weight \[2\] must be \[1\] or \[3\]/,
    },
    {
      id: "residual",
      call: (z) => instanceNorm(z([2, 3, 4]), undefined, undefined, { residual: { behind: z([2, 1, 4]) } }),
      error: ShapeError,
      message: /^instanceNorm: residual is f32 \[2, 1, 4\], must be f32 \[2, 3, 4\]/,
    },
    {
      id: "slope-dtype",
      call: (z) => instanceNorm(z([2, 3, 4]), undefined, undefined, { activation: { prelu: z([1], "i32") } }),
      error: DTypeError,
      message: /slope has type i32, expected f32/,
    },
    {
      id: "rank",
      call: (z) => instanceNorm(z([4])),
      error: ShapeError,
      message: /^instanceNorm: input must be \[N, C, spatial…\], got \[4\]/,
    },
    {
      id: "one-element",
      call: (z) => instanceNorm(z([2, 3, 1, 1])),
      error: ShapeError,
      message: /^instanceNorm: expected more than 1 spatial element, got \[2, 3, 1, 1\]/,
    },
    {
      id: "weight",
      call: (z) => instanceNorm(z([2, 3, 4]), z([4]), z([3])),
      error: ShapeError,
      message: /^instanceNorm: weight \[4\] must be \[3\]/,
    },
    {
      id: "no-bias",
      call: (z) => instanceNorm(z([2, 3, 4]), z([3])),
      error: ShapeError,
      message: /^instanceNorm: give weight and bias together/,
    },
    {
      id: "dtype",
      call: (z) => instanceNorm(z([2, 3, 4], "i32")),
      error: DTypeError,
      message: /input has type i32, expected f32/,
    },
  ],
};

const group: Row<GroupNormArgs> = {
  name: "groupNorm",
  samples: [
    sample("groupNorm/2-of-6", [2, 6, 3, 4], false, { groups: 2 }),
    sample("groupNorm/2-of-6-affine", [2, 6, 3, 4], true, { groups: 2 }),
    sample("groupNorm/1-of-3-affine", [3, 3, 5], true, { groups: 1 }),
    sample("groupNorm/all-of-4-affine", [2, 4, 3, 2], true, { groups: 4 }),
    sample("groupNorm/empty-batch", [0, 4, 3], true, { groups: 2 }),
    sample("groupNorm/no-spatial", [3, 8], true, { groups: 2 }),
    sample("groupNorm/3d-8-of-16", [1, 16, 2, 3, 3], true, { groups: 8, eps: 1e-3 }),
    sample("groupNorm/relu-affine", [2, 6, 3, 4], true, { groups: 3, leak: 0 }),
    sample("groupNorm/prelu", [2, 6, 3, 3], false, { groups: 2 }, { slopes: 6 }),
    sample("groupNorm/prelu-no-spatial-affine", [3, 8], true, { groups: 2 }, { slopes: 1 }),
    sample("groupNorm/leaky-above-one-workgroup", [2, 4, 13, 12], true, { groups: 1, leak: 0.2 }),
    sample("groupNorm/leaky-residual", [2, 6, 3, 4], true, { groups: 3, leak: 0.2, added: "behind" }),
    sample("groupNorm/residual-relu", [2, 6, 3, 3], false, { groups: 2, leak: 0, added: "before" }),
    sample("groupNorm/above-one-workgroup", [2, 4, 13, 11], true, { groups: 2 }),
  ],
  run: (t, args) => groupNorm(t.x, args.groups, t.weight, t.bias, options(t, args)),
  reference: groupNormReference,
  differentiable: ["x", "weight", "bias", "slope", "residual"],
  splits: true,
  half: ["x", "residual"],
  flops: ({ x }) => 8 * sizeOf(x),
  bytes: ({ x }) => 2 * bytesOf(x),
  errors: [
    {
      id: "groups",
      call: (z) => groupNorm(z([2, 6, 4]), 4),
      error: ShapeError,
      message: /^groupNorm: 6 channels do not split into 4 groups/,
    },
    {
      id: "zero-groups",
      call: (z) => groupNorm(z([2, 6, 4]), 0),
      error: ShapeError,
      message: /^groupNorm: 6 channels do not split into 0/,
    },
    {
      id: "bias",
      call: (z) => groupNorm(z([2, 6, 4]), 2, z([6]), z([2])),
      error: ShapeError,
      message: /^groupNorm: bias \[2\] must be \[6\]/,
    },
  ],
};

export const rows = [instance, group];
