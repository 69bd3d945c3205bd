/** @file One call seeds all that is random, and one call takes a step; what `console.log` prints of a tensor. */

import { inspect } from "node:util";
import { beforeAll, expect, test } from "vitest";
import { detach, type Device, grad, mean, mul, square, sub } from "../../src/index.ts";
import { DataLoader, RandFlip } from "../../src/data/index.ts";
import { RandomState } from "../../src/host/random/numpy.ts";
import { Adam, Conv, Dropout, GradScaler, setDeterminism } from "../../src/nn/index.ts";
import { device } from "../lib/device.ts";

let dev: Device;
beforeAll(async () => void (dev = await device()));

const items = Array.from({ length: 8 }, (_, i) => ({ x: { data: Float32Array.of(i), shape: [1] } }));

async function draws(seed: number): Promise<string> {
  setDeterminism(seed, { device: dev });
  const conv = new Conv(dev, { spatialDims: 1, inChannels: 1, outChannels: 2, kernelSize: 1 });
  using ones = dev.tensor({ data: new Float32Array(64).fill(1), shape: [1, 1, 64] });
  const dropped = new Dropout(dev, 0.5).forward(ones);
  const order: number[] = [];
  for await (const { x } of new DataLoader(items, { shuffle: true })) order.push(x.data[0]);
  const flips = Array.from(
    { length: 20 },
    () => new RandFlip({ prob: 0.5, spatialAxis: 0 }).apply({ data: Float32Array.of(0, 1), shape: [1, 2] }).data[0],
  );
  return JSON.stringify([await conv.weight.data(), await dropped.data(), order, flips, new RandomState().rand()]);
}

test("the same seed gives the same weights, dropout, order and draws; another seed gives others", async () => {
  const [a, b, c] = [await draws(7), await draws(7), await draws(8)];
  expect(a).toBe(b);
  const [of7, of8] = [JSON.parse(a), JSON.parse(c)] as unknown[][];
  of7.forEach((part, i) => expect(part).not.toEqual(of8[i]));
  expect(() => setDeterminism(-1)).toThrow("whole number");
});

test.each([false, true])("minimize is a step down the gradient of all parameters (scaler: %s)", async (scaled) => {
  const make = () => {
    const p = dev.tensor({ data: [1, -2], shape: [2] });
    p.requiresGrad = true;
    const adam = new Adam([p], { lr: 0.1 });
    if (scaled) adam.scaler = new GradScaler(dev);
    return { p, adam };
  };
  const [one, two] = [make(), make()];
  one.adam.minimize(mean(square(sub(one.p, 3))), { clipNorm: 1 });
  const loss = mean(square(sub(two.p, 3)));
  two.adam.step(grad(two.adam.scaler?.scale(loss) ?? loss, [two.p]), { clipNorm: 1 });
  expect(await one.p.data()).toEqual(await two.p.data());
  expect((await one.p.data())[0]).toBeGreaterThan(1);
});

test("detach cuts a value off its history", async () => {
  const p = dev.tensor({ data: [3], shape: [1] });
  p.requiresGrad = true;
  const [g] = grad(mul(p, detach(square(p))), [p]);
  expect(await g.item()).toBe(9);
});

test("a tensor prints as its type, shape and state", () => {
  const t = dev.tensor({ data: [1, 2], shape: [2, 1] });
  expect([`${t}`, String(t), t.toString()]).toEqual(Array(3).fill("f32 [2, 1]"));
  expect(inspect(t)).toBe("Tensor f32 [2, 1]");
  t.requiresGrad = true;
  t.dispose();
  expect(inspect({ t })).toBe("{ t: Tensor f32 [2, 1] requiresGrad disposed }");
});
