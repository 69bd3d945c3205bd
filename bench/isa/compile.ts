/**
 * @file `node bench/isa/compile.ts PATTERN KNOWN`: compiles every kernel whose key matches on the device that the environment gives, one after the other, with
 * its key and its source on stderr, where the driver prints too. Of those whose source and key are a line of the file KNOWN only these are printed.
 */

import { createHash } from "node:crypto";
import { readFileSync, writeSync } from "node:fs";
import { openDevice } from "../../src/index.ts";
import type { KernelCall } from "../../src/tensor/kernel.ts";
import { kernelCalls } from "./kernels.ts";

const read = (file: string): string => readFileSync(new URL(file, import.meta.url), "utf8");
const device = await openDevice({ toggles: ["enable-dawn-features=allow_unsafe_apis"] });
const [only, known] = [new RegExp(process.argv[2]), new Set(readFileSync(process.argv[3], "utf8").split("\n"))];

// All that the figures come of: Dawn's compiler, the driver, how its listing is read, and the kernel.
const tools = [JSON.parse(read("../../node_modules/webgpu/package.json")).version, device.info.description, read("assembly.ts")];
const sourceOf = ({ program: { code, overrides }, bindings, params }: KernelCall): string => {
  const kernel = [code, overrides, bindings.map(({ access }) => access), params !== undefined];
  return createHash("sha256")
    .update(JSON.stringify([tools, kernel]))
    .digest("hex")
    .slice(0, 12);
};

for (const call of kernelCalls(device)) {
  if (!only.test(call.program.key)) continue;
  const source = sourceOf(call);
  writeSync(2, `\nKERNEL ${call.program.key}\nSOURCE ${source}\n`);
  if (!known.has(`${source} ${call.program.key}`)) await device.pipelines.prepare(call);
}
writeSync(2, "\nKERNEL end\n");
process.exit(0); // nothing ran, so there is nothing to wait for
