/** @file Operations against PyTorch: forward and gradients of the cases that test/fixtures/make_torch_ops.py stored. */

import { describe, expect, test } from "vitest";
import { conv, convTranspose, instanceNorm, prelu, softmax } from "../../src/index.ts";
import { expectClose } from "../lib/compare.ts";
import { readFixture, runStored, type StoredCase, type StoredRun } from "../lib/fixture.ts";

const runConv: StoredRun = ({ input, weight, bias }, { stride, padding, dilation }) =>
  conv(input, weight, bias, { stride, padding, dilation });
const runTranspose: StoredRun = ({ input, weight, bias }, { stride, padding, dilation, output_padding }) =>
  convTranspose(input, weight, bias, { stride, padding, dilation, outputPadding: output_padding });

const ops: Readonly<Record<string, StoredRun>> = {
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

/**
 * Size of the terms that cancel in a gradient. Normalizing two elements gives ±1 whatever they are, and a saturated softmax gives 0 or 1: what
 * is left of the gradient is far smaller than dy times the slope, whose rounding errors stay.
 */
function scale({ op, gradOutput, inputs }: StoredCase): number {
  const dy = Math.max(...gradOutput!.data.map(Math.abs));
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

const cases = readFixture<{ cases: StoredCase[] }>("torch_ops.json").cases.filter((c) => c.op in ops);

describe("PyTorch", () => {
  test.each(cases.map((c) => [c.id, c] as const))("torch/%s", async (_, c) => {
    const { shape, values, gradients } = await runStored(c, ops[c.op]);
    expect(shape).toEqual(c.output.shape);
    expectClose("output", values.output, c.output.data, forwardTolerance);
    for (const [name, { data }] of Object.entries(c.grads))
      expectClose(`gradient of ${name}`, gradients[name], data, gradientTolerance, scale(c));
  });

  test("torch/every kind of case is there", () => {
    expect([...new Set(cases.map((c) => c.op))].sort()).toEqual(Object.keys(ops).sort());
  });
});
