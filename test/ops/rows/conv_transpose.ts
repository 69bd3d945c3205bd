/** @file Row of transposed convolution. */

import { convTranspose, DTypeError, ShapeError, sizeOf } from "../../../src/index.ts";
import { bytesOf, host, type Host, type Hosts, type Row, type Shape, type Shapes } from "../../lib/row.ts";
import { type ConvTransposeArgs, options, sample, three } from "./conv.ts";

/** PyTorch's formula of `ConvTranspose3d`. */
export function convTransposeOutShape(x: Shape, weight: Shape, args: ConvTransposeArgs): number[] {
  const o = options(args, weight.slice(2));
  const out = x
    .slice(2)
    .map((n, i) => (n - 1) * o.stride[i] - o.padded[i] + o.dilation[i] * (weight[i + 2] - 1) + o.outputPadding[i] + 1);
  return [x[0], weight[1] * (args.groups ?? 1), ...out];
}

/** A scatter: x[n, ci, i] · weight[ci, co, t] is added to y[n, co, i·stride + t·dilation − padding]. */
function convTransposeReference({ x, weight, bias }: Hosts, args: ConvTransposeArgs): Host {
  const o = options(args, weight.shape.slice(2));
  const y = host(convTransposeOutShape(x.shape, weight.shape, args));
  const [samples, inChannels] = x.shape;
  const outGroup = weight.shape[1];
  const inGroup = inChannels / (args.groups ?? 1);
  const outChannels = y.shape[1];
  const [xd, xh, xw] = three(x.shape.slice(2), 1);
  const [yd, yh, yw] = three(y.shape.slice(2), 1);
  const [kd, kh, kw] = three(weight.shape.slice(2), 1);
  const [sd, sh, sw] = three(o.stride, 1);
  const [pd, ph, pw] = three(o.before, 0);
  const [dd, dh, dw] = three(o.dilation, 1);
  if (bias) y.data.forEach((_, i) => (y.data[i] = bias.data[Math.floor(i / (yd * yh * yw)) % outChannels]));
  let from = 0;
  for (let n = 0; n < samples; n++)
    for (let ci = 0; ci < inChannels; ci++)
      for (let d = 0; d < xd; d++)
        for (let h = 0; h < xh; h++)
          for (let w = 0; w < xw; w++) {
            const v = x.data[from++];
            const first = Math.floor(ci / inGroup) * outGroup;
            for (let co = 0; co < outGroup; co++)
              for (let td = 0; td < kd; td++)
                for (let th = 0; th < kh; th++)
                  for (let tw = 0; tw < kw; tw++) {
                    const od = d * sd + td * dd - pd;
                    const oh = h * sh + th * dh - ph;
                    const ow = w * sw + tw * dw - pw;
                    if (od < 0 || od >= yd || oh < 0 || oh >= yh || ow < 0 || ow >= yw) continue;
                    y.data[(((n * outChannels + first + co) * yd + od) * yh + oh) * yw + ow] +=
                      v * weight.data[(((ci * outGroup + co) * kd + td) * kh + th) * kw + tw];
                  }
          }
  return y;
}

const t = (id: string, x: Shape, weight: Shape, bias: boolean, args: ConvTransposeArgs = {}) =>
  sample("convTranspose", id, x, weight, bias, args);

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
    t("1d-groups2", [2, 4, 5], [4, 3, 3], true, { stride: 2, padding: 1, groups: 2 }),
    t("2d-groups3-odd-tiles", [2, 9, 3, 4], [9, 5, 3, 3], true, { stride: 2, padding: 1, outputPadding: 1, groups: 3 }),
    t("2d-depthwise", [2, 7, 4, 3], [7, 1, 2, 2], true, { stride: 2, groups: 7 }),
    t("2d-depthwise-multiplier2", [1, 5, 4, 3], [5, 2, 3, 3], false, { stride: 2, padding: 1, groups: 5 }),
    t("2d-asymmetric", [1, 2, 4, 5], [2, 3, 3, 4], true, {
      stride: 2,
      padding: [
        [0, 2],
        [1, 0],
      ],
      outputPadding: [1, 0],
    }),
    t("3d-groups2", [1, 4, 2, 3, 2], [4, 2, 2, 2, 2], true, { stride: 2, groups: 2 }),
    t("3d-stride2-pad1-out1", [1, 3, 3, 2, 4], [3, 2, 3, 3, 3], true, { stride: 2, padding: 1, outputPadding: 1 }),
    t("3d-kernel2-stride2", [1, 2, 2, 3, 2], [2, 2, 2, 2, 2], false, { stride: 2 }),
    t("3d-per-axis", [2, 2, 3, 2, 4], [2, 3, 2, 3, 1], true, {
      stride: [1, 2, 3],
      padding: [0, 1, 0],
      dilation: [2, 1, 1],
      outputPadding: [0, 1, 2],
    }),
    t("3d-stride2-dilation2", [1, 2, 3, 3, 2], [2, 2, 2, 3, 2], true, { stride: 2, padding: 1, dilation: 2, outputPadding: 1 }),
    t("3d-kernel5-of-few-elements", [2, 9, 1, 2, 1], [9, 9, 5, 3, 4], true, { stride: 2, padding: 2, outputPadding: 1 }),
    t("3d-many-tiles", [1, 1, 12, 11, 10], [1, 2, 3, 3, 3], true, { stride: 2, padding: 1, outputPadding: 1 }),
  ],
  run: ({ x, weight, bias }, args) => convTranspose(x, weight, bias, args),
  reference: convTransposeReference,
  differentiable: ["x", "weight", "bias"],
  splits: true,
  leastBinding: 20_736,
  half: ["x"],
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
      id: "groups",
      call: (z) => convTranspose(z([1, 3, 4, 4]), z([3, 2, 3, 3]), undefined, { groups: 2 }),
      error: ShapeError,
      message: /^convTranspose: 3 input channels do not split into 2 groups/,
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

export const rows = [convTransposeRow];
