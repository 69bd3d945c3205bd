/** @file What captured steps leave out: work on weights that did not change, and copies between their own values. Results equal the eager ones in every bit. */
import { afterAll, expect, test } from "vitest";
import * as vx from "../../src/index.ts";
import { capture, type Tensor } from "../../src/index.ts";
import { BatchNorm, Conv, Sequential, SGD } from "../../src/nn/index.ts";
import type { Command } from "../../src/tensor/trace.ts";
import { openWatched } from "./aliasing.ts";

const { device, close } = await openWatched();
afterAll(close);

const list = async (t: Tensor): Promise<number[]> => [...(await t.data())];
const kinds = (plan: unknown): string[] => (plan as { commands: Command[] }).commands.map((c) => c.kind);
const wave = (...shape: number[]) => ({
  data: Float32Array.from({ length: shape.reduce((a, b) => a * b) }, (_, i) => Math.sin(i)),
  shape,
});
/** Dispatches of one call of `fn`. */
const dispatches = (fn: () => void): number => {
  const before = device.eager.count.dispatches;
  fn();
  return device.eager.count.dispatches - before;
};

test("what is made of weights alone is made again when they change, by whatever", async () => {
  const before = device.memory.live;
  const norm = new BatchNorm(device, 4);
  const model = new Sequential([new Conv(device, { spatialDims: 2, inChannels: 4, outChannels: 4, kernelSize: 3 }), norm]);
  model.eval();
  const forward = (x: Tensor) => vx.scope(() => vx.noGrad(() => model.forward(x)));
  const step = capture(device, forward);
  const input = wave(1, 4, 8, 8);
  const same = async () => {
    using x = device.tensor(input);
    using y = forward(x);
    expect(await list(step(input))).toEqual(await list(y));
  };
  await same();
  const replayed = dispatches(() => step(input));
  expect(replayed).toBeLessThan(dispatches(() => vx.scope(() => void forward(device.tensor(input)))));
  expect(step.plan!.dispatches).toBe(replayed);
  for (const p of model.parameters()) {
    device.write(p, wave(...p.shape));
    await same();
  }
  device.write(norm.running_var!, { data: [1, 2, 3, 4], shape: [4] });
  await same();
  // By a captured training step.
  const optimizer = new SGD(model.parameters(), { lr: 0.1 });
  await same(); // their memory moved
  const train = capture(device, (x: Tensor) => {
    const loss = vx.mean(vx.square(model.forward(x)));
    optimizer.step(vx.grad(loss, optimizer.parameters));
    return loss;
  });
  for (let i = 0; i < 3; i++) {
    train(input);
    await same();
  }
  for (const s of [step, train]) s.dispose();
  optimizer.dispose();
  model.dispose();
  expect(device.memory.live).toBe(before);
});

test("parts of one sample are joined and cut without a copy, forward and back", async () => {
  const block = (x: Tensor, w: Tensor) => {
    const up = vx.square(x);
    const [left, right] = vx.split(vx.concat([x, up], 1), 2, 1);
    return vx.sum(vx.mul(vx.concat([vx.mul(left, w), right], 1), vx.concat([up, w], 1)));
  };
  const w = vx.parameter(device.tensor(wave(1, 2, 8, 8)));
  const run = (x: Tensor) => {
    const y = block(vx.relu(x), w);
    return [y, vx.grad(y, [w])[0]] as const;
  };
  const step = capture(device, run);
  const input = wave(1, 2, 8, 8);
  const results = await Promise.all(step(input).map(list));
  const eager = run(device.tensor(input));
  expect(results).toEqual(await Promise.all(eager.map(list)));
  expect(kinds(step.plan)).not.toContain("copy");
  step.dispose();
});

test("nearly all of a value is not all of it, where buffers are as long", async () => {
  const run = (x: Tensor) => {
    const s = vx.square(x);
    const most = vx.slice(s, [[0, 4996]]); // as many pieces of 256 bytes as s
    const F = vx.concat([most, vx.affine(x, 2, 1)], 0);
    return [vx.sum(F), vx.affine(s, 3)];
  };
  const input = wave(5000);
  const step = capture(device, run);
  const results = await Promise.all(step(input).map(list));
  expect(results).toEqual(await Promise.all(vx.scope(() => run(device.tensor(input))).map(list)));
  step.dispose();
});
