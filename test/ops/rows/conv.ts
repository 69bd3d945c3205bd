/** @file Row of convolution. */

import { conv, DTypeError, ShapeError, sizeOf } from "../../../src/index.ts";
import { bytesOf, host, type Host, type Hosts, type Row, type Sample, type Shape } from "../../lib/row.ts";

type Spatial = number | readonly number[];

type Padding = Spatial | readonly (readonly [number, number])[];

export interface ConvTransposeArgs {
  readonly stride?: Spatial;
  readonly padding?: Padding;
  readonly dilation?: Spatial;
  readonly groups?: number;
  readonly outputPadding?: Spatial;
}

export interface ConvArgs extends Omit<ConvTransposeArgs, "padding" | "outputPadding"> {
  readonly padding?: Padding | "same";
  readonly paddingMode?: "zeros" | "reflect" | "replicate" | "circular";
  readonly activation?: "none" | "relu";
}

/** Where position `i` of a padded axis of `n` elements reads. */
const outside: Readonly<Record<string, (i: number, n: number) => number>> = {
  reflect: (i, n) => (i < 0 ? -i : i >= n ? 2 * n - 2 - i : i),
  replicate: (i, n) => Math.max(0, Math.min(n - 1, i)),
  circular: (i, n) => (i + n) % n,
};

const spread = (value: Spatial, dims: number): readonly number[] =>
  typeof value === "number" ? new Array<number>(dims).fill(value) : value;
// Missing leading axes have size 1: 1-D and 2-D are 3-D of depth 1.
export const three = (list: readonly number[], fill: number): readonly number[] => [
  ...new Array<number>(3 - list.length).fill(fill),
  ...list,
];

export function options(args: ConvArgs & { readonly outputPadding?: Spatial }, taps: Shape) {
  const dims = taps.length;
  const dilation = spread(args.dilation ?? 1, dims);
  const { padding = 0 } = args;
  const ends: readonly (readonly number[])[] =
    padding === "same"
      ? taps.map((k, i) => [Math.floor(((k - 1) * dilation[i]) / 2), Math.ceil(((k - 1) * dilation[i]) / 2)])
      : typeof padding === "number" || typeof padding[0] === "number"
        ? spread(padding as Spatial, dims).map((p) => [p, p])
        : (padding as readonly (readonly number[])[]);
  return {
    stride: spread(args.stride ?? 1, dims),
    before: ends.map(([before]) => before),
    padded: ends.map(([before, after]) => before + after),
    dilation,
    outputPadding: spread(args.outputPadding ?? 0, dims),
  };
}

/** PyTorch's formula of `Conv3d`. */
export function convOutShape(x: Shape, weight: Shape, args: ConvArgs): number[] {
  const o = options(args, weight.slice(2));
  const out = x.slice(2).map((n, i) => Math.floor((n + o.padded[i] - o.dilation[i] * (weight[i + 2] - 1) - 1) / o.stride[i] + 1));
  return [x[0], weight[0], ...out];
}

