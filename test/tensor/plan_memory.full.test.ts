/** @file The memory of captured steps and read-backs is bounded and told: scratch is shared, plans go by bytes, all is in the report. */

import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import * as vx from "../../src/index.ts";

let device: vx.Device;
beforeAll(async () => void (device = await vx.openDevice()));
beforeEach(() => device.pool.trim());
afterAll(async () => {
  await device.settle();
  device.close();
});

const input = (n: number) => ({ data: new Float32Array(n).fill(n), shape: [n] });
/** Several intermediate values of the size of the input, a result of one element. */
const work = (x: vx.Tensor) => vx.sum(vx.square(vx.mul(vx.exp(vx.affine(x, 0, 1)), vx.tanh(x))));

test("steps of many shapes share their scratch", async () => {
  const step = vx.capture(device, work);
  const empty = device.memoryReport();
  const most = 60_000;
  for (let n = most / 20; n <= most; n += most / 20) await step(input(n)).item();
  const { plans, scratch } = device.memoryReport();
  expect(plans.count).toBe(20);
  // What the largest needs alone.
  expect(scratch).toBe(step.plan!.memory.scratch);
  // A smaller one again, in the buffers of the larger.
  const small = await step(input(most / 20)).item();
  const alone = vx.capture(device, work);
  expect(await alone(input(most / 20)).item()).toBe(small);
  for (const s of [step, alone]) s.dispose();
  expect(device.memoryReport()).toMatchObject({ tensors: empty.tensors, plans: empty.plans, scratch: 0 });
});

test("scratch grows and shrinks under plans that stay, and steps of other functions use it too", async () => {
  const [large, small] = [vx.capture(device, work), vx.capture(device, work)];
  const expected = await small(input(10)).item();
  const before = device.memoryReport().scratch;
  await large(input(50_000)).item();
  expect(device.memoryReport().scratch).toBe(large.plan!.memory.scratch);
  expect(await small(input(10)).item()).toBe(expected);
  large.dispose();
  expect(await small(input(10)).item()).toBe(expected);
  expect(device.memoryReport().scratch).toBe(before);
  small.dispose();
});

test("1,000 shapes through one captured function: memory stays within the budget and the largest plan", async () => {
  const maxPlanBytes = 2 ** 18;
  let traces = 0;
  const step = vx.capture(device, (x: vx.Tensor) => (traces++, work(x)), { maxPlanBytes });
  const before = device.memoryReport().total;
  let [largest, held] = [0, 0];
  for (let i = 0; i < 1000; i++) {
    const n = 64 + ((i * 7919) % 1000) * 8;
    const y = step(input(n));
    largest = Math.max(largest, step.plan!.ownBytes);
    held = Math.max(held, device.memoryReport().total - before);
    if (i % 50 === 0) expect(await y.item()).toBeGreaterThan(0);
  }
  expect(traces).toBe(1000);
  expect(step.plan).toBeDefined();
  const staging = device.memoryReport().staging;
  expect(held).toBeLessThanOrEqual(maxPlanBytes + largest + staging);
  expect(held).toBeGreaterThan(maxPlanBytes / 2); // the budget is used
  // What was used last is still there, what was used first is traced again, to the same values.
  step(input(64 + ((999 * 7919) % 1000) * 8));
  expect(traces).toBe(1000);
  step(input(64));
  expect(traces).toBe(1001);
  step.dispose();
});

test("least recently used goes first, the one in use never", async () => {
  let traces = 0;
  const step = vx.capture(device, (x: vx.Tensor) => (traces++, vx.square(x)), { maxPlanBytes: 2 * 3 * 256 });
  for (const n of [1, 2, 3, 1, 4, 1]) step(input(n)); // room for the largest and two more
  expect(traces).toBe(4);
  step(input(2));
  expect(traces).toBe(5);
  const none = vx.capture(device, (x: vx.Tensor) => vx.square(x), { maxPlanBytes: 0 });
  for (const n of [1, 1000, 1]) expect((await none(input(n)).data())[0]).toBe(n * n);
  expect(() => vx.capture(device, work, { maxPlanBytes: -1 })).toThrow(/maxPlanBytes/);
  for (const s of [step, none]) s.dispose();
});

test("read-backs of 1,200 sizes keep a few MiB, which are counted", async () => {
  const large = vx.full(device, [400_000], 1);
  for (let i = 0; i < 1200; i++) {
    const part = vx.slice(large, [[0, 100 + 300 * i]]);
    await part.data();
    part.dispose();
  }
  const { staging, total } = device.memoryReport();
  expect(staging).toBeGreaterThan(0);
  expect(staging).toBeLessThanOrEqual(4 * 2 ** 20);
  expect(total).toBeGreaterThanOrEqual(staging);
  large.dispose();
}, 300_000);

test("the report has every byte", async () => {
  const before = device.memoryReport();
  const w = vx.full(device, [1000], 1);
  const step = vx.capture(device, (x: vx.Tensor) => vx.mul(vx.square(x), w));
  await step(input(1000)).data();
  const r = device.memoryReport();
  expect(r.tensors - before.tensors).toBe(4096);
  expect(r.plans).toEqual({ count: 1, bytes: 8192, uniforms: step.plan!.memory.uniforms });
  expect(r.scratch).toBe(4096);
  expect(step.plan!.memory).toMatchObject({ inputs: 4096, results: 4096, scratch: 4096, constants: 0, outside: 4096 });
  expect(step.plan!.peakBytes).toBe(4 * 4096 + r.plans.uniforms);
  expect(r.total).toBe(r.tensors + r.plans.bytes + r.plans.uniforms + r.scratch + r.pooled + r.staging);
  step.dispose();
  w.dispose();
});
