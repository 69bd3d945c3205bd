/** @file Node's half of `#gpu`: Dawn through the npm package `webgpu`, an optional peer dependency; Deno's own where it runs. */

import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { delimiter, dirname, resolve } from "node:path";
import { ConfigError, NoAdapterError } from "../host/errors.ts";
import { importModule } from "../host/import_module.ts";

export { quietly } from "./quiet.node.ts";

// The object from `create()` must stay reachable for the whole process: if it is collected while a device is in use, the process
// crashes natively (dawn-gpu/node-webgpu issue 18). It is therefore held by the global object, one per set of toggles.
const held = Symbol.for("voxgrad.gpu");
type Holder = { [held]?: Map<string, GPU> };

/**
 * Milliseconds after which an adapter is asked for once more where there is none: a driver may have none for a moment, as right after a process that used it
 * was killed. None where nothing can load a driver, of which Dawn warns each time.
 */
export const adapterPauses = (): readonly number[] => (missingLoader() ? [] : [200, 600]);

/**
 * WebGPU's entry: the runtime's own if it has one, else that of the package. Throws `NoAdapterError` if the package cannot be loaded.
 * @param anew another one than before: Dawn looks for drivers once
 */
export async function loadGPU(toggles: readonly string[], anew = false): Promise<GPU> {
  const own = (globalThis as { navigator?: { gpu?: GPU } }).navigator?.gpu;
  if (own && toggles.length === 0) return own;
  const holder = globalThis as Holder;
  const instances = (holder[held] ??= new Map());
  const key = toggles.join(" ");
  let gpu = instances.get(key);
  if (!gpu || anew) {
    if (gpu) instances.set(`${key} before ${instances.size}`, gpu);
    gpu = created(await loadDawn(), toggles);
    instances.set(key, gpu);
  }
  return gpu;
}

function created(dawn: typeof import("webgpu"), toggles: readonly string[]): GPU {
  try {
    return dawn.create([...toggles]);
  } catch (cause) {
    throw new ConfigError(
      `openDevice: toggles must be texts name=value, such as enable-dawn-features=allow_unsafe_apis, got ${toggles.join(", ")} (${(cause as Error).message})`,
      { cause },
    );
  }
}

// The package loads a binary from beside itself, so no bundle can hold it.
async function loadDawn(): Promise<typeof import("webgpu")> {
  try {
    return (await importModule("webgpu")) as typeof import("webgpu");
  } catch (cause) {
    throw unloadable(cause as NodeJS.ErrnoException);
  }
}

/** Why the package could not be loaded. */
export function unloadable(cause: NodeJS.ErrnoException): NoAdapterError {
  // What the package itself misses is looked for by `require`, which has another code.
  return cause.code === "ERR_MODULE_NOT_FOUND"
    ? new NoAdapterError("no WebGPU adapter: the npm package `webgpu` is not installed: run `npm install webgpu`", { cause })
    : new NoAdapterError(
        `no WebGPU adapter: the npm package \`webgpu\` is there, but its binary for ${process.platform}-${process.arch} does not load ` +
          `(${cause.message}): reinstall it with \`npm install --force webgpu\`, and see that system and Node.js are ones that it supports`,
        { cause },
      );
}

const driverAdvice =
  "on Linux without a GPU install a software driver (Debian: `apt-get install -t bookworm-backports mesa-vulkan-drivers`) or, in a clone of " +
  "voxgrad, run `npm run demo`, which sets one up";

/** Why Vulkan's loader cannot be loaded; undefined if it can, and where Dawn needs none. */
const missingLoader = () => (process.platform === "linux" ? loadError("libvulkan.so.1") : undefined);

/** Why there is no adapter though WebGPU is there, and what the user can do. */
export async function explainNoAdapter(): Promise<NoAdapterError> {
  // It looks for drivers in its own way, and cannot load a library to try.
  if (process.versions["deno"])
    return new NoAdapterError(`no WebGPU adapter: Deno's navigator.gpu offers none: install a graphics driver; ${driverAdvice}`);
  const loader = missingLoader();
  if (loader) {
    return new NoAdapterError(
      "no WebGPU adapter: the Vulkan loader, libvulkan.so.1, was not found: install it (Debian: `apt-get install libvulkan1`) and a Vulkan driver; " +
        driverAdvice,
      { cause: loader },
    );
  }
  for (const variable of ["VK_DRIVER_FILES", "VK_ICD_FILENAMES"]) {
    for (const file of process.env[variable]?.split(delimiter).filter(Boolean) ?? []) {
      const cause = driverError(file);
      if (!cause) continue;
      return new NoAdapterError(
        `no WebGPU adapter: ${variable} names the driver file ${file}, which cannot be used (${cause.message}): name an existing one, such as one of ` +
          "/usr/share/vulkan/icd.d, or unset the variable",
        { cause },
      );
    }
  }
  return new NoAdapterError(
    `no WebGPU adapter: no Vulkan, Metal or D3D12 driver offers a GPU that the package \`webgpu\` can use: install a driver; ${driverAdvice}`,
  );
}

// A Vulkan driver is a JSON file that names a library.
function driverError(file: string): Error | undefined {
  try {
    const { ICD } = JSON.parse(readFileSync(file, "utf8")) as { ICD?: { library_path?: string } };
    const library = ICD?.library_path;
    if (!library) return new Error("it names no library, ICD.library_path");
    return loadError(library.includes("/") ? resolve(dirname(file), library) : library);
  } catch (error) {
    return error as Error;
  }
}

/** Why a library of the system cannot be loaded; undefined if it can. */
function loadError(library: string): Error | undefined {
  try {
    process.dlopen({ exports: {} }, library);
  } catch (error) {
    // It was loaded, and found to be no module of Node.
    if (!/did not self-register|napi_register/i.test((error as Error).message)) return error as Error;
  }
  return undefined;
}

/** Dawn's binding for Node polls in a tight loop while a promise of its is pending. */
export const pollsWhileWaiting = true;

/** Whether a device can read what another one compiles beside it: there are cores for both, and Mesa's cache on disk, if that is the driver, is not off. */
export const sharesCompiled =
  availableParallelism() > 1 && !/^(1|y|yes|t|true)$/i.test(process.env["MESA_SHADER_CACHE_DISABLE"] ?? "");

const cell = new Int32Array(new SharedArrayBuffer(4));

/** The thread sleeps for some milliseconds, then its event loop goes round once. */
export const doze: ((ms: number) => Promise<void>) | undefined = (ms) => {
  Atomics.wait(cell, 0, 0, ms);
  return new Promise((resolve) => setImmediate(resolve));
};