/** y[n, co, o] = bias[co] + Σ x[n, ci, o·stride + t·dilation − padding] · weight[co, ci, t]. */
export function convReference({ x, weight, bias }: Hosts, args: ConvArgs): Host {
  const o = options(args, weight.shape.slice(2));
  const y = host(convOutShape(x.shape, weight.shape, args));
  const [samples, inChannels] = x.shape;
  const [outChannels, inGroup] = weight.shape;
  const outGroup = outChannels / (args.groups ?? 1);
  const read = outside[args.paddingMode ?? "zeros"] ?? ((i: number) => i);
  const [xd, xh, xw] = three(x.shape.slice(2), 1);
  const [yd, yh, yw] = three(y.shape.slice(2), 1);
  const [kd, kh, kw] = three(weight.shape.slice(2), 1);
  const [sd, sh, sw] = three(o.stride, 1);
  const [pd, ph, pw] = three(o.before, 0);
  const [dd, dh, dw] = three(o.dilation, 1);
  let at = 0;
  for (let n = 0; n < samples; n++)
    for (let co = 0; co < outChannels; co++)
      for (let d = 0; d < yd; d++)
        for (let h = 0; h < yh; h++)
          for (let w = 0; w < yw; w++) {
            let sum = bias ? bias.data[co] : 0;
            const first = Math.floor(co / outGroup) * inGroup;
            for (let ci = 0; ci < inGroup; ci++)
              for (let td = 0; td < kd; td++)
                for (let th = 0; th < kh; th++)
                  for (let tw = 0; tw < kw; tw++) {
                    const id = read(d * sd + td * dd - pd, xd);
                    const ih = read(h * sh + th * dh - ph, xh);
                    const iw = read(w * sw + tw * dw - pw, xw);
                    if (id < 0 || id >= xd || ih < 0 || ih >= xh || iw < 0 || iw >= xw) continue;
                    sum +=
                      x.data[(((n * inChannels + first + ci) * xd + id) * xh + ih) * xw + iw] *
                      weight.data[(((co * inGroup + ci) * kd + td) * kh + th) * kw + tw];
                  }
            y.data[at++] = args.activation === "relu" ? Math.max(sum, 0) : sum;
          }
  return y;
}

export function sample<A extends { groups?: number }>(
  op: string,
  id: string,
  x: Shape,
  weight: Shape,
  bias: boolean,
  args: A,
): Sample<A> {
  const channels = op === "conv" ? weight[0] : weight[1] * (args.groups ?? 1);
  return {
    id: `${op}/${id}`,
    inputs: { x: { shape: x }, weight: { shape: weight }, ...(bias ? { bias: { shape: [channels] } } : {}) },
    args,
  };
}

const c = (id: string, x: Shape, weight: Shape, bias: boolean, args: ConvArgs = {}) => sample("conv", id, x, weight, bias, args);

