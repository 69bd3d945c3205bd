/** @file Operations against PyTorch: forward and gradients of the cases that test/fixtures/make_torch_ops.py stored. */

import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { conv, convTranspose, grad, instanceNorm, mul, prelu, scope, softmax, sum, type Tensor } from "../../src/index.ts";
import { expectClose, readAll } from "../lib/compare.ts";
import { device } from "../lib/device.ts";

interface Packed {
  readonly shape: readonly number[];
  readonly data: readonly number[];
}

interface Case {
  readonly id: string;
  readonly op: string;
  readonly args: Readonly<Record<string, any>>;
  readonly inputs: Readonly<Record<string, Packed>>;
  readonly gradOutput: Packed;
  readonly output: Packed;
  readonly grads: Readonly<Record<string, Packed>>;
}

type Run = (inputs: Record<string, Tensor>, args: Case["args"]) => Tensor;

const runConv: Run = ({ input, weight, bias }, { stride, padding, dilation }) =>
  conv(input, weight, bias, { stride, padding, dilation });
const runTranspose: Run = ({ input, weight, bias }, { stride, padding, dilation, output_padding }) =>
  convTranspose(input, weight, bias, { stride, padding, dilation, outputPadding: output_padding });

const ops: Readonly<Record<string, Run>> = {
  conv1d: runConv,
  conv2d: runConv,
  conv3d: runConv,
  conv_transpose1d: runTranspose,
  conv_transpose2d: runTranspose,
  conv_transpose3d: runTranspose,
  instance_norm: ({ input, weight, bias }, { eps }) => instanceNorm(input, weight, bias, { eps }),
  prelu: ({ input, weight }) => prelu(input, weight),
  softmax: ({ input }, { dim }) => softmax(input, dim),
};

const forwardTolerance = 2e-6;
const gradientTolerance = 5e-6;

const values = (p: Packed): Float64Array => Float64Array.from(p.data);

/**
 * Size of the terms that cancel in a gradient. Normalizing two elements gives ±1 whatever they are, and a saturated softmax gives 0 or 1: what
 * is left of the gradient is far smaller than dy times the slope, whose rounding errors stay.
 */
function scale({ op, gradOutput, inputs }: Case): number {
  const dy = Math.max(...gradOutput.data.map(Math.abs));
  if (op === "softmax") return dy;
  if (op !== "instance_norm") return 0;
  // The steepest slope is 1 / deviation of the narrowest channel.
  const { shape, data } = inputs.input;
  const count = shape.slice(2).reduce((a, b) => a * b, 1);
  let slope = 0;
  for (let start = 0; start < data.length; start += count) {
    const part = data.slice(start, start + count);
    const mean = part.reduce((a, b) => a + b, 0) / count;
    slope = Math.max(slope, 1 / Math.sqrt(part.reduce((a, b) => a + (b - mean) ** 2, 0) / count + 1e-5));
  }
  return dy * slope;
}

const file = JSON.parse(readFileSync(new URL("../fixtures/torch_ops.json", import.meta.url), "utf8")) as { cases: Case[] };
const cases = file.cases.filter((c) => c.op in ops);

describe("PyTorch", () => {
  test.each(cases.map((c) => [c.id, c] as const))("torch/%s", async (_, c) => {
    const gpu = await device();
    const names = Object.keys(c.grads);
    const results = scope(() => {
      const inputs = Object.fromEntries(Object.entries(c.inputs).map(([name, p]) => [name, gpu.tensor(p)]));
      for (const name of names) inputs[name].requiresGrad = true;
      const y = ops[c.op](inputs, c.args);
      const gradients = grad(
        sum(mul(y, gpu.tensor(c.gradOutput))),
        names.map((name) => inputs[name]),
      );
      return { y, ...Object.fromEntries(names.map((name, i) => [name, gradients[i]])) };
    });
    const { y, ...gradients } = await readAll(results);
    expect(results.y.shape).toEqual(c.output.shape);
    for (const t of Object.values(results)) t.dispose();
    expectClose("output", y, values(c.output), forwardTolerance);
    for (const name of names)
      expectClose(`gradient of ${name}`, gradients[name], values(c.grads[name]), gradientTolerance, scale(c));
  });

  test("torch/every kind of case is there", () => {
    expect([...new Set(cases.map((c) => c.op))].sort()).toEqual(Object.keys(ops).sort());
  });
});
