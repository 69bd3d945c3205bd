/** @file Which GPU is opened, and how: at the adapter's highest limits, with the features that kernels can use. */

import { adapterPauses, explainNoAdapter, loadGPU, quietly } from "#gpu";
import { ConfigError, NoAdapterError } from "../host/errors.ts";
import { refused } from "../host/kinds.ts";
import type { GPU, GPUAdapter, GPUAdapterInfo, GPUDevice, GPUPowerPreference } from "./webgpu.ts";

/** Which adapter `openDevice` takes. */
export interface AdapterOptions {
  /** Default "high-performance". */
  readonly powerPreference?: GPUPowerPreference | undefined;
  /** Dawn toggles, Node only, e.g. `enable-dawn-features=allow_unsafe_apis`. */
  readonly toggles?: readonly string[] | undefined;
  /** WebGPU's entry to take the adapter from, such as Deno's `navigator.gpu`, in the place of the platform's. */
  readonly gpu?: GPU | undefined;
  /** An adapter that was chosen already. */
  readonly adapter?: GPUAdapter | undefined;
  /** A device to share, as it is; `close` then frees what was made here and leaves the device open. */
  readonly device?: GPUDevice | undefined;
}

export interface OpenedAdapter {
  readonly gpu: GPUDevice;
  readonly info: GPUAdapterInfo;
  /** Whether the device belongs to somebody else. */
  readonly shared: boolean;
  /** Opens another device of the same adapter, if it was chosen here. */
  readonly again?: () => Promise<GPUDevice>;
}

// Features the kernels can use; a device without any of them works too.
const wanted = [
  "shader-f16",
  "subgroups",
  "subgroup-size-control",
  "timestamp-query",
  "chromium-experimental-subgroup-matrix", // only with Dawn's allow_unsafe_apis
] as unknown as readonly GPUFeatureName[];

const limits = [
  "maxBufferSize",
  "maxStorageBufferBindingSize",
  "maxStorageBuffersPerShaderStage",
  "maxComputeWorkgroupStorageSize",
  "maxComputeInvocationsPerWorkgroup",
  "maxComputeWorkgroupSizeX",
  "maxComputeWorkgroupSizeY",
  "maxComputeWorkgroupSizeZ",
] as const;

/** What is given in the platform's place: how it is called, and the method that tells it. */
const sources = {
  gpu: ["WebGPU's entry, such as navigator.gpu", "requestAdapter"],
  adapter: ["a GPUAdapter", "requestDevice"],
  device: ["a GPUDevice", "createBuffer"],
} as const;

const powers: readonly unknown[] = ["high-performance", "low-power", undefined] satisfies AdapterOptions["powerPreference"][];

export async function openAdapter(options: AdapterOptions): Promise<OpenedAdapter> {
  if (!powers.includes(options.powerPreference))
    refused("openDevice", "powerPreference", '"high-performance" or "low-power"', options.powerPreference);
  const given = (["gpu", "adapter", "device"] as const).filter((name) => options[name] !== undefined);
  for (const name of given) {
    const [words, method] = sources[name];
    const value = options[name] as object | null;
    if (typeof (value as Record<string, unknown> | null)?.[method] !== "function") refused("openDevice", name, words, value);
  }
  if (given.length > 1) throw new ConfigError(`openDevice: give one of gpu, adapter and device, not ${given.join(" and ")}`);
  const { device } = options;
  if (device) {
    // Older implementations tell only the adapter's.
    const info = device.adapterInfo ?? ({ vendor: "", architecture: "", device: "", description: "" } as GPUAdapterInfo);
    return { gpu: device, info, shared: true };
  }
  const adapter = options.adapter ?? (await chosen(options));
  const again = async () => deviceOf(await chosen(options));
  return { gpu: await deviceOf(adapter), info: adapter.info, shared: false, ...(options.adapter ? {} : { again }) };
}

async function deviceOf(adapter: GPUAdapter): Promise<GPUDevice> {
  const request = adapter.requestDevice({
    label: "voxgrad",
    requiredFeatures: wanted.filter((f) => adapter.features.has(f)),
    requiredLimits: Object.fromEntries(limits.map((name) => [name, adapter.limits[name]])),
  });
  return request.catch((cause: Error) => {
    throw new NoAdapterError(
      `the WebGPU adapter gave no device (${cause.message.trim()}); an adapter gives one device only: ask for another adapter, or leave it to openDevice`,
      { cause },
    );
  });
}

async function chosen({ gpu: given, toggles = [], powerPreference = "high-performance" }: AdapterOptions): Promise<GPUAdapter> {
  const ask = async (anew: boolean) => {
    const gpu = given ?? (await loadGPU(toggles, anew));
    try {
      return await quietly(() => gpu.requestAdapter({ powerPreference }));
    } catch (cause) {
      throw new NoAdapterError(`no WebGPU adapter: asking for one failed (${(cause as Error).message})`, { cause });
    }
  };
  const adapter = await ask(false);
  if (adapter) return adapter;
  for (const pause of given ? [] : adapterPauses()) {
    await new Promise((resolve) => setTimeout(resolve, pause));
    const later = await ask(true);
    if (later) return later;
  }
  throw given ? new NoAdapterError("no WebGPU adapter: the gpu that was given to openDevice has none") : await explainNoAdapter();
}
