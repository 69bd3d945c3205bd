/** @file Rows of convolution and transposed convolution. */

import { conv, convTranspose, DTypeError, ShapeError, sizeOf } from "../../src/index.ts";
import { bytesOf, host, type Host, type Hosts, type Row, type Sample, type Shape, type Shapes } from "./row.ts";

type Spatial = number | readonly number[];

export interface ConvArgs {
  readonly stride?: Spatial;
  readonly padding?: Spatial;
  readonly dilation?: Spatial;
}

export interface ConvTransposeArgs extends ConvArgs {
  readonly outputPadding?: Spatial;
}

const spread = (value: Spatial, dims: number): readonly number[] =>
  typeof value === "number" ? new Array<number>(dims).fill(value) : value;
// Missing leading axes have size 1: 1-D and 2-D are 3-D of depth 1.
const three = (list: readonly number[], fill: number): readonly number[] => [
  ...new Array<number>(3 - list.length).fill(fill),
  ...list,
];

function options(args: ConvTransposeArgs, dims: number) {
  return {
    stride: spread(args.stride ?? 1, dims),
    padding: spread(args.padding ?? 0, dims),
    dilation: spread(args.dilation ?? 1, dims),
    outputPadding: spread(args.outputPadding ?? 0, dims),
  };
}

/** PyTorch's formula of `Conv3d`. */
export function convOutShape(x: Shape, weight: Shape, args: ConvArgs): number[] {
  const o = options(args, x.length - 2);
  const out = x
    .slice(2)
    .map((n, i) => Math.floor((n + 2 * o.padding[i] - o.dilation[i] * (weight[i + 2] - 1) - 1) / o.stride[i] + 1));
  return [x[0], weight[0], ...out];
}

/** PyTorch's formula of `ConvTranspose3d`. */
export function convTransposeOutShape(x: Shape, weight: Shape, args: ConvTransposeArgs): number[] {
  const o = options(args, x.length - 2);
  const out = x
    .slice(2)
    .map((n, i) => (n - 1) * o.stride[i] - 2 * o.padding[i] + o.dilation[i] * (weight[i + 2] - 1) + o.outputPadding[i] + 1);
  return [x[0], weight[1], ...out];
}

/** y[n, co, o] = bias[co] + Σ x[n, ci, o·stride + t·dilation − padding] · weight[co, ci, t]. */
export function convReference({ x, weight, bias }: Hosts, args: ConvArgs): Host {
  const dims = x.shape.length - 2;
  const o = options(args, dims);
  const y = host(convOutShape(x.shape, weight.shape, args));
  const [samples, inChannels] = x.shape;
  const outChannels = weight.shape[0];
  const [xd, xh, xw] = three(x.shape.slice(2), 1);
  const [yd, yh, yw] = three(y.shape.slice(2), 1);
  const [kd, kh, kw] = three(weight.shape.slice(2), 1);
  const [sd, sh, sw] = three(o.stride, 1);
  const [pd, ph, pw] = three(o.padding, 0);
  const [dd, dh, dw] = three(o.dilation, 1);
  let at = 0;
  for (let n = 0; n < samples; n++)
    for (let co = 0; co < outChannels; co++)
      for (let d = 0; d < yd; d++)
        for (let h = 0; h < yh; h++)
          for (let w = 0; w < yw; w++) {
            let sum = bias ? bias.data[co] : 0;
            for (let ci = 0; ci < inChannels; ci++)
              for (let td = 0; td < kd; td++)
                for (let th = 0; th < kh; th++)
                  for (let tw = 0; tw < kw; tw++) {
                    const id = d * sd + td * dd - pd;
                    const ih = h * sh + th * dh - ph;
                    const iw = w * sw + tw * dw - pw;
                    if (id < 0 || id >= xd || ih < 0 || ih >= xh || iw < 0 || iw >= xw) continue;
                    sum +=
                      x.data[(((n * inChannels + ci) * xd + id) * xh + ih) * xw + iw] *
                      weight.data[(((co * inChannels + ci) * kd + td) * kh + th) * kw + tw];
                  }
            y.data[at++] = sum;
          }
  return y;
}

