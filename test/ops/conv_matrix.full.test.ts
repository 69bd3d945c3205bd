/**
 * @file The kernels of convolution for matrix units agree with the plain ones of f16. Few software adapters have subgroup matrices: lavapipe of Mesa 26, of
 * 8 x 8 x 8. What GPUs make of them is compiled for bench/results/isa.md.
 */

import { afterEach, describe, test } from "vitest";
import * as vx from "../../src/index.ts";
import { type ConvOptions, type Device, openDevice, type Tensor } from "../../src/index.ts";
import { convShape, convTransposeShape } from "../../src/kernels/conv/shape.ts";
import { gatherProblem, weightProblem } from "../../src/kernels/conv/variants.ts";
import { matricesOf } from "../../src/kernels/lib/matrices.ts";
import { expectClose, readAll } from "../lib/compare.ts";
import { normal, seeded } from "../lib/row.ts";

const device: Device = await openDevice({ toggles: ["enable-dawn-features=allow_unsafe_apis"] });
afterEach(() => device.choices.clear());

type Case = readonly [name: string, x: readonly number[], weight: readonly number[], options: ConvOptions];

// [N, C, …] and [out, in / groups, taps…].
const cases: readonly Case[] = [
  ["whole steps", [2, 16, 12, 24], [32, 16, 3, 3], { padding: 1 }],
  ["odd channels and rows", [2, 33, 6, 7, 9], [130, 33, 3, 3, 3], { padding: 1 }],
  ["stride", [1, 20, 17, 13], [70, 20, 3, 3], { padding: 1, stride: 2 }],
  ["stride of three", [1, 20, 17, 13], [24, 20, 3, 3], { padding: 2, stride: [1, 3] }],
  ["dilated along one axis", [1, 16, 6, 7, 9], [16, 16, 3, 1, 2], { padding: [2, 0, 1], dilation: [2, 1, 1] }],
  ["groups", [1, 64, 5, 5], [48, 32, 5, 3], { padding: [2, 1], groups: 2 }],
  ["one dimension, no padding", [3, 8, 11], [12, 8, 3], {}],
  ["one tap", [1, 24, 8, 8], [12, 24, 1, 1], {}],
  ["a window of five taps", [2, 24, 5, 16], [20, 24, 3, 5], { padding: [1, 2] }],
  ["a window of dilated taps", [1, 16, 4, 20], [16, 16, 3, 3], { padding: [1, 2], dilation: [1, 2] }],
  ["a window without padding, of few rows", [1, 16, 3, 4, 22], [16, 16, 2, 2, 3], {}],
  ["a window of two taps", [1, 16, 5, 20], [16, 16, 3, 2], { padding: 1 }],
  ["a window of odd rows, four taps", [2, 33, 5, 21], [16, 33, 1, 4], { padding: [0, 2] }],
  ["more padding than taps reach", [1, 48, 6, 18], [80, 48, 3, 3], { padding: 3 }],
  ["one tap, odd rows, padding", [1, 24, 3, 7], [12, 24, 1, 1], { padding: 1 }],
  ["seven taps", [1, 24, 3, 16], [24, 24, 1, 7], { padding: [0, 3] }],
  ["taps too far apart for a window", [1, 16, 3, 32], [16, 16, 1, 3], { padding: [0, 6], dilation: [1, 6] }],
  ["wide tiles of whole runs", [1, 72, 4, 16], [72, 72, 3, 3], { padding: 1 }],
  ["one tap, wide tiles", [1, 72, 4, 8], [72, 72, 1, 1], {}],
  ["stride in three dimensions", [2, 40, 6, 8, 16], [72, 40, 3, 3, 3], { padding: 1, stride: 2 }],
  ["a handful of positions", [1, 64, 2, 3], [64, 64, 3, 3], { padding: 1 }],
];

async function run([, shape, weight, options]: Case, transposed: boolean) {
  const { groups = 1 } = options;
  const ws = transposed ? [shape[1], weight[0] / groups, ...weight.slice(2)] : weight;
  const random = seeded("matrix");
  const tensor = (s: readonly number[]) =>
    device.tensor({ data: Float32Array.from({ length: vx.sizeOf(s) }, (_, i) => normal(random, i)), shape: s });
  const results = vx.scope((): Record<string, Tensor> => {
    const [x, w, b] = [tensor(shape), tensor(ws), tensor([weight[0]])];
    for (const t of [x, w, b]) t.requiresGrad = true;
    const y = vx.withPrecision("f16", () => (transposed ? vx.convTranspose : vx.conv)(x, w, b, options as never));
    const [dx, dw] = vx.grad(vx.sum(vx.mul(vx.float32(y), tensor(y.shape))), [x, w]);
    return { y: vx.float32(y), dx, dw };
  });
  const values = await readAll(results);
  for (const t of Object.values(results)) t.dispose();
  return values;
}

describe.skipIf(!matricesOf(device))("conv matrix", () => {
  describe.each(["conv", "convTranspose"])("%s", (op) => {
    test.each(cases)("%s", async (...given) => {
      const transposed = op === "convTranspose";
      const [name, x, w, options] = given;
      const ws = transposed ? [x[1], w[0] / (options.groups ?? 1), ...w.slice(2)] : w;
      const g = (transposed ? convTransposeShape : convShape)(x, ws, undefined, options as never);
      const choose = (gather: string, weight: string) => {
        for (const t of [false, true]) device.choices.set(gatherProblem(g, t, true), gather);
        device.choices.set(weightProblem(g, true), weight);
        return run(given, transposed);
      };
      const plain = await choose("direct 4x8", "direct");
      const matrix = await choose("matrix", "weight matrix");
      for (const key of ["y", "dx", "dw"]) expectClose(`${key} ${name}`, matrix[key], plain[key], 2e-3);
    });
  });
});
