/** @file Row of layer norm. */

import { DTypeError, layerNorm, ShapeError, sizeOf } from "../../../src/index.ts";
import { type NormArgs, wide } from "./norm.ts";
import { bytesOf, host, type Host, type Hosts, type Row, type Sample, type Shape } from "../../lib/row.ts";

interface LayerNormArgs extends NormArgs {
  readonly shape: Shape;
}

/** (x − mean) / √(variance + eps) · weight + bias over the trailing elements. */
function layerNormReference({ x, weight, bias }: Hosts, { shape, eps = 1e-5 }: LayerNormArgs): Host {
  const count = sizeOf(shape);
  const y = host(x.shape);
  for (let start = 0; start < x.data.length; start += count) {
    const part = x.data.subarray(start, start + count);
    const mean = part.reduce((a, b) => a + b, 0) / count;
    const variance = part.reduce((a, b) => a + (b - mean) ** 2, 0) / count;
    part.forEach((v, i) => {
      const h = (v - mean) / Math.sqrt(variance + eps);
      y.data[start + i] = weight && bias ? h * weight.data[i] + bias.data[i] : h;
    });
  }
  return y;
}

const layerSample = (id: string, x: Shape, shape: Shape, affine: boolean, args: NormArgs = {}): Sample<LayerNormArgs> => ({
  id: `layerNorm/${id}`,
  inputs: { x: { shape: x, values: wide(2, 3) }, ...(affine ? { weight: { shape }, bias: { shape } } : {}) },
  args: { shape, ...args },
});

const layer: Row<LayerNormArgs> = {
  name: "layerNorm",
  samples: [
    layerSample("tokens", [2, 5, 8], [8], true),
    layerSample("no-affine", [3, 7], [7], false),
    layerSample("two-axes", [4, 3, 5], [3, 5], true, { eps: 1e-3 }),
    layerSample("one-group", [65], [65], true),
    layerSample("many-groups", [3, 700, 5], [5], true),
    layerSample("above-one-workgroup", [3, 300], [300], true),
    layerSample("empty-batch", [0, 4], [4], true),
  ],
  run: ({ x, weight, bias }, { shape, ...args }) => layerNorm(x, shape, weight, bias, args),
  reference: layerNormReference,
  differentiable: ["x", "weight", "bias"],
  splits: true,
  half: ["x"],
  flops: ({ x }) => 8 * sizeOf(x),
  bytes: ({ x }) => 2 * bytesOf(x),
  errors: [
    {
      id: "shape",
      call: (z) => layerNorm(z([2, 3, 4]), [3]),
      error: ShapeError,
      message: /^layerNorm: input \[2, 3, 4\] must end in \[3\]/,
    },
    {
      id: "weight",
      call: (z) => layerNorm(z([2, 4]), 4, z([2]), z([4])),
      error: ShapeError,
      message: /^layerNorm: weight \[2\] must be \[4\]/,
    },
    {
      id: "no-bias",
      call: (z) => layerNorm(z([2, 4]), 4, z([4])),
      error: ShapeError,
      message: /^layerNorm: give weight and bias together/,
    },
    {
      id: "dtype",
      call: (z) => layerNorm(z([2, 4], "i32"), 4),
      error: DTypeError,
      message: /^layerNorm: x has type i32, expected f32/,
    },
  ],
};

export const rows = [layer];
