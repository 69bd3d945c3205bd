/**
 * @file `npm run bench:peers [-- --tasks A,B --engines A,B --rounds N --json FILE --tiny --reference --no-host --correctness]`: the same
 * work on voxgrad and on the libraries that a user would pick instead, one process each, on one adapter. Rounds go over the engines in turn, so
 * that a busy moment of the machine hits all of them, and every result is checked against float64. With `--correctness` nothing is timed: the
 * table shows the errors of work that libraries have got wrong (`--tasks` takes the names in probes.ts).
 */

import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { Client } from "./client.ts";
import { correctnessTable, findings } from "./correctness.ts";
import { probes, tinyProbes } from "./probes.ts";
import { reference } from "./reference.ts";
import { type Cell, details, type Host, hostTable, mainTable, median, type Row } from "./tables.ts";
import { type BenchTask, describe, flops, tasks, type UnetTask } from "./tasks.ts";
import { unetLosses } from "./unet_reference.ts";
import { type Reply, type Request, stepsToCheck } from "./worker.ts";

const engineNames = ["voxgrad", "tfjs", "jaxjs", "ort"];
const { values: options } = parseArgs({
  options: {
    tasks: { type: "string" },
    engines: { type: "string" },
    rounds: { type: "string", default: "4" },
    timeout: { type: "string", default: "300" },
    json: { type: "string" },
    tiny: { type: "boolean", default: false },
    reference: { type: "boolean", default: false },
    host: { type: "boolean", default: true },
    correctness: { type: "boolean", default: false },
  },
  allowNegative: true,
});
const say = (text: string) => console.error(`peers: ${text}`);

function chosen<T>(kind: string, list: string | undefined, all: readonly T[], nameOf: (item: T) => string): T[] {
  const names = list?.split(",") ?? all.map(nameOf);
  return names.map((name) => {
    const item = all.find((a) => nameOf(a) === name);
    if (item) return item;
    say(`there is no ${kind} "${name}"; there are ${all.map(nameOf).join(", ")}`);
    return process.exit(2);
  });
}

/** Installs the peers unless they are there in these versions. No package's scripts run. */
function install(): void {
  const folder = import.meta.dirname;
  const wanted = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")).dependencies as Record<string, string>;
  const installed = (name: string) => {
    const file = join(folder, "node_modules", name, "package.json");
    return existsSync(file) ? JSON.parse(readFileSync(file, "utf8")).version : undefined;
  };
  if (Object.entries(wanted).every(([name, version]) => installed(name) === version)) return;
  say("installing the peers into bench/peers/node_modules (700 MB)");
  const args = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error"];
  const { status } = spawnSync("npm", args, { cwd: folder, stdio: ["ignore", 2, 2], shell: process.platform === "win32" });
  if (status !== 0) throw new Error("npm ci in bench/peers failed (see above)");
}

const tolerance = 1e-4;

/** Losses are compared on the scale of how far they fell: close to the first one is not good enough. */
const lossError = (losses: readonly number[], truth: readonly number[]) =>
  Math.max(...truth.map((t, i) => Math.abs(losses[i] - t))) / Math.abs(truth[0] - truth.at(-1)!);

/** What to ask for and how far the answer is off, relative to the largest sample. */
function checker(task: BenchTask): { request: Request; error: (reply: Reply) => number } {
  if (task.kind === "unet") {
    const truth = options.reference || !task.losses ? unetLosses(task, stepsToCheck) : task.losses;
    if (options.reference) say(`${task.name}: losses in float64 ${JSON.stringify(truth)}`);
    return { request: { phase: "check" }, error: ({ losses }) => lossError(losses!, truth) };
  }
  const truth = reference(task);
  const indices = Object.fromEntries(Object.entries(truth).map(([name, s]) => [name, s.indices]));
  const error = ({ samples }: Reply) =>
    Math.max(
      ...Object.entries(truth).map(([name, { values }]) => {
        const largest = Math.max(...values.map(Math.abs));
        return Math.max(...values.map((v, i) => Math.abs((samples![name][i] ?? NaN) - v))) / largest;
      }),
    );
  return { request: { phase: "check", indices }, error };
}

interface Contender {
  readonly client: Client;
  readonly cell: Cell;
  iterations: number;
}

/** Sets a task up in one engine, checks it and chooses how often a round repeats it. */
async function enter(client: Client, task: BenchTask, { request, error }: ReturnType<typeof checker>): Promise<Contender> {
  const cell: Cell = { timings: [] };
  const contender = { client, cell, iterations: 1 };
  const ask = async (r: Request): Promise<Reply | undefined> => {
    const reply = await client.ask(r);
    if (reply.error === undefined) return reply;
    cell.cannot = reply.error;
    return undefined;
  };
  const prepared = await ask({ phase: "prepare", task });
  const checked = prepared && (await ask(request));
  if (!checked) return contender;
  adapters.set(client.name, prepared.adapter ?? "");
  cell.error = error(checked);
  cell.right = cell.error <= tolerance; // NaN is wrong
  const warm = task.kind === "unet" ? checked.ms : (await ask({ phase: "run", iterations: 1 }))?.timings?.[0].wall;
  const roundMs = 200;
  contender.iterations = Math.min(50, Math.max(1, Math.round(roundMs / (warm ?? roundMs))));
  if (client.name === "voxgrad" && task.name === "unet2d") plannedBytes = checked.plannedBytes;
  if (task.name === "unet2d" && options.host) hosts.set(client.name, { calls: (await client.ask({ phase: "count" })).calls });
  return contender;
}