/** A scatter: x[n, ci, i] · weight[ci, co, t] is added to y[n, co, i·stride + t·dilation − padding]. */
export function convTransposeReference({ x, weight, bias }: Hosts, args: ConvTransposeArgs): Host {
  const dims = x.shape.length - 2;
  const o = options(args, dims);
  const y = host(convTransposeOutShape(x.shape, weight.shape, args));
  const [samples, inChannels] = x.shape;
  const outChannels = weight.shape[1];
  const [xd, xh, xw] = three(x.shape.slice(2), 1);
  const [yd, yh, yw] = three(y.shape.slice(2), 1);
  const [kd, kh, kw] = three(weight.shape.slice(2), 1);
  const [sd, sh, sw] = three(o.stride, 1);
  const [pd, ph, pw] = three(o.padding, 0);
  const [dd, dh, dw] = three(o.dilation, 1);
  if (bias) y.data.forEach((_, i) => (y.data[i] = bias.data[Math.floor(i / (yd * yh * yw)) % outChannels]));
  let from = 0;
  for (let n = 0; n < samples; n++)
    for (let ci = 0; ci < inChannels; ci++)
      for (let d = 0; d < xd; d++)
        for (let h = 0; h < xh; h++)
          for (let w = 0; w < xw; w++) {
            const v = x.data[from++];
            for (let co = 0; co < outChannels; co++)
              for (let td = 0; td < kd; td++)
                for (let th = 0; th < kh; th++)
                  for (let tw = 0; tw < kw; tw++) {
                    const od = d * sd + td * dd - pd;
                    const oh = h * sh + th * dh - ph;
                    const ow = w * sw + tw * dw - pw;
                    if (od < 0 || od >= yd || oh < 0 || oh >= yh || ow < 0 || ow >= yw) continue;
                    y.data[(((n * outChannels + co) * yd + od) * yh + oh) * yw + ow] +=
                      v * weight.data[(((ci * outChannels + co) * kd + td) * kh + th) * kw + tw];
                  }
          }
  return y;
}

function sample<A>(op: string, id: string, x: Shape, weight: Shape, bias: boolean, args: A): Sample<A> {
  const channels = op === "conv" ? weight[0] : weight[1];
  return {
    id: `${op}/${id}`,
    inputs: { x: { shape: x }, weight: { shape: weight }, ...(bias ? { bias: { shape: [channels] } } : {}) },
    args,
  };
}

const c = (id: string, x: Shape, weight: Shape, bias: boolean, args: ConvArgs = {}) => sample("conv", id, x, weight, bias, args);
const t = (id: string, x: Shape, weight: Shape, bias: boolean, args: ConvTransposeArgs = {}) =>
  sample("convTranspose", id, x, weight, bias, args);

