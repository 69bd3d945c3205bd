/** @file Captured steps: they equal the eager ones, cost what they say, own what they use. How they fail: capture_errors.test.ts. */
import { afterAll, describe, expect, test } from "vitest";
import * as vx from "../../src/index.ts";
import { capture, ConfigError, full, type Tensor } from "../../src/index.ts";
import type { Plan } from "../../src/tensor/plan.ts";
import type { Command } from "../../src/tensor/trace.ts";
import { openWatched } from "./aliasing.ts";
import { runChild } from "../lib/child.ts";
import { makeTraining, ramp } from "./training.ts";

const { device, watched, close } = await openWatched();
afterAll(close);

const host = (...data: number[]) => ({ data: Float32Array.from(data), shape: [data.length] });
const list = async (t: Tensor): Promise<number[]> => [...(await t.data())];
const commands = (plan: unknown): Command[] => (plan as { commands: Command[] }).commands;

/** Memory in use, once what earlier tests left to the collector cannot matter: they dispose everything. */
const use = () => ({ live: device.memory.live, buffers: device.memory.buffers });

describe("a training step", () => {
  test("replayed equals eager bit for bit, over steps and shapes, and binds no buffer two ways", async () => {
    const before = use();
    const eager = makeTraining(device);
    const traced = makeTraining(device);
    const step = capture(device, traced.step);
    const losses: [number, number][] = [];
    for (let i = 0; i < 6; i++) {
      const input = ramp(i % 3 === 2 ? [1, 2, 5, 7] : [2, 2, 8, 8], i);
      const a = vx.scope(() => eager.step(device.tensor(input)));
      const b = step(input);
      losses.push([await a.item(), await b.item()]);
      a.dispose();
    }
    for (const [a, b] of losses) expect(b).toBe(a);
    expect(new Set(losses.map(([a]) => a)).size).toBe(6);
    expect(await list(traced.flat)).toEqual(await list(eager.flat));
    expect(watched.groups).toBeGreaterThan(20);
    expect(watched.breaches).toEqual([]);
    step.dispose();
    for (const t of [eager, traced]) t.dispose();
    expect(use()).toEqual(before);
  });

  test("gradients are produced in the optimizer's buffer: no copy is left", () => {
    const training = makeTraining(device);
    const step = capture(device, training.step);
    step(ramp([1, 2, 8, 8]));
    expect(commands(step.plan).filter((c) => c.kind === "copy")).toHaveLength(0);
    step.dispose();
    training.dispose();
  });

  test("its peak is known before the first byte is allocated, and is what it takes", async () => {
    const training = makeTraining(device);
    const constants = full(device, [1], 0); // forgets nothing: only here so that live is not the flat buffers alone
    const step = capture(device, (x: Tensor) => training.step(vx.mul(x, device.tensor({ data: [0.5], shape: [1] }))));
    const before = use();
    const seen: [number, number][] = [];
    const plan = await step.prepare([{ data: new Float32Array(2 * 32 * 32), shape: [1, 2, 32, 32] }], (...p) => seen.push(p));
    expect(device.memory.live - before.live).toBe(256); // the constant only
    expect(seen.at(-1)![0]).toBe(seen.at(-1)![1]);
    for (let i = 0; i < 3; i++) await step(ramp([1, 2, 32, 32])).item();
    expect(step.plan).toBe(plan);
    const { outside, uniforms, ...own } = plan.memory;
    const taken = Object.values(own).reduce((a, b) => a + b, 0);
    expect(device.memory.live - before.live).toBe(taken);
    expect(device.memoryReport().plans).toEqual({ count: 1, bytes: taken - own.scratch, uniforms });
    // And all that is there is accounted for: parameters, gradients and state besides what the step brings.
    expect(before.live - constants.storage.bytes).toBeLessThanOrEqual(outside + 256);
    expect(plan.peakBytes).toBe(taken + uniforms + outside);
    // Eager code without scopes would hold every intermediate: the plan shares.
    const all = new Set(
      commands(plan).flatMap((c) => (c.kind === "run" ? c.regions : [c.source, c.target]).map((r) => r.storage)),
    );
    const unshared = [...all].filter((s) => s.virtual).reduce((sum, s) => sum + s.bytes, 0);
    expect(plan.memory.scratch).toBeLessThan(unshared);
    step.dispose();
    expect(use()).toEqual(before);
    constants.dispose();
    training.dispose();
  });

  test("one submit per step, with its input written and its loss read", async () => {
    const training = makeTraining(device);
    const step = capture(device, training.step);
    using x = device.tensor(ramp([1, 2, 8, 8]));
    for (const input of [ramp([1, 2, 8, 8]), x]) {
      await step(input).item();
      await device.settle();
      const before = { ...device.eager.count };
      for (let i = 0; i < 5; i++) await step(input).item();
      expect(device.eager.count.submits - before.submits).toBe(5);
      expect(device.eager.count.dispatches - before.dispatches).toBe(5 * step.plan!.dispatches);
      for (let i = 0; i < 5; i++) step(input); // no await: still no more than a step per submit
      await device.settle();
      expect(device.eager.count.submits - before.submits).toBe(10);
    }
    step.dispose();
    training.dispose();
  });

  test("a tensor and a host array together cost one submit too", async () => {
    const step = capture(device, (a: Tensor, b: Tensor) => vx.add(a, b));
    using a = full(device, [2], 1);
    await step(a, host(1, 2)).data();
    const before = device.eager.count.submits;
    expect(await list(step(a, host(3, 4)))).toEqual([4, 5]);
    expect(device.eager.count.submits - before).toBe(1);
    step.dispose();
  });
});

