/**
 * @file Convolutions and norms that add to their result what is there, a residual or what other operations gave to a gradient, give the bits of an addition
 * behind them: in every kind of kernel, in f16, in pieces and captured.
 */

import { afterEach, describe, expect, test } from "vitest";
import * as vx from "../../src/index.ts";
import { capture, type Device, grad, mul, openDevice, profile, scope, sum, type Tensor } from "../../src/index.ts";
import { convPlus } from "../../src/autograd/conv.ts";
import { expectClose, expectSameBits, readAll } from "../lib/compare.ts";
import { device as open } from "../lib/device.ts";
import { normal, seeded } from "../lib/row.ts";

const device = await open();
afterEach(() => device.choices.clear());

function tensor(on: Device, shape: readonly number[]): Tensor {
  const random = seeded("added");
  return on.tensor({ data: Float32Array.from({ length: vx.sizeOf(shape) }, (_, i) => normal(random, i)), shape });
}

type Op = (x: Tensor) => Tensor;
const weight = (x: Tensor, shape: readonly number[]) => tensor(x.device, shape);
const ops: Readonly<Record<string, Op>> = {
  conv: (x) => vx.conv(x, weight(x, [12, 8, 3, 3]), undefined, { padding: 1 }),
  "strided conv": (x) => vx.conv(x, weight(x, [12, 8, 3, 3]), undefined, { padding: 1, stride: 2 }),
  convTranspose: (x) => vx.convTranspose(x, weight(x, [8, 12, 2, 2]), undefined, { stride: 2 }),
  instanceNorm: (x) => vx.instanceNorm(x, weight(x, [8]), weight(x, [8])),
  groupNorm: (x) => vx.groupNorm(x, 2, weight(x, [8]), weight(x, [8]), { activation: "relu" }),
  batchNorm: (x) => vx.batchNorm(x, weight(x, [8]), weight(x, [8])),
};
const shape = [2, 8, 12, 20];

/** Gradients of x: of the operation alone, of a product alone, and of both, the product's first. */
function gradients(on: Device, op: Op, half = false): Record<"alone" | "other" | "both", Tensor> {
  const given = tensor(on, shape);
  const x = half ? vx.cast(given, "f16") : given;
  x.requiresGrad = true;
  const first = (): Tensor => {
    const y = vx.float32(op(x));
    return sum(mul(y, tensor(on, y.shape)));
  };
  const second = () => sum(mul(vx.float32(x), tensor(on, shape)));
  const of = (loss: Tensor) => vx.float32(grad(loss, [x])[0]);
  return { alone: of(first()), other: of(second()), both: of(vx.add(first(), second())) };
}

async function expectSum(on: Device, op: Op, half = false): Promise<void> {
  const { alone, other, both } = await readAll(scope(() => gradients(on, op, half)));
  const sums = alone.map((v, i) => v + other[i]);
  if (half) expectClose("sum", both, sums, 2e-3);
  else expectSameBits("sum", both, sums);
}

describe.each(Object.entries(ops))("added in the pass of %s", (_, op) => {
  test("f32", () => expectSum(device, op));
  test.skipIf(!device.gpu.features.has("shader-f16"))("f16", () => expectSum(device, op, true));

  test("in pieces", async () => {
    const small = await openDevice({ maxBindingSize: 8192 });
    const { alone, other, both } = await readAll(scope(() => gradients(small, op)));
    expectClose(
      "sum",
      both,
      alone.map((v, i) => v + other[i]),
      1e-6,
    );
    small.close();
  });

  test("captured", async () => {
    const eager = await readAll(scope(() => gradients(device, op)));
    const step = capture(device, () => scope(() => gradients(device, op)));
    for (let i = 0; i < 2; i++) expectSameBits("both", (await readAll(step())).both, eager.both);
    step.dispose();
  });

  test.runIf(device.gpu.features.has("timestamp-query"))("has no addition of its own", async () => {
    const keys = (await profile(device, () => scope(() => void gradients(device, op)))).map((k) => k.key);
    // Of the losses, which are scalars; larger ones take four elements a thread.
    expect(keys.filter((key) => key.startsWith("pointwise.binary add"))).toEqual(["pointwise.binary add"]);
  });
});

describe("a residual of a convolution", () => {
  const residual = async (on: Device, transform: Op) => {
    const results = scope(() => {
      const [x, w, b] = [transform(tensor(on, shape)), tensor(on, [12, 8, 3, 3]), tensor(on, [12])];
      const r = transform(tensor(on, [2, 12, 12, 20]));
      for (const t of [x, w, b, r]) t.requiresGrad = true;
      const options = { padding: 1 };
      const of = (y: Tensor) => {
        const [dx, dw, db, dr] = grad(sum(mul(vx.float32(y), tensor(on, y.shape))), [x, w, b, r]);
        return { y: vx.float32(y), dx: vx.float32(dx), dw, db, dr: vx.float32(dr) };
      };
      return { together: of(convPlus(x, w, b, r, options)), apart: of(vx.add(vx.conv(x, w, b, options), r)) };
    });
    return [await readAll(results.together), await readAll(results.apart)] as const;
  };

  test.each(["", "rows", "fourier", "direct 8x16", "direct 8x8", "direct 8x4", "tile 64x64"])("f32 %s", async (variant) => {
    if (variant) device.choices.set("conv", variant);
    const [together, apart] = await residual(device, (t) => t);
    for (const [key, values] of Object.entries(together)) expectSameBits(key, values, apart[key as "y"]);
  });

  test.skipIf(!device.gpu.features.has("shader-f16"))("f16", async () => {
    const [together, apart] = await residual(device, (t) => vx.cast(t, "f16"));
    for (const [key, values] of Object.entries(together)) expectClose(key, values, apart[key as "y"], 2e-3);
  });

  test("in pieces", async () => {
    const small = await openDevice({ maxBindingSize: 8192 });
    const [together, apart] = await residual(small, (t) => t);
    for (const [key, values] of Object.entries(together)) expectSameBits(key, values, apart[key as "y"]);
    small.close();
  });
});