const convRow: Row<ConvArgs> = {
  name: "conv",
  samples: [
    c("1d-same", [2, 3, 11], [4, 3, 3], true, { padding: 1 }),
    c("1d-stride3-pad2-dilation2", [1, 2, 17], [3, 2, 4], false, { stride: 3, padding: 2, dilation: 2 }),
    c("1d-one-output", [2, 2, 5], [3, 2, 5], true),
    c("2d-empty-batch", [0, 2, 4, 3], [3, 2, 3, 3], true),
    c("1d-long", [1, 1, 3000], [2, 1, 7], true, { padding: 3 }),
    c("2d-valid", [1, 3, 6, 7], [2, 3, 3, 3], true),
    c("2d-same", [2, 3, 7, 6], [4, 3, 3, 3], true, { padding: 1 }),
    c("2d-stride2-pad1", [2, 1, 9, 8], [5, 1, 3, 3], true, { stride: 2, padding: 1 }),
    c("2d-1x1", [3, 5, 4, 4], [2, 5, 1, 1], true),
    c("2d-kernel-below-stride", [1, 2, 5, 7], [2, 2, 1, 1], false, { stride: 2 }),
    c("2d-kernel2-stride3", [2, 2, 8, 10], [3, 2, 2, 2], true, { stride: 3, padding: 1 }),
    c("2d-kernel5-stride1", [1, 2, 9, 8], [3, 2, 5, 5], true, { padding: 2 }),
    c("2d-kernel4-stride2", [1, 3, 10, 9], [2, 3, 4, 4], false, { stride: 2, padding: 1 }),
    c("2d-per-axis", [1, 2, 10, 11], [3, 2, 3, 2], false, { stride: [2, 3], padding: [2, 1], dilation: [2, 1] }),
    c("2d-stride2-dilation2", [2, 2, 9, 11], [2, 2, 3, 3], true, { stride: 2, padding: 2, dilation: 2 }),
    c("2d-stride4-dilation6", [1, 2, 15, 14], [2, 2, 3, 3], true, { stride: 4, padding: 6, dilation: 6 }),
    c("2d-pad-above-kernel", [1, 2, 4, 3], [2, 2, 2, 2], true, { padding: 3 }),
    c("2d-kernel-above-input", [1, 2, 3, 2], [2, 2, 5, 5], true, { padding: 2 }),
    c("2d-one-pixel", [2, 3, 1, 1], [4, 3, 3, 3], true, { padding: 1 }),
    c("2d-channels-1-to-17", [1, 1, 6, 5], [17, 1, 3, 3], true, { padding: 1 }),
    c("2d-channels-17-to-1", [1, 17, 6, 5], [1, 17, 3, 3], true, { padding: 1 }),
    c("2d-channels-9-to-5", [2, 9, 5, 4], [5, 9, 3, 3], true, { padding: 1 }),
    c("2d-channels-16-to-16", [1, 16, 5, 5], [16, 16, 3, 3], false, { padding: 1 }),
    c("2d-channels-17-to-33-stride2", [2, 17, 7, 7], [33, 17, 3, 3], true, { stride: 2, padding: 1 }),
    // Whole tiles of 64 threads times 16 or 8 pixels: nothing may be missing at their ends.
    c("2d-many-tiles", [2, 2, 32, 64], [3, 2, 3, 3], true, { padding: 1 }),
    c("2d-many-tiles-9-channels", [1, 2, 32, 32], [9, 2, 3, 3], false, { padding: 1 }),
    c("3d-same", [1, 2, 5, 6, 4], [3, 2, 3, 3, 3], true, { padding: 1 }),
    c("3d-stride2-pad1", [2, 1, 6, 5, 7], [2, 1, 3, 3, 3], true, { stride: 2, padding: 1 }),
    c("3d-per-axis", [1, 2, 5, 4, 6], [2, 2, 1, 3, 2], false, { stride: [1, 2, 2], padding: [0, 1, 1], dilation: [1, 1, 2] }),
    c("3d-dilation2", [1, 2, 6, 7, 5], [2, 2, 3, 3, 3], true, { padding: 2, dilation: 2 }),
    c("3d-channels-3-to-6-batch2", [2, 3, 4, 5, 3], [6, 3, 3, 3, 3], true, { padding: 1 }),
    c("3d-many-tiles", [1, 1, 13, 12, 14], [4, 1, 3, 3, 3], true, { padding: 1 }),
  ],
  run: ({ x, weight, bias }, args) => conv(x, weight, bias, args),
  reference: convReference,
  differentiable: ["x", "weight", "bias"],
  flops: ({ x, weight }, args) => 2 * sizeOf(convOutShape(x, weight, args)) * sizeOf(weight.slice(1)),
  bytes: ({ x, weight, ...rest }, args) => bytesOf(x, weight, ...Object.values(rest), convOutShape(x, weight, args)),
  errors: [
    { id: "rank", call: (z) => conv(z([3, 4]), z([2, 3])), error: ShapeError, message: /^conv: input must be .* got \[3, 4\]/ },
    {
      id: "rank-6",
      call: (z) => conv(z([1, 1, 2, 2, 2, 2]), z([1, 1, 1, 1, 1, 1])),
      error: ShapeError,
      message: /^conv: input must be .* 1 to 3 spatial axes/,
    },
    {
      id: "weight-rank",
      call: (z) => conv(z([1, 3, 4, 4]), z([2, 3, 3])),
      error: ShapeError,
      message: /^conv: weight \[2, 3, 3\] must have rank 4/,
    },
    {
      id: "channels",
      call: (z) => conv(z([1, 3, 4, 4]), z([2, 4, 3, 3])),
      error: ShapeError,
      message: /^conv: .*has 3 channels.*expects 4 on axis 1/,
    },
    {
      id: "bias",
      call: (z) => conv(z([1, 3, 4, 4]), z([2, 3, 3, 3]), z([3])),
      error: ShapeError,
      message: /^conv: bias \[3\] must be \[2\]/,
    },
    {
      id: "too-small",
      call: (z) => conv(z([1, 1, 2, 5]), z([1, 1, 3, 3])),
      error: ShapeError,
      message: /^conv: input size \[2, 5\].*kernel/,
    },
    {
      id: "stride",
      call: (z) => conv(z([1, 1, 4, 4]), z([1, 1, 3, 3]), undefined, { stride: 0 }),
      error: ShapeError,
      message: /^conv: stride must be integers of at least 1, got \[0, 0\]/,
    },
    {
      id: "padding",
      call: (z) => conv(z([1, 1, 4, 4]), z([1, 1, 3, 3]), undefined, { padding: 0.5 }),
      error: ShapeError,
      message: /^conv: padding must be integers/,
    },
    {
      id: "dilation-count",
      call: (z) => conv(z([1, 1, 4, 4]), z([1, 1, 3, 3]), undefined, { dilation: [1, 1, 1] }),
      error: ShapeError,
      message: /^conv: dilation has 3 entries for 2 spatial axes/,
    },
    {
      id: "dtype",
      call: (z) => conv(z([1, 1, 4, 4], "i32"), z([1, 1, 3, 3])),
      error: DTypeError,
      message: /^conv: input has type i32, expected f32/,
    },
  ],
};

