/** @file What a captured step refuses, without damage; and long steps. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import * as vx from "../../src/index.ts";
import {
  capture,
  ConfigError,
  type Device,
  DTypeError,
  full,
  openDevice,
  ShapeError,
  type Tensor,
  TensorTooLargeError,
} from "../../src/index.ts";

let device: Device;
beforeAll(async () => {
  device = await openDevice();
});
afterAll(async () => {
  await device.settle();
  device.close();
});

const host = (...data: number[]) => ({ data: Float32Array.from(data), shape: [data.length] });
const list = async (t: Tensor): Promise<number[]> => [...(await t.data())];
/** Memory in use, once what earlier tests left to the collector cannot matter: they dispose everything. */
const use = () => ({ live: device.memory.live, buffers: device.memory.buffers });

describe("errors", () => {
  test("of fn pass through, leave the stream and the memory as they were, and other plans usable", async () => {
    const step = capture(device, (x: Tensor) => {
      device.tensor(host(1));
      if (x.size === 3) throw new RangeError("mine");
      return vx.add(x, full(device, [2], 1)); // does not broadcast with 4
    });
    expect(await list(step(host(1, 2)))).toEqual([2, 3]);
    const before = use();
    expect(() => step(host(1, 2, 3))).toThrow(RangeError);
    expect(() => step(host(1, 2, 3))).toThrow(RangeError); // no other plan is taken for it
    expect(() => step(host(1, 2, 3, 4))).toThrow(ShapeError);
    using i = device.tensor({ data: [1, 2], shape: [2] }, "i32");
    expect(() => step(i)).toThrow(DTypeError);
    await expect(step.prepare([host(1, 2, 3)])).rejects.toThrow("mine");
    i.dispose();
    expect(device.stream).toBe(device.eager);
    expect(use()).toEqual(before);
    expect(await list(step(host(5, 6)))).toEqual([6, 7]);
    step.dispose();
  });

  test("a stale result of another step, of which this one was made, is no constant", async () => {
    const first = capture(device, (x: Tensor) => vx.square(x));
    const made = first(host(2, 3));
    const step = capture(device, (x: Tensor) => vx.add(x, made));
    expect(await list(step(host(1, 1)))).toEqual([5, 10]);
    expect(await list(step(host(2, 1)))).toEqual([6, 10]);
    first(host(5, 5));
    expect(() => step(host(1, 1))).toThrow(/a result \[2\] of a captured step is stale/);
    for (const s of [first, step]) s.dispose();
  });

  test("of two devices: nothing of another one is frozen", async () => {
    const other = await openDevice();
    const there = full(other, [1], 1);
    const result = capture(device, (x: Tensor) => [vx.square(x), there]);
    expect(() => result(host(1))).toThrow(new ConfigError("capture: a result [1] is on another device"));
    const work = capture(device, (x: Tensor) => {
      vx.square(there);
      return vx.square(x);
    });
    expect(() => work(host(1))).toThrow(/inside capture\(\) of another device it would run once/);
    expect(await list(vx.square(there))).toEqual([1]);
    for (const s of [result, work]) s.dispose();
    other.close();
  });

  test("inputs that cannot be copied in are named, before anything is traced", async () => {
    let traces = 0;
    const step = capture(device, (x: Tensor, y: Tensor) => (traces++, vx.add(x, y)));
    const gone = full(device, [1], 0);
    gone.dispose();
    const other = await openDevice();
    let leaked!: Tensor;
    const leak = capture(device, (x: Tensor) => (leaked = vx.square(x)));
    leak(host(1));
    expect(() => step(host(1), { data: new Float32Array(3), shape: [2] })).toThrow(
      /input 1: 3 values do not fill the shape \[2\]/,
    );
    expect(() => step(gone, host(1))).toThrow(/disposed/);
    expect(() => step(full(other, [1], 0), host(1))).toThrow(/input 0 is on another device/);
    expect(() => step(leaked, host(1))).toThrow(/inside capture\(\) has no values outside/);
    expect(() => step(undefined as never, host(1))).toThrow(/input 0 is neither a tensor nor a host array/);
    expect(() => step([1, 2] as never, host(1))).toThrow(ConfigError);
    expect(traces).toBe(0);
    expect(await list(step(host(1), host(2)))).toEqual([3]);
    other.close();
    for (const s of [step, leak]) s.dispose();
  });

  test("reading, nesting, asynchronous functions and other results are refused", () => {
    const w = vx.parameter(device.tensor(host(2)));
    const inner = capture(device, (x: Tensor) => vx.square(x));
    const bad: [RegExp, (x: Tensor) => unknown][] = [
      [/cannot be read inside capture/, (x) => (void vx.square(x).data(), x)],
      [/cannot be read inside capture/, (x) => (void vx.sum(x).item(), x)],
      [/cannot be read inside capture/, (x) => (void w.data(), x)],
      [/inside another capture/, (x) => inner(x)],
      [/no values outside/, (x) => (device.write(vx.square(x), host(1)), x)],
      [/must be synchronous/, async (x) => x],
      [/must be synchronous and return a tensor/, () => undefined],
      [/return a tensor/, (x) => ({ x, size: 1 })],
    ];
    for (const [message, fn] of bad) {
      const before = use();
      const step = capture(device, fn as (x: Tensor) => Tensor);
      expect(() => step(host(1))).toThrow(ConfigError);
      expect(() => step(host(1))).toThrow(message);
      expect(device.stream).toBe(device.eager);
      step.dispose();
      expect(use()).toEqual(before);
    }
    inner.dispose();
    w.dispose();
  });

  test("memory of an earlier trace is not taken for state", async () => {
    let state: Tensor | undefined;
    const step = capture(device, (x: Tensor) => (state = state ? vx.add(state, x) : vx.square(x)));
    expect(await list(step(host(2)))).toEqual([4]);
    expect(() => step(host(2, 3))).toThrow(/make state that steps share before the capture/);
    expect(await list(step(host(3)))).toEqual([9]);
    step.dispose();
  });

  test("a tensor too large fails at the operation that asks for it, and allocates nothing", () => {
    const n = Math.floor(device.gpu.limits.maxBufferSize / 4);
    const before = use();
    const step = capture(device, (x: Tensor) => vx.sum(vx.concat([x, x], 0)));
    // Only the length is looked at before the error.
    const huge = (length: number) => ({ data: { length } as Float32Array, shape: [length] });
    expect(() => step(huge(Math.ceil(n / 2) + 64))).toThrow(TensorTooLargeError);
    expect(() => step(huge(n + 1))).toThrow(TensorTooLargeError);
    expect(use()).toEqual(before);
    step.dispose();
  });

  test("a lost device is told at the next step", async () => {
    const lost = await openDevice();
    const step = capture(lost, (x: Tensor) => vx.square(x));
    const pending = step(host(2)).item();
    lost.gpu.destroy();
    await expect(pending).rejects.toThrow(vx.DeviceLostError);
    expect(() => step(host(2))).toThrow(vx.DeviceLostError);
    step.dispose();
  });
});

