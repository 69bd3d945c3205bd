/** @file Functions of one tensor as modules, one or several operations each. */

import * as v from "../../src/index.ts";
import { add, type Tensor } from "../../src/index.ts";
import { Module } from "../../src/nn/index.ts";

/** A function as a module. */
export class Lambda extends Module {
  private readonly fn: (x: Tensor) => Tensor;

  constructor(fn: (x: Tensor) => Tensor) {
    super();
    this.fn = fn;
  }

  forward(x: Tensor): Tensor {
    return this.fn(x);
  }
}

const positive = (x: Tensor): Tensor => v.add(v.square(x), 0.5);
const row = (x: Tensor, data: readonly number[]): Tensor => x.device.tensor({ data, shape: [data.length] });

/** Operations that the networks of networks.ts lack, on [2, 4, 6, 8]. */
export const functions: Readonly<Record<string, (x: Tensor) => Tensor>> = {
  elu: (x) => v.elu(x, 0.7),
  selu: v.selu,
  gelu: v.gelu,
  "gelu tanh": (x) => v.gelu(x, { approximate: "tanh" }),
  silu: (x) => v.silu(x, 1.5),
  mish: v.mish,
  softplus: (x) => add(v.softplus(x, { beta: 2 }), v.softplus(v.mul(x, 3), { beta: 2, threshold: 3 })),
  hardswish: v.hardswish,
  logSigmoid: v.logSigmoid,
  relu6: v.relu6,
  erf: v.erf,
  "clamp, sign, floor, round": (x) => add(add(v.clamp(x, -0.5, 0.4), v.sign(x)), add(v.floor(v.mul(x, 3)), v.round(v.mul(x, 5)))),
  "exp, log, roots, powers": (x) => add(add(v.exp(x), v.log(positive(x))), add(v.rsqrt(positive(x)), v.pow(positive(x), 1.5))),
  "operands that are numbers": (x) => v.div(v.sub(v.maximum(x, -0.2), 3), v.minimum(positive(x), 0.9)),
  comparisons: (x) => v.where(v.gt(x, 0.1), v.ne(x, 2), v.le(x, -0.3)),
  reductions: (x) =>
    v.concat(
      [
        v.amax(x, [2], { keepDims: true }),
        v.std(x, [2], { keepDims: true }),
        v.vectorNorm(x, { axes: [2], keepDims: true }),
        v.vectorNorm(x, { p: 1, axes: 2, keepDims: true }),
      ],
      3,
    ),
  "extremes with indices": (x) => v.max(x, 1).values,
  argmax: (x) => v.cast(v.max(x, 1).indices, "f32"),
  // Two of two places are often the same for other numbers, so that they could pass for constants.
  "places of extremes": (x) =>
    add(v.cast(v.argmax(v.mean(x, [1, 2, 3], { keepDims: true }), 0), "f32"), v.cast(v.argmin(x, -1), "f32")),
  "indices as channels": (x) => v.oneHot(v.argmax(x, 1, { keepDims: true }), 5, { ignoreIndex: 2 }),
  // As products of weights leave them: a cast alone would cut them off.
  "indices a little below whole": (x) =>
    v.oneHot(v.sub(v.round(v.clamp(v.mul(v.slice(x, [undefined, [0, 1]]), 4), 0, 3)), 4e-4), 4),
  moves: (x) =>
    v.flip(
      v.stack(
        [v.permute(x, [0, 1, 3, 2]), v.repeat(v.slice(x, [undefined, undefined, [1, 2]]), [1, 1, 6, 1])].map((t) =>
          v.reshape(t, [2, 4, 48]),
        ),
      ),
      3,
    ),
  pads: (x) => v.pad(v.pad(x, [2, -1, 1, 0], { mode: "reflect" }), [1, 1, 0, 2], { value: -3 }),
  wrap: (x) => v.pad(x, [1, 2], { mode: "circular" }),
  expand: (x) => v.expand(v.mean(x, [2], { keepDims: true }), [2, 4, 5, 8]),
  "matrix products": (x) => v.matmul(x, x, { transposeB: true }),
  linear: (x) =>
    v.linear(
      x,
      v.reshape(
        v.slice(x, [
          [0, 1],
          [0, 1],
        ]),
        [6, 8],
      ),
      row(x, [1, 2, 3, 4, 5, 6]),
    ),
  "layer norm": (x) => v.layerNorm(x, [6, 8]),
  "group norm": (x) => v.groupNorm(x, 2, row(x, [1, 2, 3, 4]), row(x, [0, 1, 0, 1])),
  "batch norm of the batch": (x) => v.batchNorm(x, row(x, [1, 2, 3, 4]), row(x, [0, 1, 0, 1])),
  "average pools": (x) => v.avgPool(x, { kernelSize: 3, stride: 2, padding: 1, countIncludePad: false }),
  "average pool with a divisor": (x) => v.avgPool(x, { kernelSize: 2, divisorOverride: 3 }),
  "adaptive pools": (x) =>
    v.concat([v.adaptiveAvgPool(x, [3, 3]), v.adaptiveMaxPool(v.slice(x, [undefined, undefined, undefined, [0, 6]]), [3, 3])]),
  area: (x) => v.interpolate(x, { size: [3, 5], mode: "area" }),
  nearest: (x) => v.interpolate(x, { scaleFactor: [1.7, 0.6] }),
  "nearest of a factor that changes no size": (x) => v.interpolate(v.reshape(x, [2, 4, 48]), { scaleFactor: 1.02 }),
  "a factor that is worked out again": (x) =>
    v.interpolate(x, { scaleFactor: [1.3, 0.7], recomputeScaleFactor: true, mode: "bilinear" }),
  "bilinear along one axis that keeps its size": (x) => v.interpolate(x, { scaleFactor: [1.1, 1.5], mode: "bilinear" }),
  "nearest exact": (x) => v.interpolate(x, { size: [9, 5], mode: "nearest-exact" }),
  bicubic: (x) => v.interpolate(x, { scaleFactor: 1.5, mode: "bicubic", alignCorners: true }),
  bilinear: (x) => v.interpolate(x, { size: [9, 5], mode: "bilinear" }),
  "pixel shuffle": (x) => v.pixelUnshuffle(v.pixelShuffle(x, 2), 2),
  "pixel shuffle 1-D": (x) => v.pixelShuffle(v.reshape(x, [2, 4, 48]), 2),
  "grid sample": (x) =>
    v.gridSample(x, v.tanh(v.reshape(v.slice(x, [undefined, [0, 2]]), [2, 6, 8, 2])), { paddingMode: "border" }),
  gather: (x) => v.indexSelect(x, 3, x.device.tensor({ data: [6, 0, 0, 3], shape: [4] }, "i32")),
  unpool: (x) => {
    const { output, indices } = v.maxPoolWithIndices(x, { kernelSize: 2 });
    return v.maxUnpool(output, indices, { kernelSize: 2 });
  },
  checkpoint: (x) => v.checkpoint((t) => v.relu(t), [x]),
  cumsum: (x) => v.cumsum(x, 2),
};
