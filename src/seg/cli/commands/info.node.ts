/** @file `voxgrad info`: the adapter, what an image is and what is odd about it, or what a run is. */

import { existsSync } from "node:fs";
import { join } from "node:path";
import { describeImage } from "../../../data/formats/describe.ts";
import { readImageFile } from "../../../data/formats/images.node.ts";
import { VoxgradError } from "../../../host/errors.ts";
import { formatBytes } from "../../../host/text.ts";
import type { Device } from "../../../tensor/device.ts";
import { files, readRunInfo } from "../../run/files.ts";
import { folderStore } from "../../run/folder_store.node.ts";
import { type Command, parse, say, text } from "../command_line.node.ts";
import { withDevice } from "../device.node.ts";

const sizes = ["maxBufferSize", "maxStorageBufferBindingSize", "maxComputeWorkgroupStorageSize"] as const;
const counts = [
  "maxComputeInvocationsPerWorkgroup",
  "maxComputeWorkgroupsPerDimension",
  "maxStorageBuffersPerShaderStage",
] as const;

async function sayImage(path: string, { series, array }: { series?: string; array?: string }): Promise<void> {
  const volume = await readImageFile(path, { ...(series !== undefined && { series }), ...(array !== undefined && { array }) });
  const { facts, odd } = describeImage(volume);
  say(path);
  for (const [name, value] of facts) say(`  ${name.padEnd(12)} ${value}`);
  for (const line of odd) say(`  ${"odd".padEnd(12)} ${line}`);
}

async function sayRun(path: string): Promise<void> {
  const { recipe, labels, channels, spacing, orientation } = await readRunInfo(folderStore(path));
  say(path);
  say(`  ${"run".padEnd(12)} recipe ${recipe.name}, version ${recipe.version}`);
  say(`  ${"channels".padEnd(12)} ${channels.join(", ")}`);
  say(`  ${"labels".padEnd(12)} ${labels.map((l) => `${l.name} (${l.values.join(", ")})`).join(", ")}`);
  say(`  ${"voxel".padEnd(12)} ${spacing.map((s) => s.toFixed(3)).join(" × ")} mm${orientation ? `, axes ${orientation}` : ""}`);
}

export const infoCommand: Command = {
  name: "info",
  usage: [
    [
      "[FILE|FOLDER…] [--series ID] [--array NAME]",
      "adapter, limits and features; what an image is and what is odd about it; a run",
    ],
  ],
  async run(args) {
    const { values, positionals } = parse(args, { series: text, array: text }, true);
    let code = 0;
    for (const path of positionals) {
      try {
        if (existsSync(join(path, files.run))) await sayRun(path);
        else await sayImage(path, values);
      } catch (error) {
        // A bad one of several does not keep the others from being told of.
        if (positionals.length === 1 || !(error instanceof VoxgradError)) throw error;
        console.error(`${path}: ${error.name}: ${error.message}`);
        code = 1;
      }
    }
    if (positionals.length > 0) return code;
    const print = async ({ gpu: { limits, features } }: Device) => {
      say(`features: ${[...features].sort().join(", ") || "none"}`);
      for (const name of sizes) say(`${name}: ${formatBytes(limits[name])}`);
      for (const name of counts) say(`${name}: ${limits[name]}`);
      return 0;
    };
    return withDevice(print, { tuned: false });
  },
};
