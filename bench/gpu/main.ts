/** @file The GPU bench's program: the runner, or one stage's process of it. */

import { join } from "node:path";
import { parseArgs } from "node:util";
import { type StageName, stageNames } from "./record.ts";
import { Runner } from "./runner.ts";
import { serve, type StageRun } from "./stage.ts";
import { run as adapter } from "./stages/adapter.ts";
import { run as networks } from "./stages/networks.ts";
import { run as ops } from "./stages/ops.ts";
import { run as rows } from "./stages/rows.ts";
import { run as steps } from "./stages/steps.ts";
import { run as torch } from "./stages/torch.ts";
import { run as tune } from "./stages/tune.ts";
import { startProcess } from "./supervise.ts";
import { commit } from "./tree.ts";

const stages: Readonly<Record<StageName, StageRun>> = { adapter, rows, tune, ops, networks, torch, steps };

const usage = `usage: npm run bench:gpu [-- OPTIONS]
  --minutes N   for all stages together; default 8
  --out DIR     folder of the results; default $OUT, else bench/results
  --only LIST   some of ${stageNames.join(",")}
  --tiny        a rehearsal: tiny shapes; a software adapter gets them in any case
  --pack        make .gpu/ for a lent machine instead (not in the packed form)`;

function options() {
  const { values } = parseArgs({
    options: {
      minutes: { type: "string", default: "8" },
      out: { type: "string", default: process.env.OUT ?? join("bench", "results") },
      only: { type: "string", default: stageNames.join(",") },
      tiny: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return undefined;
  const minutes = Number(values.minutes);
  if (!(minutes > 0)) throw new Error(`--minutes must be a number above 0, got ${values.minutes}`);
  const only = values.only.split(",");
  const unknown = only.filter((name) => !(stageNames as readonly string[]).includes(name));
  if (unknown.length > 0) throw new Error(`--only: unknown stage ${unknown.join(", ")}; known are ${stageNames.join(", ")}`);
  return { minutes, tiny: values.tiny, out: values.out, only: only as StageName[], commit: commit() };
}

export async function main(): Promise<void> {
  if (process.argv.includes("--stage")) return serve(stages);
  let chosen: ReturnType<typeof options>;
  try {
    chosen = options();
  } catch (error) {
    console.error(`${(error as Error).message}\n${usage}`);
    process.exit(2);
  }
  if (!chosen) return console.log(usage);
  const runner = new Runner(chosen, startProcess, (line) => console.log(line));
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.once(signal, () => void runner.stop().then(() => process.exit(130)));
  }
  const good = await runner.all();
  console.log(`\n${runner.summary()}`);
  process.exitCode = good ? 0 : 1;
}
