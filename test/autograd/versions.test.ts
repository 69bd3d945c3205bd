/** @file A gradient that needs a value which was changed in place since is an error; all others are as before. */

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import * as vx from "../../src/index.ts";
import { BatchNorm, SGD } from "../../src/nn/index.ts";
import { device as open } from "../lib/device.ts";
import { checkProgram, programs } from "./in_place.ts";
import * as fc from "fast-check";

let device: vx.Device;
beforeAll(async () => void (device = await open()));
const owned: { dispose(): void }[] = [];
afterAll(() => owned.forEach((t) => t.dispose()));

const own = <T extends { dispose(): void }>(t: T): T => (owned.push(t), t);
const host = (...data: number[]) => ({ data: Float32Array.from(data), shape: [data.length] });
const parameter = (...data: number[]) => own(vx.parameter(device.tensor(host(...data))));
const constant = (...data: number[]) => own(vx.keep(device.tensor(host(...data))));
const changed = /grad of mul: .*changed in place after the forward pass/;

/** (x · w1 · w2)² with x = 5, w1 = 2, w2 = 3. */
function example() {
  const [x, w1, w2] = [constant(5), parameter(2), parameter(3)];
  const optimizer = own(new SGD([w2], { lr: 1 }));
  return { w1, w2, optimizer, forward: () => vx.square(vx.mul(vx.mul(x, w1), w2)) };
}

describe("changed between forward and gradient", () => {
  test("by an optimizer", async () => {
    const { w1, w2, optimizer, forward } = example();
    const loss = forward();
    const [g] = vx.grad(loss, [w1]);
    expect(await g.item()).toBe(900);
    optimizer.step([constant(6)]);
    expect(() => vx.grad(loss, [w1])).toThrow(vx.ConfigError);
    expect(() => vx.grad(loss, [w1])).toThrow(changed);
    expect(await w2.item()).toBe(-3);
    // Of the new forward pass all is well: 2·(5·2·−3)·(5·−3).
    expect(await vx.grad(forward(), [w1])[0].item()).toBe(900);
  });

  test("by device.write, a copy, the load of a weight, a captured step", () => {
    const ways: ((w2: vx.Tensor, optimizer: SGD) => void)[] = [
      (w2) => device.write(w2, host(1)),
      (w2) => device.stream.copy(constant(1), w2, 0),
      (_, optimizer) => own(vx.capture(device, (x) => (optimizer.step([x]), x)))(host(1)),
    ];
    for (const way of ways) {
      const { w1, w2, optimizer, forward } = example();
      const loss = forward();
      way(w2, optimizer);
      expect(() => vx.grad(loss, [w1])).toThrow(changed);
    }
  });

  test("by a replay, not by the trace alone", async () => {
    const { w1, optimizer, forward } = example();
    const step = own(vx.capture(device, (x) => (optimizer.step([x]), x)));
    const loss = forward();
    await step.prepare([{ data: new Float32Array(1), shape: [1] }]);
    expect(await vx.grad(loss, [w1])[0].item()).toBe(900);
    step(host(1));
    expect(() => vx.grad(loss, [w1])).toThrow(changed);
  });

  test("inside a captured step", () => {
    const { w1, optimizer, forward } = example();
    const step = own(
      vx.capture(device, (x) => {
        const loss = forward();
        optimizer.step([x]);
        return vx.grad(loss, [w1]);
      }),
    );
    expect(() => step(host(1))).toThrow(changed);
  });
});

describe("no error", () => {
  test("where a gradient does not need the value", async () => {
    const [w, b] = [parameter(2), parameter(1)];
    const optimizer = own(new SGD([b], { lr: 1 }));
    const loss = vx.square(vx.add(w, b));
    optimizer.step([constant(1)]);
    expect(await vx.grad(loss, [w])[0].item()).toBe(6);
  });

  test("for running statistics, also under checkpoint, and for steps one after the other", async () => {
    const norm = own(new BatchNorm(device, 1));
    const x = own(vx.keep(device.tensor({ data: [1, 2, 3, 5], shape: [1, 1, 4] })));
    const parameters = norm.parameters();
    const a = vx.sum(vx.square(norm.forward(x)));
    const b = vx.sum(vx.square(vx.checkpoint((t) => norm.forward(t), [x], parameters)));
    norm.forward(x);
    const [ga] = vx.grad(a, parameters);
    const [gb] = vx.grad(b, parameters);
    expect(await gb.item()).toBeCloseTo(await ga.item(), 5);
  });

  test("in captured training with several optimizers", async () => {
    const [u, v] = [parameter(1), parameter(2)];
    const [first, second] = [own(new SGD([u], { lr: 0.1 })), own(new SGD([v], { lr: 0.1 }))];
    const step = own(
      vx.capture(device, (x) => {
        const loss = vx.sum(vx.square(vx.mul(vx.mul(x, u), v)));
        const [gu, gv] = vx.grad(loss, [u, v]);
        first.step([gu]);
        second.step([gv]);
        return loss;
      }),
    );
    const losses: number[] = [];
    for (let i = 0; i < 3; i++) losses.push(await step(host(0.5)).item());
    expect(losses[0]).toBeCloseTo(1, 6);
    expect(losses[2]).toBeLessThan(losses[0]);
  });
});

test("random programs with steps in place between forward and gradient: right or an error", async () => {
  const met = { right: 0, refused: 0 };
  await fc.assert(
    fc.asyncProperty(programs, async (p) => void met[await checkProgram(device, p)]++),
    { seed: 7, numRuns: 40 },
  );
  // Both happen, so that neither is what always happens.
  expect(Math.min(met.right, met.refused)).toBeGreaterThan(5);
});
