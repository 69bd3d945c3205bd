/** @file Losses, and activations and reductions where they are hard, against PyTorch: the cases that test/fixtures/make_torch_losses.py stored. */

import { describe, expect, test } from "vitest";
import * as v from "../../../src/index.ts";
import { scope, type Tensor } from "../../../src/index.ts";
import { bceWithLogitsLoss, crossEntropyLoss, huberLoss, l1Loss, mseLoss, smoothL1Loss } from "../../../src/nn/index.ts";
import { device } from "../../lib/device.ts";
import { type Packed, readFixture, runStored, type StoredCase, type StoredRun } from "../../lib/fixture.ts";

const one =
  (f: (x: Tensor) => Tensor): StoredRun =>
  ({ input }) =>
    f(input);
const two =
  (f: (a: Tensor, b: Tensor) => Tensor): StoredRun =>
  ({ input, other }) =>
    f(input, other);
const extreme =
  (f: typeof v.max): StoredRun =>
  ({ input }, { dim }) => {
    const { values, indices } = f(input, dim);
    indices.dispose();
    return values;
  };

const ops: Readonly<Record<string, StoredRun>> = {
  relu6: one(v.relu6),
  selu: one(v.selu),
  gelu: ({ input }, options) => v.gelu(input, options),
  silu: one((x) => v.silu(x)),
  mish: one(v.mish),
  softplus: ({ input }, options) => v.softplus(input, options),
  hardswish: one(v.hardswish),
  log_sigmoid: one(v.logSigmoid),
  tanh: one(v.tanh),
  elu: one((x) => v.elu(x)),
  sign: one(v.sign),
  floor: one(v.floor),
  round: one(v.round),
  rsqrt: one(v.rsqrt),
  log_softmax: ({ input }, { dim }) => v.logSoftmax(input, dim),
  maximum: two(v.maximum),
  minimum: two(v.minimum),
  pow: ({ input }, { exponent }) => v.pow(input, exponent),
  pow_tensor: two(v.pow),
  where: ({ input, other }, { condition }) =>
    v.where(input.device.tensor({ data: condition.flat(), shape: input.shape }, "i32"), input, other),
  amax: ({ input }, { dim }) => v.amax(input, dim),
  amin: ({ input }, { dim }) => v.amin(input, dim),
  norm: ({ input }, { dim, p }) => v.vectorNorm(input, { axes: dim, p: p === "Infinity" ? Infinity : p }),
  max: extreme(v.max),
  min: extreme(v.min),
  var: ({ input }, { dim, correction }) => v.variance(input, dim, { correction }),
  std: ({ input }, { dim, correction }) => v.std(input, dim, { correction }),
  cross_entropy: ({ input, target, weight }, { label_smoothing, ignore_index, reduction }) =>
    crossEntropyLoss(input, target, { weight, labelSmoothing: label_smoothing, ignoreIndex: ignore_index, reduction }),
  bce_with_logits: ({ input, target, weight, pos_weight }, { reduction }) =>
    bceWithLogitsLoss(input, target, { weight, posWeight: pos_weight, reduction }),
  mse: ({ input, target }, options) => mseLoss(input, target, options),
  l1: ({ input, target }, options) => l1Loss(input, target, options),
  smooth_l1: ({ input, target }, options) => smoothL1Loss(input, target, options),
  huber: ({ input, target }, options) => huberLoss(input, target, options),
};

/** Every element for itself: a small one beside a large one has digits too. Exponentials far from 0 lose some, as |x| does. */
function expectElements(what: string, actual: ArrayLike<number>, { data }: Packed): void {
  data.forEach((expected, i) => {
    const error = Math.abs(actual[i] - expected);
    // NaN must fail.
    if (!(error <= 5e-6 * Math.abs(expected) + 5e-7))
      throw new Error(`${what}: element ${i} is ${actual[i]}, expected ${expected}: error ${error.toExponential(2)}`);
  });
}

const { cases } = readFixture<{ cases: StoredCase[] }>("torch_losses.json");

describe("PyTorch", () => {
  test.each(cases.map((c) => [c.id, c] as const))("torch_losses/%s", async (_, c) => {
    const { shape, values, gradients } = await runStored(c, ops[c.op]);
    expect(shape).toEqual(c.output.shape);
    expectElements("output", values.output, c.output);
    for (const [name, expected] of Object.entries(c.grads)) expectElements(`gradient of ${name}`, gradients[name], expected);
  });

  test.each(cases.filter((c) => c.args.indices).map((c) => [c.id, c] as const))("torch_losses/indices %s", async (_, c) => {
    const gpu = await device();
    const op = c.op === "max" ? v.max : v.min;
    const { values, indices } = scope(() => op(gpu.tensor(c.inputs.input), c.args.dim));
    expect([...(await indices.data())]).toEqual(c.args.indices);
    values.dispose();
    indices.dispose();
  });
});
