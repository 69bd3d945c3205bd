/** @file How long work takes on a device. */

import type { Device } from "../tensor/device.ts";
import { profile } from "../tensor/profile.ts";

/** Seconds of the kernels in `run` by GPU timestamps, or of all of it by the clock where there are none. */
async function seconds(device: Device, run: () => void): Promise<number> {
  if (device.gpu.features.has("timestamp-query")) {
    const kernels = await profile(device, run);
    return kernels.reduce((sum, k) => sum + k.milliseconds, 0) / 1000;
  }
  const start = performance.now();
  run();
  await device.settle();
  return (performance.now() - start) / 1000;
}

/** The least seconds of `count` runs, after one that compiles. */
export async function fastest(device: Device, run: () => void, count = 7): Promise<number> {
  run();
  await device.settle();
  let best = Infinity;
  for (let i = 0; i < count; i++) best = Math.min(best, await seconds(device, run));
  return best;
}

/** Median milliseconds of a step and of waiting for it, of at least five after two that warm up, for `time` milliseconds in all. */
export async function median(device: Device, step: () => unknown, time: number): Promise<number> {
  const once = async (): Promise<number> => {
    const start = performance.now();
    step();
    await device.settle();
    return performance.now() - start;
  };
  for (let i = 0; i < 2; i++) await once();
  const found: number[] = [];
  const end = performance.now() + time;
  while (found.length < 5 || performance.now() < end) found.push(await once());
  found.sort((a, b) => a - b);
  return found[found.length >> 1];
}
