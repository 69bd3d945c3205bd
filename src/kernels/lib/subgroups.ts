/** @file What is done in subgroups, where a device has them. */

import type { Device } from "../../tensor/device.ts";
import { chosen } from "./choices.ts";

/** Whether subgroups of a software adapter have the eight lanes or more that values are spread over, and fit a workgroup of 32. */
export function hasLanes({ gpu, software }: Device): boolean {
  const { subgroupMinSize = 0, subgroupMaxSize = Infinity } = gpu.adapterInfo ?? {};
  return software && gpu.features.has("subgroups") && subgroupMinSize >= 8 && subgroupMaxSize <= 32;
}

const trees = { plain: false, subgroups: true };

/** Whether workgroups add values up by subgroups (lib/subgroup_tree.wgsl) and not by shared memory alone (lib/tree.wgsl): on hardware that has them, unless `device.choices` says otherwise. */
export function addsInSubgroups(device: Device): boolean {
  return device.gpu.features.has("subgroups") && chosen(device, "tree", trees, device.software ? "plain" : "subgroups");
}
