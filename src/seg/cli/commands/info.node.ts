/** @file `voxgrad info`: the adapter, or what a volume is. */

import { readNiftiFile } from "../../../data/formats/nifti/nifti.node.ts";
import { formatBytes } from "../../../host/text.ts";
import type { Device } from "../../../tensor/device.ts";
import { type Command, parse, say } from "../command_line.node.ts";
import { withDevice } from "../device.node.ts";

const sizes = ["maxBufferSize", "maxStorageBufferBindingSize", "maxComputeWorkgroupStorageSize"] as const;
const counts = [
  "maxComputeInvocationsPerWorkgroup",
  "maxComputeWorkgroupsPerDimension",
  "maxStorageBuffersPerShaderStage",
] as const;

export const infoCommand: Command = {
  name: "info",
  usage: [["[FILE…]", "adapter, limits and features, or what a volume is"]],
  async run(args) {
    const { positionals } = parse(args, {}, true);
    for (const path of positionals) {
      const { shape, spacing, meta } = await readNiftiFile(path);
      const voxels = shape.slice(1).join(" × ");
      say(
        `${path}: ${meta.format} ${meta.dtype}, ${voxels} voxels of ${spacing.map((s) => s.toFixed(3)).join(" × ")} mm, ${shape[0]} channel(s)`,
      );
    }
    if (positionals.length > 0) return 0;
    const print = async ({ gpu: { limits, features } }: Device) => {
      say(`features: ${[...features].sort().join(", ") || "none"}`);
      for (const name of sizes) say(`${name}: ${formatBytes(limits[name])}`);
      for (const name of counts) say(`${name}: ${limits[name]}`);
      return 0;
    };
    return withDevice(print, { tuned: false });
  },
};
