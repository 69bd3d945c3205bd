/** @file Optimizers that share parameters, and what a captured function may not do with one. */

import { afterAll, beforeAll, expect, test } from "vitest";
import * as vx from "../../../src/index.ts";
import {
  Adam,
  CyclicLR,
  EMA,
  ExponentialLR,
  inTurn,
  LinearLR,
  linearRamp,
  OneCycleLR,
  ReduceLROnPlateau,
  SGD,
} from "../../../src/nn/index.ts";
import { device as open } from "../../lib/device.ts";

let device: vx.Device;
beforeAll(async () => void (device = await open()));
const owned: { dispose(): void }[] = [];
afterAll(() => owned.forEach((t) => t.dispose()));

const own = <T extends { dispose(): void }>(t: T): T => (owned.push(t), t);
const parameter = (...data: number[]) => own(vx.parameter(device.tensor({ data, shape: [data.length] })));
const ones = (n = 1) => own(vx.keep(vx.full(device, [n], 1)));

test("two optimizers over one shared parameter both move it", async () => {
  const [w, a, b] = [parameter(1), parameter(10), parameter(20)];
  const first = own(new SGD([w, a], { lr: 1 }));
  const second = own(new SGD([w, b], { lr: 1 }));
  const g = ones();
  first.step([g, g]);
  second.step([g, g]);
  expect([await w.item(), await a.item(), await b.item()]).toEqual([-1, 9, 19]);
  first.step([g, g]);
  expect(await w.item()).toBe(-2);
});

test("so they do in captured steps, made before and after the second optimizer", async () => {
  const w = parameter(1);
  const g = ones();
  const first = own(new SGD([w], { lr: 1 }));
  const one = own(vx.capture(device, (x) => (first.step([x]), vx.affine(w, 1, 0))));
  expect(await one(g).item()).toBe(0);
  const second = own(new SGD([w], { lr: 10 }));
  const two = own(vx.capture(device, (x) => (second.step([x]), vx.affine(w, 1, 0))));
  expect(await two(g).item()).toBe(-10);
  expect(await one(g).item()).toBe(-11);
  expect(await two(g).item()).toBe(-21);
  expect(await w.item()).toBe(-21);
});

test("averages of an optimizer follow a parameter that another one took", async () => {
  const w = parameter(0);
  const first = own(new SGD([w], { lr: 1 }));
  const second = own(new SGD([w], { lr: 8 }));
  const ema = own(new EMA(first, 0.5));
  second.step([ones()]);
  ema.update();
  ema.apply();
  expect(await w.item()).toBe(-4);
  ema.restore();
  expect(await w.item()).toBe(-8);
});

test("an optimizer made between forward and gradient changes nothing", async () => {
  const w = parameter(3);
  const loss = vx.square(w);
  const optimizer = own(new SGD([w], { lr: 1 }));
  const [g] = vx.grad(loss, [w]);
  expect(await g.item()).toBe(6);
  optimizer.step([g]);
  expect(() => vx.grad(loss, [w])).toThrow(/changed in place after the forward pass/);
});

test("rates are not set inside a captured function, where it would happen once: an error says where", async () => {
  const w = parameter(1);
  const adam = own(new Adam([w], { lr: 0.1 }));
  const scheduler = new ExponentialLR(adam, { gamma: 0.5 });
  const plateau = new ReduceLROnPlateau(adam, { patience: 0 });
  const inside: (() => void)[] = [
    () => (adam.lr *= 0.5),
    () => (adam.rates = [0.05]),
    () => adam.setMomentum(0.5, 1),
    () => scheduler.step(),
    () => (scheduler.steps = 3),
    () => plateau.step(1),
  ];
  for (const what of inside) {
    const step = own(
      vx.capture(device, (x) => {
        adam.step([x]);
        what();
        return x;
      }),
    );
    expect(() => step(ones())).toThrow(/inside capture\(\).*behind the call of the captured step/);
  }
  expect([adam.lr, scheduler.steps]).toEqual([0.1, 0]);
  // Where it says.
  const step = own(vx.capture(device, (x) => (adam.step([x]), x)));
  for (let i = 0; i < 4; i++) {
    step(ones());
    scheduler.step();
  }
  expect(adam.lr).toBeCloseTo(0.1 / 16, 12);
});

test("words and numbers of a schedule that mean nothing are refused, not taken for others", () => {
  const sgd = own(new SGD([parameter(1)], { lr: 0.1 }));
  const wrong: (() => unknown)[] = [
    () => new ReduceLROnPlateau(sgd, { mode: "maximum" as "max" }),
    () => new ReduceLROnPlateau(sgd, { thresholdMode: "relative" as "rel" }),
    () => new ReduceLROnPlateau(sgd, { factor: -1 }),
    () => new CyclicLR(sgd, { baseLr: 0.1, maxLr: 1, mode: "tri" as "triangular" }),
    () => new LinearLR(sgd, { totalIters: -3 }),
    () => inTurn([() => 1, () => 2, () => 3], [10, 5]),
    () => new OneCycleLR(sgd, { maxLr: 1, totalSteps: 10, divFactor: 0 }),
    () => (new ExponentialLR(sgd, { gamma: 0.5 }).steps = 1.5),
  ];
  for (const what of wrong) expect(what).toThrow(vx.ConfigError);
  expect(sgd.lr).toBe(0.1);
});

test("rates that a plateau has reduced go on from a checkpoint bit for bit", async () => {
  const make = () => {
    const sgd = own(new SGD([parameter(1)], { lr: 0.1 }));
    return { sgd, plateau: new ReduceLROnPlateau(sgd, { patience: 0, factor: 0.7 }) };
  };
  const whole = make();
  for (let epoch = 0; epoch < 14; epoch++) whole.plateau.step(epoch);
  for (const killed of [3, 6, 11]) {
    const [first, second] = [make(), make()];
    for (let epoch = 0; epoch < killed; epoch++) first.plateau.step(epoch);
    second.sgd.loadStateDict(await first.sgd.stateDict());
    second.plateau.state = first.plateau.state;
    for (let epoch = killed; epoch < 14; epoch++) second.plateau.step(epoch);
    expect((await second.sgd.stateDict()).get("0.0")).toEqual((await whole.sgd.stateDict()).get("0.0"));
  }
});

test("a ramp of no steps stays where it begins, as PyTorch's does", () => {
  const rate = linearRamp({ startFactor: 0.25, totalIters: 0 });
  expect([0, 1, 5].map((step) => rate(step, 2))).toEqual([0.5, 0.5, 0.5]);
});
