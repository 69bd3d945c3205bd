/** @file Rows of batch norm. */

import { batchNorm, concat, DTypeError, fixedBatchNorm, ShapeError, sizeOf } from "../../../src/index.ts";
import { between, bytesOf, host, type Hosts, type Row } from "../../lib/row.ts";
import { type NormArgs, options, rectified, sample, wide } from "./norm.ts";

/** (x − mean) / √(variance + eps) · weight[channel] + bias[channel] over all samples and positions of a channel; and the statistics. */
function batchNormReference({ x, weight, bias }: Hosts, { eps = 1e-5 }: NormArgs) {
  const [samples, channels] = x.shape;
  const inner = sizeOf(x.shape.slice(2));
  const count = samples * inner;
  const channel = x.data.map((_, i) => Math.floor(i / inner) % channels);
  const means = new Float64Array(channels);
  const variances = new Float64Array(channels);
  x.data.forEach((v, i) => (means[channel[i]] += v / count));
  x.data.forEach((v, i) => (variances[channel[i]] += (v - means[channel[i]]) ** 2 / count));
  const y = x.data.map((v, i) => {
    const c = channel[i];
    const h = (v - means[c]) / Math.sqrt(variances[c] + eps);
    return weight && bias ? h * weight.data[c] + bias.data[c] : h;
  });
  return { y: host(x.shape, y), means, variances, count };
}

const batch: Row<NormArgs> = {
  name: "batchNorm",
  samples: [
    sample("batchNorm/2d", [3, 2, 4, 5], false, {}),
    sample("batchNorm/2d-affine", [3, 4, 3, 5], true, {}),
    sample("batchNorm/3d-affine", [2, 3, 2, 3, 4], true, { eps: 1e-3 }),
    sample("batchNorm/no-spatial", [7, 3], true, {}),
    sample("batchNorm/one-sample", [1, 3, 4, 4], true, {}),
    sample("batchNorm/relu-affine", [3, 4, 3, 5], true, { leak: 0 }),
    sample("batchNorm/leaky", [2, 3, 2, 3, 4], false, { leak: 0.1 }),
    sample("batchNorm/prelu-affine", [3, 2, 4, 5], true, {}, { slopes: 1 }),
    sample("batchNorm/prelu-per-channel-no-spatial", [7, 3], true, {}, { slopes: 3 }),
    sample("batchNorm/prelu-above-one-workgroup", [4, 2, 12, 13], true, {}, { slopes: 2 }),
    sample("batchNorm/prelu-residual", [3, 2, 4, 5], true, { added: "behind" }, { slopes: 1 }),
    sample("batchNorm/residual-relu", [3, 4, 3, 5], true, { leak: 0, added: "before" }),
    sample("batchNorm/above-one-workgroup", [4, 2, 11, 13], true, {}),
  ],
  run: (t, args) => batchNorm(t.x, t.weight, t.bias, undefined, options(t, args)),
  reference: (inputs, args) => rectified(batchNormReference(inputs, args).y, inputs, args),
  differentiable: ["x", "weight", "bias", "slope", "residual"],
  splits: true,
  half: ["x", "residual"],
  flops: ({ x }) => 8 * sizeOf(x),
  bytes: ({ x }) => 2 * bytesOf(x),
  errors: [
    {
      id: "running-shape",
      call: (z) => batchNorm(z([2, 3]), undefined, undefined, { mean: z([3]), var: z([2]) }),
      error: ShapeError,
      message: /^batchNorm: running statistics \[2\] must be \[3\]/,
    },
    {
      id: "running-dtype",
      call: (z) => batchNorm(z([2, 3]), undefined, undefined, { mean: z([3], "i32"), var: z([3]) }),
      error: DTypeError,
      message: /^batchNorm: running mean has type i32, expected f32/,
    },
    {
      id: "one-value",
      call: (z) => batchNorm(z([1, 3])),
      error: ShapeError,
      message: /^batchNorm: expected more than 1 value per channel/,
    },
    {
      id: "weight",
      call: (z) => batchNorm(z([2, 3, 4]), z([2]), z([2])),
      error: ShapeError,
      message: /^batchNorm: weight \[2\] must be \[3\]/,
    },
  ],
};

interface RunningArgs extends NormArgs {
  readonly momentum?: number;
}

