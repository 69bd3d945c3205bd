/**
 * @file How much work keeps a device busy. A software adapter runs a workgroup on each of a few cores, so that some per core even out; a GPU needs
 * thousands of threads to hide its memory behind, hence hundreds of workgroups. More than that costs: partial sums are written, read and added again.
 */

import type { Device } from "../../tensor/device.ts";

const workgroups = {
  /** Of at most 64 threads each; fewer of larger ones. */
  weightGradient: { software: 16, hardware: 1024 },
  /** Of 128 or 256 threads each, with 64 results a thread: fewer than these, and tiles of 16 results a thread are the better cut. */
  conv: { software: 16, hardware: 128 },
  /** 64 × 64 results each on hardware. */
  matmul: { software: 16, hardware: 512 },
  /** Outputs from which a workgroup for each is enough; fewer are cut in slabs, which takes a second pass. */
  reduce: { software: 8, hardware: 512 },
  /** One per group, or per slab of one. Only hardware chooses slabs by itself, so that there is one number. */
  norm: { software: 512, hardware: 512 },
  /** Slabs of groups for each 64 neighboring elements, of which there are several. */
  layerNormSlabs: { software: 4, hardware: 64 },
} as const;

/** Workgroups of a kernel that keep a device busy. */
export function workgroupsToFill(device: Device, kernel: keyof typeof workgroups): number {
  return workgroups[kernel][device.software ? "software" : "hardware"];
}

/** Elements per workgroup below which more of them do not pay on hardware: 256 threads keep some 10 GB/s in flight. */
export const leastShare = 16_384;

/** Width of the workgroups that add up values together: a software adapter runs barriers one subgroup of 8 after the other. */
export function lanes(device: Device): number {
  return device.software ? 32 : 256;
}

/** Elements that a thread handles: what all of them need is loaded once, and a software adapter starts few workgroups. A GPU has threads enough, and loads for all at once. */
export const perThread = (device: Device): number => (device.software ? 64 : 1);

/** The same of `count` elements, of which small tensors have few: some 64 workgroups stay. */
export const share = (device: Device, count: number): number => Math.min(perThread(device), Math.ceil(count / 4096) || 1);
