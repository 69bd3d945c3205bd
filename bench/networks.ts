/**
 * @file `npm run bench:networks [-- --filter TEXT] [--json FILE]`: one training step of whole networks: time, and memory as planned and as the device's
 * buffers had it at the highest.
 */

import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { openDevice } from "../src/index.ts";
import { networkCases } from "./network_cases.ts";
import { trainingStep } from "./training_step.ts";

const { values } = parseArgs({ options: { filter: { type: "string" }, json: { type: "string" }, steps: { type: "string" } } });
const device = await openDevice();
const MiB = 2 ** 20;
const results: Record<string, number | string>[] = [];
console.log(device.name);
for (const network of networkCases.filter((c) => c.name.includes(values.filter ?? ""))) {
  const step = await trainingStep(device, network, { steps: Number(values.steps ?? 3) });
  const row = {
    name: network.name,
    parameters: step.parameters,
    forwardGFLOP: step.forwardGFLOP,
    dispatches: step.dispatches,
    stepSeconds: step.bestMs / 1000,
    firstStepSeconds: step.firstMs / 1000,
    plannedMiB: step.plannedBytes / MiB,
    realMiB: step.realBytes / MiB,
    stateMiB: step.stateBytes / MiB,
    losses: `${step.losses[0].toFixed(4)} → ${step.losses[2].toFixed(4)}`,
  };
  results.push(row);
  console.log(
    `${row.name}: ${row.parameters.toLocaleString("en")} parameters, ${row.forwardGFLOP.toFixed(1)} GFLOP forward, ${row.dispatches} dispatches\n` +
      `  step ${row.stepSeconds.toFixed(2)} s (first ${row.firstStepSeconds.toFixed(1)} s), loss ${row.losses}\n` +
      `  memory of the step: planned ${row.plannedMiB.toFixed(1)} MiB, in buffers ${row.realMiB.toFixed(1)} MiB; parameters and optimizer ${row.stateMiB.toFixed(1)} MiB`,
  );
}
if (values.json) writeFileSync(values.json, `${JSON.stringify({ device: device.name, results }, null, 2)}\n`);
device.close();
