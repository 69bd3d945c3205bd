/** @file Checks WebGPU's aliasing rule on every bind group of a device, by itself: not every implementation reports each breach. */
import { expect } from "vitest";
import { type Device, openDevice } from "../../src/index.ts";

/** Breaches from now on: a buffer both read-only and writable in one bind group, or writable twice in overlapping ranges. */
function watchAliasing(device: Device): { readonly breaches: string[]; readonly groups: number } {
  const { gpu } = device;
  const kinds = new Map<GPUBindGroupLayout, Map<number, string>>();
  const seen = { breaches: [] as string[], groups: 0 };
  const makeLayout = gpu.createBindGroupLayout.bind(gpu);
  gpu.createBindGroupLayout = (descriptor) => {
    const layout = makeLayout(descriptor);
    kinds.set(layout, new Map([...descriptor.entries].map((e) => [e.binding, e.buffer!.type!])));
    return layout;
  };
  const makeGroup = gpu.createBindGroup.bind(gpu);
  gpu.createBindGroup = (descriptor) => {
    seen.groups++;
    const bound = [...descriptor.entries].map(({ binding, resource }) => {
      const { buffer, offset = 0, size = 0 } = resource as GPUBufferBinding;
      return {
        binding,
        buffer,
        from: offset,
        to: offset + size,
        writes: kinds.get(descriptor.layout)!.get(binding) === "storage",
      };
    });
    for (const a of bound) {
      for (const b of bound) {
        if (a.binding >= b.binding || a.buffer !== b.buffer || !(a.writes || b.writes)) continue;
        if (a.writes !== b.writes || (a.from < b.to && b.from < a.to))
          seen.breaches.push(`bindings ${a.binding} and ${b.binding}`);
      }
    }
    return makeGroup(descriptor);
  };
  return seen;
}

/** A device that is watched; to be closed, where it must not have breached the rule. */
export async function openWatched() {
  const device = await openDevice();
  const watched = watchAliasing(device);
  const close = async (): Promise<void> => {
    expect(watched.breaches).toEqual([]);
    await device.settle();
    device.close();
  };
  return { device, watched, close };
}
