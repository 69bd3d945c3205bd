/** @file How many workgroups a dispatch has. WebGPU caps each dimension, so a line of them is folded; shaders unfold it with `lib/grid`. */

import { ShapeError } from "../../host/errors.ts";
import type { Device } from "../../tensor/device.ts";
import { share } from "./occupancy.ts";

/** Workgroups for `count` threads in workgroups of `size`. */
export function grid(device: Device, op: string, count: number, size: number): [number, number, number] {
  return fold(device, op, Math.ceil(count / size));
}

/** The same for a number of workgroups. Throws `ShapeError` for more than a device dispatches. */
export function fold(device: Device, op: string, groups: number): [number, number, number] {
  const max = device.gpu.limits.maxComputeWorkgroupsPerDimension;
  const x = Math.max(1, Math.min(groups, max));
  const y = Math.max(1, Math.ceil(groups / x));
  if (y > max) throw new ShapeError(`${op}: ${groups} workgroups exceed what this device dispatches; use smaller tensors`);
  return [x, y, 1];
}

/** `count` elements that lie one behind the other, shared out among workgroups of 64 threads, and the words that tell them (`lib/each`). */
export function flat(device: Device, op: string, count: number) {
  const each = share(device, count);
  return { words: { each, count }, workgroups: grid(device, op, Math.ceil(count / each), 64) };
}

/**
 * Workgroups of `size` threads along the first of three axes, one for each place of the other two: threads know where they are without dividing. A
 * device that dispatches fewer gets what it may; the shader goes on by strides until all `threads` are done.
 */
export function lines(device: Device, threads: readonly [number, number, number], size: number) {
  const max = device.gpu.limits.maxComputeWorkgroupsPerDimension;
  const [x, y, z] = threads;
  const workgroups: [number, number, number] = [Math.min(Math.ceil(x / size), max), Math.min(y, max), Math.min(z, max)];
  return { threads, workgroups };
}