describe("long steps", () => {
  test("on hardware a step that took more than 500 ms is split, with the same values", async () => {
    const d = await openDevice();
    Object.defineProperty(d, "software", { value: false });
    const { queue } = d.gpu;
    const wait = queue.onSubmittedWorkDone;
    queue.onSubmittedWorkDone = async () => {
      await wait.call(queue);
      return new Promise<undefined>((resolve) => setTimeout(resolve, 600, undefined)); // a slow device
    };
    const step = capture(d, (x: Tensor) => {
      for (let i = 0; i < 10; i++) x = vx.affine(x, 1, 1);
      return x;
    });
    expect(await list(step(host(1)))).toEqual([11]);
    await d.settle();
    const before = d.eager.count.submits;
    expect(await list(step(host(2)))).toEqual([12]);
    expect(d.eager.count.submits - before).toBeGreaterThanOrEqual(2); // 10 dispatches in 600 ms or more: at most 5 per submit
    d.close();
  });

  test("on hardware the first run is split before anything is known, one of a fast device not any more", async () => {
    const d = await openDevice();
    Object.defineProperty(d, "software", { value: false });
    const step = capture(d, (x: Tensor) => {
      for (let i = 0; i < 40; i++) x = vx.affine(x, 1, 1);
      return x;
    });
    const submits = async (value: number): Promise<number> => {
      const before = d.eager.count.submits;
      expect(await list(step(host(value)))).toEqual([value + 40]);
      await d.settle();
      return d.eager.count.submits - before;
    };
    expect(await submits(1)).toBeGreaterThanOrEqual(3);
    expect(await submits(2)).toBe(1);
    d.close();
  });
});
