/** @file `npm run bench:peers -- --correctness`: how far each engine's result of the probes is from float64. */

import type { Client } from "./client.ts";
import { type Probe, probeReference } from "./probes.ts";
import { short, table } from "./tables.ts";
import type { Reply } from "./worker.ts";

/** What one engine made of one probe. */
export interface Finding {
  /** Why there is no result. */
  readonly cannot?: string;
  /** NaN for a result that is not a number or incomplete. */
  readonly error?: number;
  readonly right: boolean;
  /** The first sample, and what it should be. */
  readonly seen?: readonly [number, number];
}

async function examine(
  client: Client,
  probe: Probe,
  truth: ReturnType<typeof probeReference>,
  onAdapter: (engine: string, adapter: string) => void,
): Promise<Finding> {
  const refused = ({ error }: Reply): Finding | undefined => (error === undefined ? undefined : { cannot: error, right: false });
  const prepared = await client.ask({ phase: "prepare", task: probe.task });
  const failed = refused(prepared);
  if (failed) return failed;
  onAdapter(client.name, prepared.adapter ?? "");
  const indices = Object.fromEntries(Object.entries(truth).map(([name, s]) => [name, s.indices]));
  const checked = await client.ask({ phase: "check", indices });
  const broken = refused(checked);
  if (broken) return broken;
  const [[name, { values }]] = Object.entries(truth);
  const got = checked.samples![name];
  const scale = probe.absolute ? 1 : Math.max(...values.map(Math.abs));
  // JSON has no NaN: it arrives as null.
  const error = Math.max(...values.map((v, i) => Math.abs((got[i] ?? NaN) - v))) / scale;
  const worst = values.reduce((w, v, i) => (Math.abs(got[i] - v) > Math.abs(got[w] - values[w]) ? i : w), 0);
  return { error, right: error <= probe.bar, seen: [got[worst] ?? NaN, values[worst]] };
}

/** Every probe on every engine, each in a process of its own: what one leaves behind must not color the next. */
export async function findings(
  clients: readonly Client[],
  list: readonly Probe[],
  say: (text: string) => void,
  onAdapter: (engine: string, adapter: string) => void,
): Promise<Record<string, Finding>[]> {
  const rows: Record<string, Finding>[] = [];
  for (const probe of list) {
    say(probe.title);
    const truth = probeReference(probe.task);
    const row: Record<string, Finding> = {};
    for (const client of clients) {
      row[client.name] = await examine(client, probe, truth, onAdapter);
      await client.close();
      say(`  ${client.name}: ${show(row[client.name])}`);
    }
    rows.push(row);
  }
  return rows;
}

const figure = (v: number) => (Number.isInteger(v) ? String(v) : v.toPrecision(6));

function show({ cannot, error, right, seen }: Finding): string {
  if (cannot !== undefined) return `error: ${short(cannot, 240)}`;
  if (right) return `${error === 0 ? "0" : error!.toExponential(1)}, right`;
  const [got, wanted] = seen!;
  return `**${Number.isFinite(error) ? error!.toExponential(1) : "not finite"}, wrong**: ${figure(got)} for ${figure(wanted)}`;
}

/** Error of each result, relative to the largest sample where the bar says so. */
export function correctnessTable(list: readonly Probe[], rows: readonly Record<string, Finding>[]): string {
  const names = Object.keys(rows[0] ?? {});
  const body = list.map(({ title, bar, absolute }, i) => [
    title,
    `${bar.toExponential(0)}${absolute ? " absolute" : ""}`,
    ...names.map((name) => show(rows[i][name])),
  ]);
  return table(["work", "bar", ...names], body);
}
