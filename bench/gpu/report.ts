/** @file A run as a Markdown page: what was measured, what failed, and what to do next. */

import { code, digits, mib, percent, short, table } from "./markdown.ts";
import { ceilingIn, reachedBy, stepGFLOP, whatNext } from "./next.ts";
import { type RunRecord, type StageName, stageNames, type StageRecord, valuesOf } from "./record.ts";
import { rowsSection } from "./report_rows.ts";
import { torchSection } from "./report_torch.ts";
import type { Adapter, Versions } from "./stages/adapter.ts";
import type { NetworkResult } from "./stages/networks.ts";
import type { OpResult } from "./stages/ops.ts";
import type { StepsResult } from "./stages/steps.ts";
import type { TuneResult } from "./stages/tune.ts";

const titles: Readonly<Record<StageName, string>> = {
  adapter: "Adapter",
  rows: "Operations against float64",
  tune: "Tuning",
  ops: "Speed of operations",
  networks: "Training steps",
  torch: "Against PyTorch",
  steps: "Many steps",
};

const sections: Readonly<Record<StageName, (run: RunRecord) => string[]>> = {
  adapter: adapterSection,
  rows: rowsSection,
  tune: tuneSection,
  ops: opsSection,
  networks: networksSection,
  torch: torchSection,
  steps: stepsSection,
};

export const adapterIn = (run: RunRecord): Adapter | undefined =>
  valuesOf<Adapter>(run, "adapter").find(([name]) => name === "adapter")?.[1];

/** The page. Stages that did not run are not in it. */
export function report(run: RunRecord): string {
  const ran = stageNames.filter((name) => run.stages[name]);
  const kind = run.tiny ? " A rehearsal: tiny shapes and few repetitions; its times mean nothing." : "";
  const parts = [
    `# GPU bench: ${adapterIn(run)?.name ?? "unknown adapter"}`,
    `${run.started.slice(0, 16).replace("T", " ")} UTC, commit ${run.commit}, ${digits(run.seconds / 60)} of ${run.minutes} minutes.${kind}`,
    stagesTable(run, ran),
    ...ran.flatMap((name) => [`## ${titles[name]}`, ...sections[name](run), ...failures(name, run.stages[name]!)]),
    ...nextSection(run),
  ];
  return `${parts.filter((part) => part !== "").join("\n\n")}\n`;
}

function stagesTable(run: RunRecord, ran: readonly StageName[]): string {
  const body = ran.map((name) => {
    const { state, seconds, budget, total, values, failures } = run.stages[name]!;
    const [done, failed] = [Object.keys(values).length, Object.keys(failures).length];
    return [titles[name], state, `${done + failed} of ${total}`, String(failed), `${digits(seconds)} of ${digits(budget)} s`];
  });
  return table(["stage", "state", "items", "failed", "time"], body);
}

/** What failed and what a stage had to say, under its results. */
function failures(stage: StageName, { failures, notes }: StageRecord): string[] {
  const notesText = notes.map((note) => `Note: ${short(note, 400)}`);
  const list = Object.entries(failures);
  // Those of rows are in its own table.
  if (list.length === 0 || stage === "rows") return notesText;
  return [
    ...notesText,
    table(
      ["failed", "why"],
      list.map(([item, why]) => [item, code(short(why))]),
    ),
  ];
}

function adapterSection(run: RunRecord): string[] {
  const adapter = adapterIn(run);
  const versions = valuesOf<Versions>(run, "adapter").find(([name]) => name === "versions")?.[1];
  const ceiling = ceilingIn(run);
  const facts: [string, string][] = [
    ...Object.entries(versions ?? {}),
    ...(adapter ? Object.entries(adapter.info).map(([key, value]): [string, string] => [key, String(value)]) : []),
  ];
  if (ceiling) {
    const { gflops, halfGflops, matrixGflops, gbps } = ceiling;
    facts.push(["measured ceiling, f32", `${digits(gflops)} GFLOP/s`]);
    facts.push(["measured ceiling, f16", `${digits(halfGflops)} GFLOP/s`]);
    facts.push(["measured ceiling, f16 subgroup matrices", `${digits(matrixGflops)} GFLOP/s`]);
    facts.push(["measured ceiling, copies", `${digits(gbps)} GB/s, bytes read and written`]);
  }
  const parts = [
    table(
      ["what", "value"],
      facts.map(([key, value]) => [key, code(value)]),
    ),
  ];
  if (adapter) {
    const wanted = /Storage|BufferSize|Compute|Immediate/;
    const limits = Object.entries(adapter.limits).filter(([name]) => wanted.test(name));
    parts.push(`Features: ${adapter.features.map(code).join(", ")}.`);
    parts.push(`Limits: ${limits.map(([name, value]) => `${name} ${value}`).join(", ")}.`);
    parts.push(`Matrix units: ${adapter.matrices.map(code).join(", ") || "none"}.`);
  }
  return parts;
}

