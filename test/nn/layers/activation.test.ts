/** @file Activation layers by MONAI's names. */

import { describe, expect, test } from "vitest";
import { ConfigError, scope } from "../../../src/index.ts";
import { activationLayer, type ActivationSpec } from "../../../src/nn/index.ts";
import { device } from "../../lib/device.ts";

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));
const x = [-4, -1.5, -0.5, 0, 0.75, 2, 7];
const total = x.reduce((s, v) => s + Math.exp(v), 0);
const gelu = (v: number) => (v / 2) * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (v + 0.044715 * v ** 3)));

const specs: readonly [ActivationSpec, (v: number) => number][] = [
  ["PRELU", (v) => (v > 0 ? v : v / 4)],
  [["PRELU", { init: 0.1 }], (v) => (v > 0 ? v : v / 10)],
  ["RELU", (v) => Math.max(v, 0)],
  ["RELU6", (v) => Math.min(Math.max(v, 0), 6)],
  [["LEAKYRELU", { negativeSlope: 0.3 }], (v) => (v > 0 ? v : 0.3 * v)],
  [["ELU", { alpha: 2 }], (v) => (v > 0 ? v : 2 * Math.expm1(v))],
  ["SELU", (v) => 1.0507009873554805 * (v > 0 ? v : 1.6732632423543772 * Math.expm1(v))],
  [["GELU", { approximate: "tanh" }], gelu],
  ["SIGMOID", sigmoid],
  ["LOGSIGMOID", (v) => Math.log(sigmoid(v))],
  ["TANH", Math.tanh],
  ["SOFTMAX", (v) => Math.exp(v) / total],
  [["LOGSOFTMAX", { axis: 1 }], (v) => v - Math.log(total)],
  [["SOFTPLUS", { beta: 2, threshold: 10 }], (v) => (2 * v > 10 ? v : Math.log1p(Math.exp(2 * v)) / 2)],
  ["HARDSWISH", (v) => (v * Math.min(Math.max(v + 3, 0), 6)) / 6],
  ["SILU", (v) => v * sigmoid(v)],
  [["SWISH", { alpha: 0.5 }], (v) => v * sigmoid(v / 2)],
  ["MEMSWISH", (v) => v * sigmoid(v)],
  ["MISH", (v) => v * Math.tanh(Math.log1p(Math.exp(v)))],
];

describe("activation layers", () => {
  test.each(specs.map(([spec, f]) => [JSON.stringify(spec), spec, f] as const))("activation/%s", async (_, spec, f) => {
    const gpu = await device();
    const layer = activationLayer(gpu, spec);
    const y = scope(() => layer.forward(gpu.tensor({ data: x, shape: [1, x.length] })));
    const values = await y.data();
    x.forEach((v, i) => expect(Math.abs(values[i] - f(v))).toBeLessThan(3e-6));
    y.dispose();
    layer.dispose();
  });

  test("activation/any case, and the exact GELU by default", async () => {
    const gpu = await device();
    const layer = activationLayer(gpu, "gelu" as "GELU");
    const y = scope(() => layer.forward(gpu.tensor({ data: [1], shape: [1] })));
    expect(Math.abs((await y.item()) - 0.8413447460685429)).toBeLessThan(1e-6);
    y.dispose();
  });

  test("activation/unknown names", async () => {
    const gpu = await device();
    expect(() => activationLayer(gpu, "SNAKE" as "RELU")).toThrow(ConfigError);
    expect(() => activationLayer(gpu, "SNAKE" as "RELU")).toThrow(/unknown activation "SNAKE"; known are PRELU, RELU, RELU6/);
    expect(() => activationLayer(gpu, "toString" as "RELU")).toThrow(ConfigError);
    expect(() =>
      activationLayer(gpu, ["GELU", { approximate: "erf" as "tanh" }]).forward(gpu.tensor({ data: [1], shape: [1] })),
    ).toThrow(/gelu: approximate must be "none" or "tanh", got "erf"/);
  });
});
