/** @file Opening a device, its limits, and what happens when it fails. Each test that breaks a device opens one of its own. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  ConfigError,
  type Device,
  DeviceLostError,
  full,
  openDevice,
  OutOfMemoryError,
  square,
  TensorTooLargeError,
  WebGPUError,
} from "../../src/index.ts";
import { loadGPU } from "../../src/tensor/gpu.node.ts";
import { write } from "../../src/tensor/kernel.ts";
import { runChild } from "../lib/child.ts";

let device: Device;
beforeAll(async () => void (device = await openDevice()));
afterAll(() => device.close());

const pause = (ms = 20): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
// The first error of `fn`, thrown at once or later.
async function failure(fn: () => unknown): Promise<Error> {
  try {
    await fn();
  } catch (error) {
    return error as Error;
  }
  throw new Error("nothing was thrown");
}

describe("openDevice", () => {
  test("asks for the adapter's highest limits and for the features it has", async () => {
    const adapter = (await (await loadGPU([])).requestAdapter())!;
    for (const name of [
      "maxBufferSize",
      "maxStorageBufferBindingSize",
      "maxStorageBuffersPerShaderStage",
      "maxComputeInvocationsPerWorkgroup",
    ] as const) {
      expect(device.gpu.limits[name], name).toBe(adapter.limits[name]);
    }
    for (const name of ["shader-f16", "subgroups", "timestamp-query"] as GPUFeatureName[]) {
      expect(device.gpu.features.has(name), name).toBe(adapter.features.has(name));
    }
    expect(device.name).not.toBe("");
  });

  test("two devices live side by side and keep their tensors apart", async () => {
    const other = await openDevice();
    using a = full(device, [1], 1);
    using b = full(other, [1], 2);
    expect([await a.item(), await b.item()]).toEqual([1, 2]);
    other.close();
    other.close();
    expect(await failure(() => b.data())).toBeInstanceOf(ConfigError);
    expect(() => full(other, [1], 1)).toThrow(/closed/);
    expect(await a.item()).toBe(1);
  });
});

describe("memory", () => {
  test("a tensor above the limits fails by name before anything is allocated", async () => {
    const limit = device.gpu.limits.maxBufferSize;
    const size = Math.floor(limit / 4) + 1;
    const before = device.memory;
    expect(() => device.empty([size])).toThrow(TensorTooLargeError);
    expect(() => device.empty([size])).toThrow(`Size of ${limit} bytes`);
    expect(device.memory).toEqual(before);
    await device.settle();
  });

  test.each([
    ["the refusal comes first", 0],
    ["errors about the refused buffer come first, as in Dawn", 30],
  ])("a refused allocation is an OutOfMemoryError at the next call: %s", async (_name, delay) => {
    const d = await openDevice();
    const { gpu } = d;
    // Neither a software driver nor a large GPU refuses on demand: a buffer of invalid usage is as dead as a refused one.
    const { createBuffer, popErrorScope } = gpu;
    gpu.createBuffer = () => {
      gpu.pushErrorScope("validation");
      const dead = createBuffer.call(gpu, { size: 256, usage: 0 });
      void popErrorScope.call(gpu);
      return dead;
    };
    gpu.popErrorScope = async () => {
      await popErrorScope.call(gpu);
      await pause(delay);
      return { message: "out of memory" } as GPUError;
    };
    const t = d.empty([64]);
    gpu.createBuffer = createBuffer;
    gpu.popErrorScope = popErrorScope;
    const read = failure(() => {
      d.run({ program: { key: `test.oom ${delay}`, code: writeOnes }, bindings: [write(t)], workgroups: [1, 1, 1] });
      return t.data();
    });
    expect(await read).toBeInstanceOf(OutOfMemoryError);
    expect((await read).message).toMatch(/refused a buffer of 256 bytes.*smaller batch/);
    expect(() => full(d, [1], 1)).toThrow(OutOfMemoryError);
    d.close();
  });
});

const writeOnes = `
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@compute @workgroup_size(1) fn main() { y[0] = 1.0; }`;

describe("reported errors", () => {
  test("an uncaptured error stops the run as a WebGPUError at the next call, and the process lives", async () => {
    const d = await openDevice();
    using t = full(d, [4], 1);
    d.gpu.createBuffer({ size: 16, usage: 0 });
    await pause();
    for (const call of [
      () => square(t),
      () => t.data(),
      () => d.empty([1]),
      () => d.settle(),
      () => d.tensor({ data: [1], shape: [1] }),
    ]) {
      expect(await failure(call)).toBeInstanceOf(WebGPUError);
    }
    d.close();
  });

  test("a shader that does not compile is shown with numbered lines, compiled now or ahead", async () => {
    const code = "// a comment\nfn main( {\n}";
    const d = await openDevice();
    using t = full(d, [4], 1);
    const call = { program: { key: "test.broken", code }, bindings: [write(t)], workgroups: [1, 1, 1] as const };
    const ahead = await failure(() => d.pipelines.prepare(call));
    d.close();
    const e = await openDevice();
    using u = full(e, [4], 1);
    const now = await failure(async () => {
      e.run({ ...call, bindings: [write(u)] });
      await e.settle();
    });
    e.close();
    for (const error of [ahead, now]) {
      expect(error).toBeInstanceOf(WebGPUError);
      expect(error.message).toMatch(/^(WebGPU reported: )?test\.broken: the shader did not compile/);
      expect(error.message).toContain("\n   2 fn main( {\n");
    }
  });
});

describe("device loss", () => {
  test("in mid-work: pending and later reads tell it, nothing crashes, and a new device works in the same process", async () => {
    const d = await openDevice();
    const t = full(d, [1000], 2);
    const read = t.data();
    const late = square(t).data();
    square(t); // recorded only: its submit comes after the loss
    const settled = failure(() => d.settle());
    d.gpu.destroy();
    expect(await failure(() => read)).toBeInstanceOf(DeviceLostError);
    expect((await failure(() => late)).message).toMatch(/lost.*new device.*checkpoint/);
    expect(await settled).toBeInstanceOf(DeviceLostError);
    for (const call of [() => t.data(), () => square(t), () => d.empty([1]), () => d.check()])
      expect(call).toThrow(DeviceLostError);
    const again = await openDevice();
    using u = full(again, [1], 3);
    expect(await square(u).item()).toBe(9);
    again.close();
  });

  test("a process that only keeps read promises for later is not ended by the loss", () => {
    const { status, stdout, stderr } = runChild(`
      import { openDevice, full, square } from "./src/index.ts";
      const device = await openDevice();
      const t = full(device, [1], 2);
      const losses = [t.item(), square(t).item()];
      device.gpu.destroy();
      square(t); // its submit comes from a microtask
      await new Promise((r) => setTimeout(r, 200));
      for (const l of losses) await l.catch((e) => console.log(e.name));
      try { full(device, [1], 0); } catch (e) { console.log(e.name); }`);
    expect(stdout, stderr).toBe("DeviceLostError\nDeviceLostError\nDeviceLostError");
    expect(status).toBe(0);
  });

  test("close is not a loss: later use is a ConfigError", async () => {
    const d = await openDevice();
    const read = full(d, [1], 1).data();
    d.close();
    await pause();
    expect(await failure(() => read)).toBeInstanceOf(ConfigError);
    expect(() => d.check()).toThrow(/closed/);
  });
});
