/** @file What a device is opened from, and what is said when none can be. */

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import * as vx from "../../src/index.ts";
import { loadGPU, unloadable } from "../../src/tensor/gpu.node.ts";
import { runChild } from "../lib/child.ts";

let folder: string;
beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), "voxgrad-"))));
afterAll(() => rmSync(folder, { recursive: true }));

describe("openDevice", () => {
  test("with a GPU or an adapter of the caller", async () => {
    const gpu = await loadGPU([]);
    const adapter = (await gpu.requestAdapter())!;
    for (const options of [{ gpu }, { adapter }]) {
      const device = await vx.openDevice(options);
      expect(device.gpu.limits.maxBufferSize).toBe(adapter.limits.maxBufferSize);
      expect(await vx.sum(vx.full(device, [5], 2)).item()).toBe(10);
      device.close();
    }
    await expect(vx.openDevice({ adapter })).rejects.toThrow(/gave no device[^]*one device only/);
    await expect(vx.openDevice({ gpu, adapter })).rejects.toThrow(/one of gpu, adapter and device, not gpu and adapter/);
    const none = { requestAdapter: async () => null } as unknown as GPU;
    await expect(vx.openDevice({ gpu: none })).rejects.toThrow(/the gpu that was given to openDevice has none/);
    const failing = { requestAdapter: () => Promise.reject(new Error("the GPU process is gone")) } as unknown as GPU;
    await expect(vx.openDevice({ gpu: failing })).rejects.toThrow(vx.NoAdapterError);
  });

  test.each<[string, object, RegExp]>([
    ["a toggle without a value", { toggles: ["allow_unsafe_apis"] }, /toggles must be texts name=value.*allow_unsafe_apis/],
    ["a toggle that is no list", { toggles: "a=b" }, /toggles must be a list of texts, got the text "a=b"; put it in a list/],
    ["another power preference", { powerPreference: "fast" }, /powerPreference must be "high-performance" or "low-power"/],
    ["a binding of nothing", { maxBindingSize: 0 }, /maxBindingSize must be at least 256 bytes, got 0/],
    ["a binding of NaN bytes", { maxBindingSize: NaN }, /maxBindingSize/],
    ["a number as a text", { maxBindingSize: "1000000" }, /maxBindingSize must be a number/],
    ["no entry to WebGPU", { gpu: {} }, /gpu must be WebGPU's entry/],
    ["no adapter", { adapter: 5 }, /adapter must be a GPUAdapter, got the number 5/],
    ["nothing for a device", { device: null }, /device must be a GPUDevice, got null/],
  ])("%s is an error of ours", async (_, options, words) => {
    const opened = vx.openDevice(options as vx.DeviceOptions);
    await expect(opened).rejects.toThrow(words);
    await expect(opened).rejects.toThrow(vx.ConfigError);
  });

  test("with a device that is shared: limits as they are, and close leaves it open", async () => {
    const adapter = (await (await loadGPU([])).requestAdapter())!;
    const gpu = await adapter.requestDevice();
    const theirs = gpu.createBuffer({ size: 256, usage: 12 });
    const device = await vx.openDevice({ device: gpu });
    expect(device.gpu).toBe(gpu);
    expect(device.name).not.toBe("");
    const t = vx.full(device, [5], 2);
    const step = vx.capture(device, (x: vx.Tensor) => vx.sum(x));
    expect(await step(t).item()).toBe(10);
    device.close();
    expect(() => vx.full(device, [1], 1)).toThrow(/closed/);
    gpu.queue.writeBuffer(theirs, 0, new Float32Array([1]));
    await gpu.queue.onSubmittedWorkDone();
    const again = await vx.openDevice({ device: gpu });
    expect(await vx.sum(vx.full(again, [3], 2)).item()).toBe(6);
    again.close();
    gpu.destroy();
  });

  test("a runtime with a navigator.gpu of its own, such as Deno, needs no package", async () => {
    const gpu = await loadGPU([]);
    const before = Object.getOwnPropertyDescriptor(globalThis, "navigator");
    Object.defineProperty(globalThis, "navigator", { value: { gpu: { theirs: true } }, configurable: true });
    try {
      expect(await loadGPU([])).toEqual({ theirs: true });
    } finally {
      if (before) Object.defineProperty(globalThis, "navigator", before);
    }
    expect(await loadGPU([])).toBe(gpu);
  });
});

// Elsewhere adapters are not found by files named in the environment.
describe.skipIf(process.platform !== "linux")("no adapter", () => {
  const source = `
    import { openDevice } from "./src/index.ts";
    try { await openDevice(); } catch (e) { console.log(JSON.stringify([e.code, e.message, String(e.cause?.message)])); }`;
  const said = (drivers: string, more: NodeJS.ProcessEnv = {}) => {
    const { stdout, stderr } = runChild(source, [], { VK_DRIVER_FILES: drivers, VK_ICD_FILENAMES: drivers, ...more });
    expect(stdout, stderr).not.toBe("");
    const [code, message, cause] = JSON.parse(stdout) as string[];
    expect(code).toBe("NoAdapter");
    return { message, cause, stderr };
  };

  test("a driver file that is not there, is no JSON, or names a library that is not there", () => {
    expect(said("/nonexistent.json")).toMatchObject({
      message: expect.stringMatching(/VK_DRIVER_FILES names the driver file \/nonexistent\.json, which cannot be used.*unset/),
      cause: expect.stringContaining("ENOENT"),
    });
    const broken = join(folder, "broken.json");
    writeFileSync(broken, "{");
    expect(said(broken).cause).toMatch(/JSON/);
    const gone = join(folder, "gone.json");
    writeFileSync(
      gone,
      JSON.stringify({ file_format_version: "1.0.0", ICD: { library_path: "./gone.so", api_version: "1.3.0" } }),
    );
    expect(said(gone).cause).toMatch(/gone\.so.*cannot open/);
  });

  test("an adapter that is there a moment later is opened, though Dawn looks for drivers once; one that stays away is told of within seconds", () => {
    const later = `
      const drivers = ["VK_DRIVER_FILES", "VK_ICD_FILENAMES"].map((name) => [name, process.env[name]]);
      for (const [name] of drivers) process.env[name] = "/nonexistent.json";
      setTimeout(() => {
        for (const [name, value] of drivers) if (value === undefined) delete process.env[name]; else process.env[name] = value;
      }, AFTER);
      const { openDevice, full, sum } = await import("./src/index.ts");
      const begun = performance.now();
      try { console.log(await sum(full(await openDevice(), [5], 2)).item()); process.exit(); }
      catch (e) { console.log(e.code, performance.now() - begun < 5000); process.exit(); }`;
    const after = (ms: number) => runChild(later.replace("AFTER", String(ms))).stdout;
    expect(after(100)).toBe("10");
    expect(after(60_000)).toBe("NoAdapter true");
  });

  test("the Vulkan loader is not found", () => {
    // A library that is none stands before the real one.
    const libraries = join(folder, "libraries");
    mkdirSync(libraries);
    writeFileSync(join(libraries, "libvulkan.so.1"), "");
    const { message, cause, stderr } = said("/nonexistent.json", { LD_LIBRARY_PATH: libraries });
    expect(stderr.match(/Couldn't load Vulkan/g)).toHaveLength(1); // not asked again
    expect(message).toMatch(/the Vulkan loader, libvulkan\.so\.1.*apt-get install/);
    expect(cause).toMatch(/libvulkan/);
  });

  test("the package is missing, or its binary is broken", async () => {
    const missing = await import("no-such-package-of-anybody" as string).catch((error: NodeJS.ErrnoException) => error);
    const error = unloadable(Object.assign(missing as Error, { code: "ERR_MODULE_NOT_FOUND" }));
    expect(error.message).toMatch(/`webgpu` is not installed: run `npm install webgpu`/);
    expect(error.cause).toBe(missing);
    const binary = join(folder, "dawn.node");
    writeFileSync(binary, "no library");
    let cause!: Error;
    try {
      process.dlopen({ exports: {} }, binary);
    } catch (e) {
      cause = e as Error;
    }
    expect(unloadable(cause)).toMatchObject({ code: "NoAdapter", cause });
    expect(unloadable(cause).message).toMatch(/is there, but its binary.*does not load.*dawn\.node.*reinstall/);
  });
});