const convRow: Row<ConvArgs> = {
  name: "conv",
  samples: [
    c("1d-same", [2, 3, 11], [4, 3, 3], true, { padding: 1 }),
    c("1d-stride3-pad2-dilation2", [1, 2, 17], [3, 2, 4], false, { stride: 3, padding: 2, dilation: 2 }),
    c("2d-relu", [2, 3, 7, 9], [5, 3, 3, 3], true, { padding: 1, activation: "relu" }),
    c("3d-relu-groups", [1, 4, 4, 5, 3], [6, 2, 3, 3, 3], false, { padding: 1, groups: 2, activation: "relu" }),
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
    c("1d-groups2", [2, 4, 9], [6, 2, 3], true, { padding: 1, groups: 2 }),
    c("2d-groups3-odd-tiles", [2, 9, 6, 5], [15, 3, 3, 3], true, { padding: 1, groups: 3 }),
    c("2d-groups2-of-40", [1, 10, 5, 4], [40, 5, 3, 3], false, { padding: 1, groups: 2, stride: 2 }),
    c("2d-depthwise", [2, 7, 6, 5], [7, 1, 3, 3], true, { padding: 1, groups: 7 }),
    c("2d-depthwise-multiplier3-stride2", [1, 5, 7, 8], [15, 1, 3, 3], true, { padding: 1, groups: 5, stride: 2 }),
    c("2d-depthwise-one-each", [1, 18, 6, 6], [9, 2, 3, 3], true, { groups: 9, dilation: 2 }),
    c("2d-asymmetric", [1, 2, 5, 6], [3, 2, 3, 4], true, {
      padding: [
        [2, 0],
        [1, 3],
      ],
    }),
    c("2d-asymmetric-stride2", [2, 2, 6, 5], [3, 2, 3, 3], true, {
      stride: 2,
      padding: [
        [0, 1],
        [2, 1],
      ],
    }),
    c("2d-same-string", [1, 2, 5, 6], [3, 2, 3, 5], true, { padding: "same" }),
    c("2d-same-string-even", [1, 2, 5, 6], [3, 2, 4, 2], true, { padding: "same", dilation: [1, 3] }),
    c("1d-circular", [2, 2, 7], [3, 2, 5], true, { padding: 2, paddingMode: "circular" }),
    c("2d-reflect", [1, 2, 5, 6], [3, 2, 3, 3], true, { padding: [1, 2], paddingMode: "reflect", stride: 2 }),
    c("2d-replicate-asymmetric", [1, 2, 5, 6], [2, 2, 3, 3], false, {
      padding: [
        [2, 0],
        [1, 3],
      ],
      paddingMode: "replicate",
    }),
    c("3d-reflect-same", [1, 2, 4, 3, 4], [2, 1, 3, 3, 3], true, { padding: "same", paddingMode: "reflect", groups: 2 }),
    c("3d-groups4-asymmetric", [1, 8, 3, 4, 5], [4, 2, 2, 3, 2], true, {
      groups: 4,
      padding: [
        [1, 0],
        [1, 1],
        [0, 1],
      ],
    }),
    c("3d-same", [1, 2, 5, 6, 4], [3, 2, 3, 3, 3], true, { padding: 1 }),
    // Most taps reach nothing, whole planes of the kernel among them.
    c("3d-kernel5-of-few-elements", [2, 9, 1, 2, 3], [9, 9, 5, 3, 4], true, { padding: 2 }),
    c("3d-kernel5-stride2-dilation2-of-few", [1, 9, 3, 1, 2], [9, 9, 5, 3, 4], false, { padding: 4, stride: 2, dilation: 2 }),
    c("3d-no-tap-reaches", [1, 2, 1, 2, 1], [3, 2, 3, 3, 3], true, { padding: 4, stride: 10 }),
    c("3d-kernel5-of-few-33-channels", [1, 33, 2, 1, 2], [2, 33, 5, 3, 5], true, { padding: 2 }),
    c("3d-stride2-pad1", [2, 1, 6, 5, 7], [2, 1, 3, 3, 3], true, { stride: 2, padding: 1 }),
    c("3d-per-axis", [1, 2, 5, 4, 6], [2, 2, 1, 3, 2], false, { stride: [1, 2, 2], padding: [0, 1, 1], dilation: [1, 1, 2] }),
    c("3d-dilation2", [1, 2, 6, 7, 5], [2, 2, 3, 3, 3], true, { padding: 2, dilation: 2 }),
    c("3d-channels-3-to-6-batch2", [2, 3, 4, 5, 3], [6, 3, 3, 3, 3], true, { padding: 1 }),
    c("3d-many-tiles", [1, 1, 13, 12, 14], [4, 1, 3, 3, 3], true, { padding: 1 }),
  ],
  run: ({ x, weight, bias }, args) => conv(x, weight, bias, args),
  reference: convReference,
  differentiable: ["x", "weight", "bias"],
  splits: true,
  leastBinding: 20_736,
  half: ["x"],
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
      id: "groups",
      call: (z) => conv(z([1, 6, 4, 4]), z([8, 2, 3, 3]), undefined, { groups: 4 }),
      error: ShapeError,
      message: /^conv: 6 input and 8 output channels do not split into 4 groups/,
    },
    {
      id: "groups-channels",
      call: (z) => conv(z([1, 6, 4, 4]), z([4, 6, 3, 3]), undefined, { groups: 2 }),
      error: ShapeError,
      message: /^conv: .*has 6 channels.*expects 6 on axis 1 for each of 2 groups/,
    },
    {
      id: "same-stride",
      call: (z) => conv(z([1, 1, 4, 4]), z([1, 1, 3, 3]), undefined, { padding: "same", stride: 2 }),
      error: ShapeError,
      message: /^conv: padding "same" needs stride 1, got \[2, 2\]/,
    },
    {
      id: "asymmetric-count",
      call: (z) => conv(z([1, 1, 4, 4]), z([1, 1, 3, 3]), undefined, { padding: [[1, 1]] }),
      error: ShapeError,
      message: /^conv: padding has 1 entries for 2 spatial axes/,
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

export const rows = [convRow];
