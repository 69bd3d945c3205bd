/** @file Node's half of `#gpu`: Dawn through the npm package `webgpu`, an optional peer dependency. */

// The object from `create()` must stay reachable for the whole process: if it is collected while a device is in use, the process
// crashes natively (dawn-gpu/node-webgpu issue 18). It is therefore held by the global object, one per set of toggles.
const held = Symbol.for("voxgrad.gpu");
type Holder = { [held]?: Map<string, GPU> };

export async function loadGPU(toggles: readonly string[]): Promise<GPU | undefined> {
  const holder = globalThis as Holder;
  const instances = (holder[held] ??= new Map());
  const key = toggles.join(" ");
  let gpu = instances.get(key);
  if (!gpu) {
    let dawn: typeof import("webgpu");
    try {
      dawn = await import("webgpu");
    } catch {
      return undefined;
    }
    gpu = dawn.create([...toggles]);
    instances.set(key, gpu);
  }
  return gpu;
}

export const noAdapterAdvice =
  "in Node voxgrad needs the npm package `webgpu` and a Vulkan, Metal or D3D12 driver; on Linux without a GPU install a software " +
  "driver (Debian: `apt-get install -t bookworm-backports mesa-vulkan-drivers`) or, in a clone of voxgrad, run `npm run demo`, which sets one up";

/** Dawn's binding for Node polls in a tight loop while a promise of its is pending. */
export const pollsWhileWaiting = true;
