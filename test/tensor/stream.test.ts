/** @file The eager stream: order, few submits, and long lists of dispatches. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { affine, type Device, full, openDevice, square } from "../../src/index.ts";

let device: Device;
beforeAll(async () => void (device = await openDevice()));
afterAll(() => device.close());

test("a thousand dispatches, each with its own uniforms, in a handful of submits", async () => {
  const { count } = device.eager;
  const before = { ...count };
  let t = full(device, [3], 0);
  for (let i = 0; i < 1000; i++) {
    using last = t;
    t = affine(last, 1, i); // adds i: a lost or repeated uniform block changes the sum
  }
  const data = await t.data();
  t.dispose();
  expect([...data]).toEqual([499_500, 499_500, 499_500]);
  expect(count.dispatches - before.dispatches).toBe(1001);
  expect(count.submits - before.submits).toBe(4); // 256 uniform blocks per submit
});

test("uploads, copies and dispatches run in the order of the calls, though memory is reused at once", async () => {
  const out: Promise<number>[] = [];
  for (let i = 0; i < 20; i++) {
    using a = device.tensor({ data: [i], shape: [1] });
    using b = square(a);
    using c = device.empty([1]);
    device.eager.copy(b, c, 0);
    using d = affine(c, 1, 1);
    out.push(d.item());
  }
  expect(await Promise.all(out)).toEqual(Array.from({ length: 20 }, (_, i) => i * i + 1));
});

test("work that nobody reads is submitted when the task ends", async () => {
  const before = device.eager.count.submits;
  using t = full(device, [1], 1);
  using u = square(t);
  expect([u.size, device.eager.count.submits]).toEqual([1, before]);
  await Promise.resolve();
  expect(device.eager.count.submits).toBe(before + 1);
  await Promise.resolve();
  expect(device.eager.count.submits).toBe(before + 1);
});

test("free memory can be given back while commands that used it are still recorded", async () => {
  const { buffers } = device.memory;
  full(device, [5000], 1).dispose();
  device.pool.trim();
  expect(device.memory).toMatchObject({ pooled: 0, buffers });
  await device.settle(); // would throw if a submit had named a destroyed buffer
});
