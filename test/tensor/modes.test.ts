/** @file Captured functions follow the modes around them: train and eval, freeze, noGrad, precision. */

import { afterAll, beforeAll, expect, test } from "vitest";
import * as vx from "../../src/index.ts";
import { BatchNorm, Conv, Dropout, seedDropout, Sequential } from "../../src/nn/index.ts";
import { device as open } from "../lib/device.ts";

let device: vx.Device;
beforeAll(async () => void (device = await open()));
const owned: { dispose(): void }[] = [];
afterAll(() => owned.forEach((t) => t.dispose()));
const own = <T extends { dispose(): void }>(t: T): T => (owned.push(t), t);

const input = { data: Float32Array.from({ length: 16 }, (_, i) => Math.sin(i)), shape: [1, 1, 4, 4] };
const list = async (t: vx.Tensor) => [...(await t.data())];

test("train() and eval() after the first call, to and fro without tracing again", async () => {
  seedDropout(device, 1); // of eight values some are dropped each time
  const model = own(
    new Sequential([
      new Conv(device, { spatialDims: 2, inChannels: 1, outChannels: 2, kernelSize: 3 }),
      new BatchNorm(device, 2),
      new Dropout(device, 0.5),
    ]),
  );
  let traces = 0;
  const step = own(vx.capture(device, (x) => (traces++, vx.noGrad(() => model.forward(x)))));
  const eager = async () => list(vx.scope(() => vx.noGrad(() => model.forward(device.tensor(input)))));
  model.eval();
  const [evaluated, dropped] = [await list(step(input)), await list(model.train() && step(input))];
  expect(dropped).not.toEqual(evaluated);
  expect(dropped.filter((v) => v === 0).length).toBeGreaterThan(0);
  for (let i = 0; i < 3; i++) {
    model.eval();
    expect(await list(step(input))).toEqual(await eager());
    model.train();
    expect((await list(step(input))).filter((v) => v === 0).length).toBeGreaterThan(0);
  }
  expect(traces).toBe(2);
  // One module alone counts too, and one that the function does not look at does not.
  for (const [, child] of model.children()) if (child instanceof Dropout) child.training = false;
  step(input);
  expect(traces).toBe(3);
  own(new Dropout(device, 0.1)).eval();
  step(input);
  expect(traces).toBe(3);
});

test("a function that sets the mode itself is not traced again for it", () => {
  const model = own(new BatchNorm(device, 1));
  let traces = 0;
  const step = own(
    vx.capture(device, (x) => {
      traces++;
      model.eval();
      const y = model.forward(x);
      model.train();
      return y;
    }),
  );
  for (let i = 0; i < 3; i++) {
    model.train();
    step(input);
  }
  expect(traces).toBe(1);
});

test("freeze() and unfreeze() after the first call", async () => {
  const model = own(new Conv(device, { spatialDims: 2, inChannels: 1, outChannels: 1, kernelSize: 1 }));
  const step = own(
    vx.capture(device, (x) => {
      const loss = vx.sum(vx.square(model.forward(x)));
      return model.parameters().length > 1 ? vx.grad(loss, model.parameters()) : [loss];
    }),
  );
  expect(step(input)).toHaveLength(2);
  model.freeze("bias");
  expect(step(input)).toHaveLength(1);
  model.unfreeze("bias");
  expect(step(input)).toHaveLength(2);
});

test("noGrad and withPrecision around the call", async () => {
  const w = own(vx.parameter(device.tensor({ data: [2], shape: [1] })));
  const step = own(vx.capture(device, (x) => (vx.mul(x, w).origin ? vx.affine(x, 1, 1) : x)));
  const one = { data: Float32Array.of(5), shape: [1] };
  expect(await list(vx.noGrad(() => step(one)))).toEqual([5]);
  expect(await list(step(one))).toEqual([6]);
  expect(await list(vx.noGrad(() => step(one)))).toEqual([5]);
  if (!device.gpu.features.has("shader-f16")) return;
  const conv = own(new Conv(device, { spatialDims: 2, inChannels: 1, outChannels: 1, kernelSize: 1 }));
  const forward = own(vx.capture(device, (x) => conv.forward(x)));
  expect(vx.withPrecision("f16", () => forward(input)).dtype).toBe("f16");
  expect(forward(input).dtype).toBe("f32");
});
