/** @file Dawn's two warnings about limits are not shown, and nothing else is held back. */

import { spawnSync } from "node:child_process";
import { expect, test } from "vitest";

const source = `
  import { writeSync } from "node:fs";
  import { openDevice, full, sum } from "./src/index.ts";
  import { quietly } from "./src/tensor/quiet.node.ts";
  console.error("before");
  const device = await openDevice();
  console.error("opened");
  quietly(() => writeSync(2, "Warning: maxDynamicThingsPerPipelineLayout artificially reduced from 2 to 1.\\nWarning: mine\\n"));
  try { quietly(() => { throw new Error("thrown"); }); } catch (e) { console.error(e.message); }
  console.error(await sum(full(device, [3], 1)).item());
  device.close();`;

// Only a pipe of a shell is one that can be opened again.
test.skipIf(process.platform !== "linux")("through a pipe: all but the warnings, in order", () => {
  const cwd = new URL("../..", import.meta.url);
  const args = [
    "-c",
    '"$0" --conditions=voxgrad-source --input-type=module-typescript --eval "$1" 2>&1 >/dev/null | cat',
    process.execPath,
    source,
  ];
  const { stdout } = spawnSync("sh", args, { cwd, encoding: "utf8" });
  expect(stdout.trim().split("\n")).toEqual(["before", "opened", "Warning: mine", "thrown", "3"]);
});
