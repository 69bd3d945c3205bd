/**
 * @file Runs case files against voxgrad: `npm run conformance -- DIR [--group NAME] [--op NAME] [--case ID] [--json FILE]`. Prints
 * passed, failed and not covered per operation; an operation without an adapter is not covered. Exits 1 on any failure and 2 when
 * the folder, a file or an adapter cannot be read.
 */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { closeDevice } from "./device.ts";
import { decode, difference, isRefusal, NotCovered, type Adapter, type Adapters, type Case, type Families } from "./format.ts";
import { finder } from "./lookup.ts";

type Outcome = { state: "passed" | "failed" | "notCovered"; why?: string };
type Raw = { id: string; op: string; args?: object; inputs?: object; expected: any; tolerance?: object };

interface Report {
  passed: number;
  failed: number;
  notCovered: number;
  ops: Record<string, { passed: number; failed: number; notCovered: number }>;
  failures: { id: string; why: string }[];
}

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { group: { type: "string" }, op: { type: "string" }, case: { type: "string" }, json: { type: "string" } },
  });
  if (positionals.length !== 1)
    throw new Error("usage: npm run conformance -- DIR [--group NAME] [--op NAME] [--case ID] [--json FILE]");
  const dir = resolve(positionals[0]);
  const cases = readCases(dir, values.group).filter(
    (c) => (!values.op || c.op === values.op) && (!values.case || c.id === values.case),
  );
  if (cases.length === 0) throw new Error(`no case in ${dir} matches the given group, op or case`);
  const find = await loadAdapters();

  const report: Report = { passed: 0, failed: 0, notCovered: 0, ops: {}, failures: [] };
  for (const raw of cases) {
    const { state, why = "" } = await runCase(raw, find(raw.op), dir);
    report[state]++;
    (report.ops[raw.op] ??= { passed: 0, failed: 0, notCovered: 0 })[state]++;
    if (state === "failed") report.failures.push({ id: raw.id, why });
  }
  await closeDevice();
  print(report);
  if (values.json) writeFileSync(values.json, JSON.stringify(report, null, 2) + "\n");
  return report.failed > 0 ? 1 : 0;
}

/** All cases of the *.json files of a folder, in name order. */
function readCases(dir: string, group?: string): Raw[] {
  const files = readdirSync(dir)
    .filter((f) => f.endsWith(".json") && f !== "INDEX.json")
    .sort();
  if (files.length === 0) throw new Error(`no case files (*.json) in ${dir}`);
  const groups = files.map((file) => {
    let parsed: { group?: string; cases?: Raw[] };
    try {
      parsed = JSON.parse(readFileSync(join(dir, file), "utf8"));
    } catch (error) {
      throw new Error(`${join(dir, file)}: ${(error as Error).message}`, { cause: error });
    }
    if (!Array.isArray(parsed?.cases)) throw new Error(`${join(dir, file)}: expected an object with a list "cases"`);
    return { name: parsed.group ?? file.replace(/\.json$/, ""), cases: parsed.cases };
  });
  if (group && !groups.some((g) => g.name === group))
    throw new Error(`no group "${group}" in ${dir}; it has ${groups.map((g) => g.name).join(", ")}`);
  return groups.filter((g) => !group || g.name === group).flatMap((g) => g.cases);
}

/** Every file of adapters/ exports `adapters`, and `families` if it takes operations by pattern. */
async function loadAdapters(): Promise<(op: string) => Adapter | undefined> {
  const folder = join(import.meta.dirname, "adapters");
  const all: Adapters = {};
  const families: Families[number][] = [];
  for (const file of readdirSync(folder)
    .filter((f) => f.endsWith(".ts"))
    .sort()) {
    const module = (await import(pathToFileURL(join(folder, file)).href)) as { adapters?: Adapters; families?: Families };
    if (!module.adapters) throw new Error(`test/conformance/adapters/${file} must export a record "adapters"`);
    for (const [op, adapter] of Object.entries(module.adapters)) {
      if (op in all) throw new Error(`test/conformance/adapters/${file}: there is already an adapter for ${op}`);
      all[op] = adapter;
    }
    families.push(...(module.families ?? []));
  }
  return finder(all, families);
}

async function runCase(raw: Raw, adapter: Adapter | undefined, dir: string): Promise<Outcome> {
  if (!adapter) return { state: "notCovered" };
  const wantsError = typeof raw.expected === "object" && raw.expected !== null && "error" in raw.expected;
  let test: Case;
  try {
    test = {
      id: raw.id,
      op: raw.op,
      args: decode(raw.args ?? {}),
      inputs: decode(raw.inputs ?? {}),
      expected: decode(raw.expected),
      tolerance: decode(raw.tolerance ?? {}),
    };
  } catch (error) {
    throw new Error(`${raw.id}: ${(error as Error).message}`, { cause: error });
  }
  let actual: unknown;
  try {
    actual = await adapter(test, { dir });
  } catch (error) {
    if (error instanceof NotCovered) return { state: "notCovered" };
    if (wantsError && isRefusal(error)) return { state: "passed" };
    return {
      state: "failed",
      why: `threw ${error instanceof Error ? (error.stack ?? error.message).split("\n").slice(0, 2).join(" ") : String(error)}`,
    };
  }
  if (wantsError) return { state: "failed", why: `returned a result, expected an error like upstream's ${raw.expected.error}` };
  const why = difference(actual, test.expected, test.tolerance);
  return why ? { state: "failed", why } : { state: "passed" };
}

function print(report: Report): void {
  const width = Math.max(...Object.keys(report.ops).map((op) => op.length));
  for (const [op, n] of Object.entries(report.ops).sort(([a], [b]) => (a < b ? -1 : 1))) {
    console.log(`${op.padEnd(width)}  ${n.passed} passed, ${n.failed} failed, ${n.notCovered} not covered`);
  }
  for (const { id, why } of report.failures) console.log(`FAILED ${id}\n  ${why}`);
  console.log(`${report.passed} passed, ${report.failed} failed, ${report.notCovered} not covered`);
}

let code = 2;
try {
  code = await main();
} catch (error) {
  console.error(`conformance: ${(error as Error).message}`);
}
process.exit(code); // an open GPU device would keep the process alive