async function compare(task: BenchTask, clients: readonly Client[]): Promise<Row> {
  say(`${task.name}: ${describe(task)}`);
  const check = checker(task);
  const contenders: Contender[] = [];
  for (const client of clients) contenders.push(await enter(client, task, check));
  for (let round = 0; round < Number(options.rounds); round++) {
    for (const { client, cell, iterations } of contenders) {
      if (cell.cannot !== undefined) continue;
      const { timings, error } = await client.ask({ phase: "run", iterations });
      if (error === undefined) cell.timings.push(...timings!);
      else cell.cannot = error;
    }
  }
  for (const { client } of contenders) await client.ask({ phase: "free" });
  const cells = Object.fromEntries(contenders.map(({ client, cell }) => [client.name, cell]));
  for (const [name, { cannot, right, timings }] of Object.entries(cells)) {
    say(
      `  ${name}: ${cannot ? `cannot: ${cannot}` : `${median(timings.map((t) => t.wall)).toFixed(1)} ms, ${right ? "right" : "WRONG"}`}`,
    );
  }
  return { task: describe(task), flops: flops(task), cells };
}

/** Seconds of set-up and first step of a new process, first with an empty shader cache, then with the one it left. */
async function firstSteps(name: string, task: UnetTask): Promise<number[]> {
  const cache = mkdtempSync(join(tmpdir(), "voxgrad-peers-"));
  const seconds: number[] = [];
  try {
    for (let i = 0; i < 2; i++) {
      const client = new Client(name, timeoutMs, {
        MESA_SHADER_CACHE_DIR: cache,
        __GL_SHADER_DISK_CACHE_PATH: cache,
      });
      await client.ask({ phase: "hello" });
      const { ms } = await client.ask({ phase: "prepare", task });
      const { firstMs } = await client.ask({ phase: "check" });
      await client.close();
      seconds.push((ms! + firstMs!) / 1000);
    }
  } finally {
    rmSync(cache, { recursive: true, force: true });
  }
  return seconds;
}

/** Milliseconds of a step on a device that executes nothing. */
async function hostMs(name: string, task: UnetTask): Promise<number> {
  const client = new Client(name, timeoutMs, { PEERS_DAWN: "backend=null" });
  await client.ask({ phase: "prepare", task });
  await client.ask({ phase: "check" });
  const { timings } = await client.ask({ phase: "run", iterations: 20 });
  await client.close();
  return median((timings ?? []).map((t) => t.wall));
}

const hosts = new Map<string, Partial<Host>>();
const adapters = new Map<string, string>();
let plannedBytes: number | undefined;

const engines = chosen("engine", options.engines, engineNames, (e) => e);
install();
const timeoutMs = Number(options.timeout) * 1000;
const clients = engines.map((name) => new Client(name, timeoutMs));
const versions: Record<string, string | undefined> = {};
for (const client of clients) {
  const { version, error } = await client.ask({ phase: "hello" });
  if (error !== undefined) say(`${client.name}: ${error}`);
  versions[client.name] = version;
}
const named = () =>
  engines.map((name) => `${name}${versions[name] ? ` ${versions[name]}` : ""} (${adapters.get(name) ?? "not run"})`).join("; ");
const save = (results: object) => {
  if (options.json)
    writeFileSync(options.json, `${JSON.stringify({ versions, adapters: Object.fromEntries(adapters), ...results }, null, 2)}\n`);
};
process.exit((await (options.correctness ? correctness() : speed())) ? 0 : 1);

/** Whether all of voxgrad's results are right; so below. */
async function correctness(): Promise<boolean> {
  const list = chosen("task", options.tasks, options.tiny ? tinyProbes : probes, (p) => p.task.name);
  for (const client of clients) await client.close();
  // jax-js compiles other kernels without `jit`, where a first try of a user would be.
  const more = clients.flatMap(({ name }) =>
    name === "jaxjs" ? [new Client("jaxjs, no jit", timeoutMs, { PEERS_JIT: "0" }, name)] : [],
  );
  const found = await findings([...clients, ...more], list, say, (name, adapter) => adapters.set(name, adapter));
  console.log([named(), correctnessTable(list, found)].join("\n\n"));
  save({ rows: list.map(({ title, bar }, i) => ({ title, bar, ...found[i] })) });
  return found.every(({ voxgrad }) => voxgrad?.right ?? true);
}

async function speed(): Promise<boolean> {
  const todo = chosen("task", options.tasks, tasks(options.tiny), (t) => t.name);
  const rows: Row[] = [];
  for (const task of todo) rows.push(await compare(task, clients));
  for (const client of clients) await client.close();

  const unet2d = todo.find((t): t is UnetTask => t.name === "unet2d");
  const onThisAdapter = unet2d && rows[todo.indexOf(unet2d)].cells.voxgrad?.timings.map((t) => t.host);
  for (const [name, host] of hosts) {
    if (!host.calls) continue; // it could not train
    say(`unet2d host cost: ${name}`);
    const [cold, warm] = await firstSteps(name, unet2d!);
    Object.assign(host, { cold, warm, hostMs: await hostMs(name, unet2d!) });
    if (name === "voxgrad") Object.assign(host, { plannedBytes, adapterHostMs: median(onThisAdapter ?? []) });
  }

  const host = [...hosts].filter(([, h]) => h.calls);
  console.log([named(), mainTable(rows, engines), details(rows), ...(host.length > 0 ? [hostTable(host)] : [])].join("\n\n"));
  save({ rows, hosts: Object.fromEntries(hosts) });
  return rows.every((r) => !r.cells.voxgrad || r.cells.voxgrad.cannot !== undefined || r.cells.voxgrad.right);
}
