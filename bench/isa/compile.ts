/** @file Compiles every kernel on the device that the environment gives, one after the other, with its key on stderr, where the driver prints too. */

import { writeSync } from "node:fs";
import { openDevice } from "../../src/index.ts";
import { kernelCalls } from "./kernels.ts";

const device = await openDevice({ toggles: ["enable-dawn-features=allow_unsafe_apis"] });
const only = new RegExp(process.argv[2] ?? "");
for (const call of kernelCalls(device)) {
  if (!only.test(call.program.key)) continue;
  writeSync(2, `\nKERNEL ${call.program.key}\n`);
  await device.pipelines.prepare(call);
}
writeSync(2, "\nKERNEL end\n");
process.exit(0); // nothing ran, so there is nothing to wait for