/** What `batchNorm` leaves in its running statistics: means, then variances. */
const running: Row<RunningArgs> = {
  name: "batchNorm",
  samples: [
    { id: "batchNorm/running", args: {} },
    { id: "batchNorm/running-momentum", args: { momentum: 0.6, eps: 1e-3 } },
  ].map(({ id, args }) => ({
    id,
    args,
    inputs: {
      x: { shape: [3, 4, 5, 3], values: wide(2, 3) },
      mean: { shape: [4] },
      var: { shape: [4], values: between(0.5, 2) },
    },
  })),
  run: ({ x, mean, var: variance }, { momentum, ...options }) => {
    batchNorm(
      x,
      undefined,
      undefined,
      { mean, var: variance, ...(momentum === undefined ? {} : { momentum }) },
      options,
    ).dispose();
    return concat([mean, variance], 0);
  },
  reference: (inputs, { momentum = 0.1, ...options }) => {
    const { means, variances, count } = batchNormReference(inputs, options);
    const blend = (before: number, now: number) => (1 - momentum) * before + momentum * now;
    const all = [
      ...inputs.mean.data.map((m, c) => blend(m, means[c])),
      ...inputs.var.data.map((v, c) => blend(v, (variances[c] * count) / (count - 1))),
    ];
    return host([all.length], Float64Array.from(all));
  },
  differentiable: [],
  splits: true,
  half: ["x"],
  flops: ({ x }) => 8 * sizeOf(x),
  bytes: ({ x }) => 2 * bytesOf(x),
};

const fixed: Row<NormArgs> = {
  name: "fixedBatchNorm",
  samples: [
    { id: "fixedBatchNorm/2d", shape: [2, 3, 4, 5], weighted: false, args: {} },
    { id: "fixedBatchNorm/3d-affine", shape: [2, 3, 2, 3, 4], weighted: true, args: { eps: 1e-2 } },
    { id: "fixedBatchNorm/no-spatial", shape: [4, 3], weighted: true, args: {} },
    { id: "fixedBatchNorm/leaky", shape: [2, 3, 3, 5], weighted: true, args: { leak: 0.1 } },
    { id: "fixedBatchNorm/prelu", shape: [2, 3, 3, 5], weighted: true, args: {}, slopes: 1 },
    { id: "fixedBatchNorm/prelu-per-channel", shape: [2, 3, 4, 4], weighted: true, args: {}, slopes: 3 },
    { id: "fixedBatchNorm/prelu-residual", shape: [2, 3, 4, 4], weighted: true, args: { added: "behind" as const }, slopes: 3 },
    { id: "fixedBatchNorm/residual-leaky", shape: [2, 3, 3, 5], weighted: true, args: { leak: 0.1, added: "before" as const } },
  ].map(({ id, shape, weighted, args, slopes }) => ({
    id,
    args,
    inputs: {
      x: { shape, values: wide(2, 3) },
      mean: { shape: [3] },
      variance: { shape: [3], values: between(0.5, 2) },
      ...(weighted ? { weight: { shape: [3] }, bias: { shape: [3] } } : {}),
      ...("added" in args ? { residual: { shape } } : {}),
      ...(slopes ? { slope: { shape: [slopes] } } : {}),
    },
  })),
  run: (t, args) => fixedBatchNorm(t.x, t.weight, t.bias, t.mean, t.variance, options(t, args)),
  reference: (inputs, args) => {
    const { x, weight, bias, mean, variance } = inputs;
    const { eps = 1e-5 } = args;
    const inner = sizeOf(x.shape.slice(2));
    const y = x.data.map((v, i) => {
      const c = Math.floor(i / inner) % x.shape[1];
      const h = (v - mean.data[c]) / Math.sqrt(variance.data[c] + eps);
      return weight && bias ? h * weight.data[c] + bias.data[c] : h;
    });
    return rectified(host(x.shape, y), inputs, args);
  },
  differentiable: ["x", "weight", "bias", "slope", "residual"],
  splits: true,
  half: ["x", "residual"],
  flops: ({ x }) => 2 * sizeOf(x),
  bytes: ({ x }) => 4 * bytesOf(x),
  errors: [
    {
      id: "mean",
      call: (z) => fixedBatchNorm(z([2, 3, 4]), undefined, undefined, z([2]), z([3])),
      error: ShapeError,
      message: /^fixedBatchNorm: mean \[2\] must be \[3\]/,
    },
  ],
};

export const rows = [batch, fixed, running];