function tuneSection(run: RunRecord): string[] {
  const [found] = valuesOf<TuneResult>(run, "tune").map(([, value]) => value);
  if (!found) return [];
  const { choices, gains, complete } = found;
  const count = `${Object.keys(choices).length} choices differ from the rule; they are in the JSON beside this page${complete ? "" : ". Time ran out before all was measured"}.`;
  const body = gains.map((g) => [code(g.problem), g.rule, g.best, digits(g.before), digits(g.after), digits(g.before / g.after)]);
  return [count, ...(body.length > 0 ? [table(["problem", "rule", "best", "rule ms", "best ms", "gain"], body)] : [])];
}

const kernelsOf = (list: OpResult["kernels"]): string =>
  list
    .slice(0, 3)
    .map((k) => `${code(k.key)} ${digits(k.milliseconds)}`)
    .join(", ");

function opsSection(run: RunRecord): string[] {
  const body = valuesOf<OpResult>(run, "ops").map(([name, op]) => [
    name,
    digits(op.forwardMs),
    digits(op.gflop / op.forwardMs / 1e-3),
    digits(op.gbyte / op.forwardMs / 1e-3),
    percent(op.share),
    digits(op.forwardWallMs),
    digits(op.totalMs),
    digits(op.totalWallMs),
    kernelsOf(op.kernels),
  ]);
  const head = [
    "operation",
    "forward ms",
    "GFLOP/s",
    "GB/s",
    "of ceiling",
    "wall ms",
    "with gradients ms",
    "wall ms",
    "kernels, ms",
  ];
  return body.length > 0
    ? ["Milliseconds are the GPU's own where it has timestamps; wall times are of captured steps in a row.", table(head, body)]
    : [];
}

function networksSection(run: RunRecord): string[] {
  const ceiling = ceilingIn(run);
  const list = valuesOf<NetworkResult>(run, "networks");
  if (list.length === 0) return [];
  const times = list.map(([name, s]) => [
    name,
    s.parameters.toLocaleString("en"),
    digits(stepGFLOP(s)),
    digits(s.bestMs),
    digits(s.medianMs),
    String(s.steps),
    digits(stepGFLOP(s) / s.bestMs / 1e-3),
    percent(reachedBy(s, ceiling)),
    String(s.dispatches),
    digits(s.firstMs),
    s.losses.map((loss) => loss.toFixed(4)).join(" → "),
  ]);
  const memory = list.map(([name, s]) => [name, mib(s.plannedBytes), mib(s.realBytes), mib(s.stateBytes), kernelsOf(s.kernels)]);
  const head = ["network", "parameters", "GFLOP", "best ms", "median ms", "steps", "GFLOP/s", "of ceiling"];
  return [
    "GFLOP of a step: three times those of the forward pass. Losses: of the first step, after the warm ones, of the last.",
    table([...head, "dispatches", "first step ms", "losses"], times),
    "Memory of the step in MiB, as planned and as the device's buffers have it, and beside it parameters and optimizer; slowest kernels.",
    table(["network", "planned", "in buffers", "state", "kernels, ms"], memory),
  ];
}

function stepsSection(run: RunRecord): string[] {
  const [found] = valuesOf<StepsResult>(run, "steps").map(([, value]) => value);
  if (!found) return [];
  const { network, steps, wanted, startMs, endMs, submitsPerStep, dispatchesPerStep, losses, memory } = found;
  const [early, late] = memory;
  const row = (what: string, key: "live" | "pooled" | "rss" | "heap") => [
    `${what}, MiB`,
    mib(early[key]),
    mib(late[key]),
    mib(late[key] - early[key]),
  ];
  return [
    `${network} by the trainer, ${steps} of ${wanted} steps, ${digits(submitsPerStep)} submits and ${digits(dispatchesPerStep)} dispatches per step, loss ${losses.map((l) => l.toFixed(4)).join(" → ")}.`,
    table(
      ["what", `early (memory: step ${early.step})`, "at the end", "growth"],
      [
        ["step, ms", digits(startMs), digits(endMs), percent(endMs / startMs - 1)],
        row("buffers in use", "live"),
        row("buffers kept", "pooled"),
        ["buffers", String(early.buffers), String(late.buffers), String(late.buffers - early.buffers)],
        row("process", "rss"),
        row("JavaScript heap", "heap"),
      ],
    ),
  ];
}

/** Rows of the closing table. */
export function nextTable(run: RunRecord, most: number): string {
  const body = whatNext(run)
    .slice(0, most)
    .map((n) => [n.kind, n.kind === "kernel" ? code(n.what) : n.what, percent(n.timeShare), percent(n.reached), percent(n.gain)]);
  return body.length > 0 ? table(["kind", "what", "share of time", "of ceiling", "to gain"], body) : "";
}

function nextSection(run: RunRecord): string[] {
  const rows = nextTable(run, 40);
  if (rows === "") return [];
  return [
    "## What to do next",
    "Networks by their share of the time of all training steps above, kernels by theirs in those steps; to gain: that share times the distance to the ceiling. " +
      "How much of the ceiling a kernel reaches is known from the operations above that it runs in; where there is none (–), all its time counts.",
    rows,
  ];
}
