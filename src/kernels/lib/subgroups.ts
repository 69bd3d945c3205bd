/** @file Subgroups that the kernels for software adapters hand values around in. */

import type { Device } from "../../tensor/device.ts";

/** Whether subgroups of a software adapter have the eight lanes or more that values are spread over, and fit a workgroup of 32. */
export function hasLanes({ gpu, software }: Device): boolean {
  const { subgroupMinSize = 0, subgroupMaxSize = Infinity } = gpu.adapterInfo ?? {};
  return software && gpu.features.has("subgroups") && subgroupMinSize >= 8 && subgroupMaxSize <= 32;
}
