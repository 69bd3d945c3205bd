/** @file What looks right and is not throws, and says what to do: stale results, tensors as numbers, asynchronous functions, writes in a capture. */

import { afterAll, beforeAll, expect, test } from "vitest";
import { inspect } from "node:util";
import * as vx from "../../src/index.ts";
import { runChild } from "../lib/child.ts";
import { device as open } from "../lib/device.ts";

let device: vx.Device;
beforeAll(async () => void (device = await open()));
const owned: { dispose(): void }[] = [];
afterAll(() => owned.forEach((t) => t.dispose()));
const own = <T extends { dispose(): void }>(t: T): T => (owned.push(t), t);
const host = (...data: number[]) => ({ data: Float32Array.from(data), shape: [data.length] });

test("the result of an earlier call is stale, and so are views of it and what needs it for a gradient", async () => {
  const w = own(vx.parameter(device.tensor(host(3))));
  const step = own(vx.capture(device, (x) => ({ y: vx.square(x), w })));
  const first = step(host(2));
  const early = first.y.data();
  const view = first.y.view([1, 1]);
  const loss = vx.sum(vx.mul(first.y, w));
  const second = step(host(5));
  expect([...(await early)]).toEqual([4]);
  expect(await second.y.item()).toBe(25);
  for (const use of [() => first.y.data(), () => view.data(), () => vx.add(first.y, 1), () => vx.grad(loss, [w])]) {
    expect(use).toThrow(vx.ConfigError);
    expect(use).toThrow(/stale.*read it before/);
  }
  // What lives outside of the step is not overwritten.
  expect(await first.w.item()).toBe(3);
  // Another shape has memory of its own.
  step(host(1, 2));
  expect(await second.y.item()).toBe(25);
  step.dispose();
  expect(() => second.y.data()).toThrow(/stale.*its dispose/);
  view.dispose();
});

test("a tensor as a number", () => {
  const t = own(vx.keep(device.tensor(host(1, 2))));
  const uses: ((x: any) => unknown)[] = [(x) => x > 1, (x) => x + 1, (x) => +x, (x) => x - 1, (x) => Math.max(x, 2)];
  for (const use of uses) expect(() => use(t)).toThrow(/\[2\] was used as a number.*await tensor\.item\(\)/);
  expect(`${t}`).toBe("f32 [2]");
  expect(inspect(t, { depth: 0 })).toContain("Tensor");
});

test("asynchronous functions: an error before they run, and no rejection that nobody handles", () => {
  const { stdout, stderr } = runChild(`
    import * as vx from "./src/index.ts";
    const device = await vx.openDevice();
    const x = { data: Float32Array.of(1), shape: [1] };
    let ran = 0;
    const one = async (t) => { ran++; throw new Error("mine"); };
    const two = (t) => one(t); // as compilers make them
    for (const fn of [one, two]) {
      const ways = [() => vx.capture(device, fn)(x), () => vx.scope(fn), () => vx.noGrad(fn), () => vx.withPrecision("f16", fn)];
      for (const way of ways) {
        try { way(); } catch (e) { console.log(e.code, /must be synchronous/.test(e.message), ran); }
      }
      await vx.capture(device, fn).prepare([x]).catch((e) => console.log(e.code, ran));
    }
    await new Promise((r) => setTimeout(r, 20));
    console.log(vx.full(device, [1], 1).shape.join());
    device.close();`);
  const lines = stdout.trim().split("\n");
  expect(lines.slice(0, 5), stderr).toEqual([...Array(4).fill("Config true 0"), "Config 0"]);
  expect(lines.slice(5), stderr).toEqual([1, 2, 3, 4].map((n) => `Config true ${n}`).concat("Config 5", "1"));
});

test("device.write inside a capture, where it would happen once", async () => {
  const w = own(vx.parameter(device.tensor(host(1))));
  const step = own(vx.capture(device, (x) => (device.write(w, host(7)), vx.mul(x, w))));
  expect(() => step(host(2))).toThrow(/device\.write: inside capture\(\) it would happen once/);
  expect(await w.item()).toBe(1);
  // A constant of the step is its own.
  const fine = own(
    vx.capture(device, (x) => {
      const c = device.tensor(host(1));
      device.write(c, host(7));
      return vx.mul(x, c);
    }),
  );
  expect(await fine(host(2)).item()).toBe(14);
});

test("tensors of two devices: an error that names the operation, and both devices live on", async () => {
  const other = await vx.openDevice();
  const [a, b] = [own(vx.keep(vx.full(device, [1, 2, 2], 1))), vx.full(other, [1, 2, 2], 2)];
  const [generator, slopes] = [other.tensor({ data: [0, 0, 0, 0], shape: [4] }, "u32"), vx.full(other, [2], 1)];
  const uses = [
    () => vx.add(a, b),
    () => vx.where(a, a, b),
    () => vx.instanceNorm(a, slopes, slopes),
    () => vx.prelu(a, slopes),
    () => vx.dropout(a, generator, 0.5),
    () => vx.concat([a, b], 0),
    () => vx.matmul(vx.reshape(a, [2, 2]), vx.reshape(b, [2, 2])),
  ];
  for (const use of uses) {
    expect(use).toThrow(vx.ConfigError);
    expect(use).toThrow(/another device|on one device/);
  }
  await Promise.all([device.settle(), other.settle()]);
  expect([[...(await vx.square(a).data())][0], [...(await vx.square(b).data())][0]]).toEqual([1, 4]);
  other.close();
});
