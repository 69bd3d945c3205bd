/** @file How much work keeps a device busy. */

import type { Device } from "../../tensor/device.ts";

/** Width of the workgroups that add up values together: a software adapter runs barriers one subgroup of 8 after the other. */
export function lanes(device: Device): number {
  return device.software ? 32 : 256;
}