describe("tracing", () => {
  test("once per shape, type and layout of memory", async () => {
    let traces = 0;
    const w = vx.parameter(device.tensor(host(2)));
    const step = capture(device, (x: Tensor) => (traces++, x.dtype === "f32" ? vx.mul(x, w) : x));
    expect(await list(step(host(1, 2)))).toEqual([2, 4]);
    expect(await list(step(host(3, 4)))).toEqual([6, 8]);
    expect(traces).toBe(1);
    expect(await list(step(host(1, 2, 3)))).toEqual([2, 4, 6]);
    using i = device.tensor({ data: [7, 8], shape: [2] }, "i32");
    expect(await list(step(i))).toEqual([7, 8]);
    expect(traces).toBe(3);
    using flat = full(device, [128], 5);
    w.rebase(flat.storage, 256);
    expect(await list(step(host(1, 2)))).toEqual([5, 10]);
    expect(traces).toBe(4);
    expect(await list(step(host(1, 1)))).toEqual([5, 5]);
    expect(traces).toBe(4);
    step.dispose();
    w.dispose();
  });

  test("again when a tensor of the outside was disposed, rather than computing with what is no longer there", async () => {
    const before = use();
    let target = device.tensor(host(1));
    const a = capture(device, (x: Tensor) => vx.add(x, target));
    const b = capture(device, (x: Tensor) => vx.mul(x, target));
    expect([await a(host(5)).item(), await b(host(5)).item()]).toEqual([6, 5]);
    target.dispose();
    using noise = full(device, [1], 77); // would take the target's buffer
    target = device.tensor(host(2));
    expect([await a(host(5)).item(), await b(host(5)).item()]).toEqual([7, 10]);
    target.dispose();
    noise.dispose();
    expect(() => a(host(5))).toThrow(ConfigError);
    for (const s of [a, b]) s.dispose();
    expect(use()).toEqual(before);
  });

  test("a step that moves tensors whenever it is traced is refused", () => {
    const w = vx.parameter(device.tensor(host(2)));
    const before = use();
    const step = capture(device, (x: Tensor) => (w.rebase(w.storage, 0), vx.mul(x, w)));
    expect(() => step(host(1))).toThrow(/moves or disposes tensors.*create optimizers outside/);
    const pack = capture(device, (x: Tensor) => (w.rebase(vx.full(device, [64], 0).storage, 0), x));
    expect(() => pack(host(1))).toThrow(/create optimizers before the captured step/);
    step.dispose();
    pack.dispose();
    expect(use()).toEqual(before);
    w.dispose();
  });

  test("inputs as host arrays of any type and as tensors of f32 and i32", async () => {
    const before = use();
    const step = capture(device, (image: Tensor, label: Tensor) =>
      vx.mul(image, label.dtype === "i32" ? vx.oneHot(label, 2) : label),
    );
    expect(await list(step({ data: Uint8Array.of(1, 2), shape: [2] }, { data: Float64Array.of(3, 4), shape: [2] }))).toEqual([
      3, 8,
    ]);
    using a = device.tensor(host(5, 6));
    expect(await list(step(a, host(1, 10)))).toEqual([5, 60]);
    device.write(a, host(7, 8));
    expect(await list(step(a, a))).toEqual([49, 64]);
    a.dispose();
    step.dispose();
    expect(use()).toEqual(before);
  });

  test("results: a record, an array, inputs, parameters, views and constants; each survives the step on its own", async () => {
    const before = use();
    const w = vx.parameter(device.tensor(host(10, 20)));
    const record = capture(device, (x: Tensor) => {
      const c = device.tensor(host(1, 2));
      const y = vx.add(x, c);
      return { x, w, c, y, twice: vx.reshape(y, [2, 1]), also: x.view([2, 1]) };
    });
    let r = record(host(3, 4));
    const values = async () =>
      Object.fromEntries(await Promise.all(Object.entries(r).map(async ([k, t]) => [k, [...(await t.data())]])));
    expect(await values()).toEqual({ x: [3, 4], w: [10, 20], c: [1, 2], y: [4, 6], twice: [4, 6], also: [3, 4] });
    expect(r.twice.shape).toEqual([2, 1]);
    expect(r.y.storage).toBe(r.twice.storage);
    device.write(w, host(11, 21));
    r = record(host(5, 6));
    expect(await values()).toEqual({ x: [5, 6], w: [11, 21], c: [1, 2], y: [6, 8], twice: [6, 8], also: [5, 6] });
    record.dispose();
    expect(await list(w)).toEqual([11, 21]); // the plan disposes of its own view of a parameter only
    const array = capture(device, (x: Tensor) => [vx.square(x), x] as const);
    expect(await Promise.all(array(host(3)).map((t) => t.item()))).toEqual([9, 3]);
    array.dispose();
    w.dispose();
    expect(use()).toEqual(before);
  });

  test("a result goes back in as an input", async () => {
    const step = capture(device, (x: Tensor) => vx.add(x, x));
    let x = step(host(1, 2));
    for (let i = 0; i < 3; i++) x = step(x);
    expect(await list(x)).toEqual([16, 32]);
    device.write(step.plan!.inputs[0], host(5, 6));
    expect(await list(step(step.plan!.inputs[0]))).toEqual([10, 12]); // filled in place: nothing to copy
    const same = capture(device, (x: Tensor) => x);
    expect(await list(same(same(same(host(4)))))).toEqual([4]);
    for (const s of [step, same]) s.dispose();
  });

  test("inputs of the plan given for one another are not overwritten before they are read", async () => {
    const step = capture(device, (x: Tensor, y: Tensor) => vx.sub(x, y));
    const fill = () => {
      const [x, y] = step.plan!.inputs;
      device.write(x, host(5));
      device.write(y, host(3));
      return [x, y];
    };
    step(host(0), host(0));
    const [x, y] = fill();
    expect(await list(step(y, x))).toEqual([-2]);
    expect(await list(step(fill()[1], host(1)))).toEqual([2]);
    step.dispose();
  });

  test("results may be disposed or made in a scope: the plan keeps their memory", async () => {
    const step = capture(device, (x: Tensor) => ({ y: vx.square(x), z: vx.affine(x, 1, 1) }));
    const first = vx.scope(() => step(host(2)));
    expect(await first.y.item()).toBe(4);
    first.y.dispose();
    using other = full(device, [1], 100); // would get the result's buffer if the plan had let go of it
    const second = step(host(3));
    expect([await second.y.item(), await second.z.item(), await other.item()]).toEqual([9, 4, 100]);
    step.dispose();
    expect(second.y.disposed).toBe(true);
  });

  test("constants live as long as the plan", async () => {
    const before = use();
    const step = capture(device, (x: Tensor) => vx.add(x, device.tensor(host(1, 2, 3))));
    step(host(0, 0, 0));
    using noise = full(device, [3], 9); // would take the constant's buffer
    expect(await list(step(host(1, 1, 1)))).toEqual([2, 3, 4]);
    step.dispose();
    noise.dispose();
    expect(use()).toEqual(before);
  });

  test("empty tensors pass through and touch nothing", async () => {
    const target = vx.parameter(full(device, [4], 7));
    const step = capture(device, (x: Tensor) => {
      device.stream.copy(x, target, 0);
      return vx.concat([x, x], 0);
    });
    expect(await list(step({ data: new Float32Array(0), shape: [0, 3] }))).toEqual([]);
    expect(await list(target)).toEqual([7, 7, 7, 7]);
    step.dispose();
    target.dispose();
  });

  test("a plan that was forgotten gives its memory back when it is collected", () => {
    const { stdout, stderr } = runChild(
      `
      import { openDevice, capture, full, square, mul } from "./src/index.ts";
      const device = await openDevice();
      const w = full(device, [2], 3);
      await (async () => {
        const step = capture(device, (x) => mul(square(square(x)), mul(w, device.tensor({ data: [1, 2], shape: [2] }))));
        console.log(String(await step({ data: [1, 2], shape: [2] }).data()), device.memory.buffers);
      })();
      for (let i = 0; i < 20 && device.memory.buffers > 1; i++) { await new Promise((r) => setTimeout(r, 10)); gc(); }
      w.dispose();
      console.log(device.memory.live, device.memory.buffers);
      await device.settle();
      device.close();`,
      ["--expose-gc"],
    );
    expect(stdout, stderr).toBe("3,96 7\n0 0");
  });

  test("dispose may come while the step is only recorded, twice, and before a new call", async () => {
    const before = use();
    const step = capture(device, (x: Tensor) => vx.square(x));
    const read = step(host(3)).data();
    step(host(4));
    step.dispose();
    step.dispose();
    expect(step.plan).toBeUndefined();
    expect(use()).toEqual(before);
    await device.settle();
    expect([...(await read)]).toEqual([9]);
    expect(await step(host(5)).item()).toBe(25);
    const { plan } = step;
    step.dispose();
    expect(() => (plan as Plan<Tensor>).replay()).toThrow(/disposed/);
    expect(use()).toEqual(before);
  });
});

test("a constant made in a scope inside the function keeps its value", async () => {
  const one = (v: number) => device.tensor(host(v));
  const step = capture(device, (x) => vx.scope(() => vx.add(x, one(5))));
  const x = one(2);
  const before = await list(step(x));
  // What the pool would have handed the constant's memory to.
  const others = Array.from({ length: 8 }, () => one(99));
  expect([before, await list(step(x))]).toEqual([[7], [7]]);
  step.dispose();
  for (const t of [x, ...others]) t.dispose();
});