const convTransposeRow: Row<ConvTransposeArgs> = {
  name: "convTranspose",
  samples: [
    t("1d-stride2-pad1-out1", [2, 3, 5], [3, 2, 3], true, { stride: 2, padding: 1, outputPadding: 1 }),
    t("1d-stride3-dilation2", [1, 2, 4], [2, 3, 4], false, { stride: 3, dilation: 2 }),
    t("1d-stride1", [1, 2, 6], [2, 3, 3], true),
    t("1d-one-input", [2, 2, 1], [2, 3, 5], true, { stride: 2, padding: 1 }),
    t("2d-empty-batch", [0, 2, 4, 3], [2, 3, 3, 3], true),
    t("1d-long", [1, 1, 1500], [1, 2, 3], true, { stride: 2, padding: 1, outputPadding: 1 }),
    t("2d-stride2-pad1-out1", [2, 4, 3, 4], [4, 2, 3, 3], true, { stride: 2, padding: 1, outputPadding: 1 }),
    t("2d-kernel2-stride2", [1, 3, 4, 3], [3, 2, 2, 2], true, { stride: 2 }),
    t("2d-kernel3-stride3-out2", [1, 2, 3, 4], [2, 3, 3, 3], true, { stride: 3, padding: 1, outputPadding: 2 }),
    t("2d-kernel5-stride2", [1, 2, 4, 3], [2, 2, 5, 5], false, { stride: 2, padding: 2, outputPadding: 1 }),
    t("2d-kernel1-stride2", [1, 2, 4, 3], [2, 3, 1, 1], true, { stride: 2 }),
    t("2d-kernel2-stride5", [2, 2, 3, 2], [2, 2, 2, 2], true, { stride: 5, outputPadding: 3 }),
    t("2d-kernel1-stride3-pad1", [1, 2, 4, 4], [2, 2, 1, 1], false, { stride: 3, padding: 1 }),
    t("2d-per-axis", [1, 2, 4, 5], [2, 3, 3, 2], true, {
      stride: [2, 1],
      padding: [1, 0],
      outputPadding: [1, 0],
      dilation: [1, 2],
    }),
    t("2d-stride2-dilation2", [1, 2, 4, 5], [2, 3, 3, 3], true, { stride: 2, padding: 1, dilation: 2, outputPadding: 1 }),
    t("2d-stride4-dilation6", [1, 2, 3, 4], [2, 2, 3, 3], true, { stride: 4, padding: 3, dilation: 6 }),
    t("2d-stride2-dilation4", [1, 2, 4, 3], [2, 2, 2, 3], false, { stride: 2, dilation: 4, outputPadding: 3 }),
    t("2d-stride6-dilation4", [1, 1, 3, 3], [1, 2, 4, 4], true, { stride: 6, padding: 2, dilation: 4, outputPadding: 5 }),
    t("2d-dilation-above-stride", [2, 2, 3, 4], [2, 2, 2, 2], true, { stride: 1, dilation: 3, outputPadding: 2 }),
    t("2d-stride1-pad1", [1, 3, 4, 4], [3, 2, 3, 3], true, { padding: 1 }),
    t("2d-channels-1-to-17", [1, 1, 4, 3], [1, 17, 3, 3], true, { stride: 2, padding: 1, outputPadding: 1 }),
    t("2d-channels-17-to-1", [1, 17, 4, 3], [17, 1, 3, 3], true, { stride: 2, padding: 1, outputPadding: 1 }),
    t("2d-channels-9-to-5", [2, 9, 3, 3], [9, 5, 3, 3], true, { stride: 2, padding: 1, outputPadding: 1 }),
    t("2d-channels-33-to-16", [1, 33, 3, 4], [33, 16, 2, 2], false, { stride: 2 }),
    t("2d-many-tiles", [2, 2, 32, 64], [2, 3, 3, 3], true, { stride: 2, padding: 1, outputPadding: 1 }),
    t("3d-stride2-pad1-out1", [1, 3, 3, 2, 4], [3, 2, 3, 3, 3], true, { stride: 2, padding: 1, outputPadding: 1 }),
    t("3d-kernel2-stride2", [1, 2, 2, 3, 2], [2, 2, 2, 2, 2], false, { stride: 2 }),
    t("3d-per-axis", [2, 2, 3, 2, 4], [2, 3, 2, 3, 1], true, {
      stride: [1, 2, 3],
      padding: [0, 1, 0],
      dilation: [2, 1, 1],
      outputPadding: [0, 1, 2],
    }),
    t("3d-stride2-dilation2", [1, 2, 3, 3, 2], [2, 2, 2, 3, 2], true, { stride: 2, padding: 1, dilation: 2, outputPadding: 1 }),
    t("3d-many-tiles", [1, 1, 12, 11, 10], [1, 2, 3, 3, 3], true, { stride: 2, padding: 1, outputPadding: 1 }),
  ],
  run: ({ x, weight, bias }, args) => convTranspose(x, weight, bias, args),
  reference: convTransposeReference,
  differentiable: ["x", "weight", "bias"],
  flops: ({ x, weight }) => 2 * sizeOf(x) * sizeOf(weight.slice(1)),
  bytes: ({ x, weight, ...rest }: Shapes, args) =>
    bytesOf(x, weight, ...Object.values(rest), convTransposeOutShape(x, weight, args)),
  errors: [
    {
      id: "rank",
      call: (z) => convTranspose(z([4]), z([4])),
      error: ShapeError,
      message: /^convTranspose: input must be .* got \[4\]/,
    },
    {
      id: "channels",
      call: (z) => convTranspose(z([1, 3, 4, 4]), z([2, 3, 3, 3])),
      error: ShapeError,
      message: /^convTranspose: .*has 3 channels.*expects 2 on axis 0/,
    },
    {
      id: "bias",
      call: (z) => convTranspose(z([1, 3, 4, 4]), z([3, 2, 3, 3]), z([2, 1])),
      error: ShapeError,
      message: /^convTranspose: bias \[2, 1\] must be \[2\]/,
    },
    {
      id: "output-padding",
      call: (z) => convTranspose(z([1, 3, 4, 4]), z([3, 2, 3, 3]), undefined, { stride: 2, outputPadding: 2 }),
      error: ShapeError,
      message: /^convTranspose: outputPadding \[2, 2\] must be smaller than stride \[2, 2\] or dilation/,
    },
    {
      id: "empty",
      call: (z) => convTranspose(z([1, 1, 1, 1]), z([1, 1, 1, 1]), undefined, { padding: 1 }),
      error: ShapeError,
      message: /^convTranspose: input size \[1, 1\].*empty size \[-1, -1\]/,
    },
    {
      id: "dtype",
      call: (z) => convTranspose(z([1, 1, 2, 2]), z([1, 1, 2, 2], "u32")),
      error: DTypeError,
      message: /^convTranspose: weight has type u32, expected f32/,
    },
  ],
};

export const rows = [convRow, convTransposeRow];
