/** @file What the machine is: adapter, all its features and limits, versions, and what the adapter can do at most. */

import { execFile } from "node:child_process";
import { createRequire } from "node:module";
import { arch, availableParallelism, cpus, platform, release, totalmem } from "node:os";
import { promisify } from "node:util";
import { ceiling } from "../../ceiling.ts";
import { type Context, type StageRun, toggles } from "../stage.ts";

export interface Adapter {
  readonly name: string;
  /** For a file name. */
  readonly slug: string;
  readonly software: boolean;
  readonly info: Readonly<Record<string, string | number | boolean>>;
  readonly features: readonly string[];
  readonly limits: Readonly<Record<string, number>>;
  /** Shapes that its matrix units multiply, such as "16x16x16 f16→f32". */
  readonly matrices: readonly string[];
}

export type Versions = Readonly<Record<string, string>>;

const slugOf = (...names: (string | undefined)[]): string => {
  const name = names.find((n) => n && !/^(0x)?[0-9a-f]*$/i.test(n)) ?? "unnamed-adapter"; // some give a number for a name
  return name
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .replaceAll(/^-|-$/g, "");
};

interface Matrix {
  readonly M: number;
  readonly N: number;
  readonly K: number;
  readonly componentType: string;
  readonly resultComponentType: string;
}

/** From an adapter asked for here, because a device has only the features that the library wants. */
async function adapter(context: Context): Promise<Adapter> {
  const { create } = await import("webgpu");
  const gpu = create(toggles);
  Object.assign(globalThis, { benchGpu: gpu }); // collected while in use, it takes the process down
  const found = await gpu.requestAdapter({ powerPreference: "high-performance" });
  if (!found) throw new Error("Dawn has no adapter here");
  const info = found.info as GPUAdapterInfo & { readonly subgroupMatrixConfigs?: Iterable<Matrix> };
  const device = await context.device();
  const limits: Record<string, number> = {};
  for (const key in found.limits) {
    const value = found.limits[key as keyof GPUSupportedLimits];
    if (typeof value === "number") limits[key] = value;
  }
  const { vendor, architecture, device: model, description, subgroupMinSize, subgroupMaxSize, isFallbackAdapter } = info;
  return {
    name: device.name,
    slug: slugOf(model, description, architecture, vendor),
    software: device.software,
    info: { vendor, architecture, device: model, description, subgroupMinSize, subgroupMaxSize, isFallbackAdapter },
    features: [...found.features].sort(),
    limits,
    matrices: [...(info.subgroupMatrixConfigs ?? [])].map(
      (m) => `${m.M}x${m.N}x${m.K} ${m.componentType}→${m.resultComponentType}`,
    ),
  };
}

async function versions(): Promise<Versions> {
  const run = promisify(execFile);
  const found: Record<string, string> = {
    node: process.version,
    system: `${platform()} ${arch()} ${release()}`,
    processor: `${cpus()[0]?.model.trim()}, ${availableParallelism()} cores, ${(totalmem() / 2 ** 30).toFixed(0)} GiB`,
    toggles: toggles.join(" "),
  };
  try {
    const { version } = createRequire(import.meta.url)("webgpu/package.json") as { version: string };
    found["npm webgpu"] = version;
  } catch {
    found["npm webgpu"] = "unknown";
  }
  const fields = "name,driver_version,memory.total,clocks.max.sm,clocks.max.mem";
  const smi = await run("nvidia-smi", [`--query-gpu=${fields}`, "--format=csv,noheader"], { timeout: 10_000 }).catch(
    () => undefined,
  );
  if (smi) found["nvidia-smi"] = smi.stdout.trim().replaceAll("\n", "; ");
  return found;
}

const items: Readonly<Record<string, (context: Context) => Promise<unknown>>> = {
  adapter,
  versions,
  ceiling: async (context) => ceiling(await context.device()),
};

export const run: StageRun = (context) =>
  context.each(
    Object.keys(items),
    (name) => name,
    (name) => items[name](context),
  );
