/** @file The op table's part of the page: what is wrong, with the size of the error, and the largest errors of each op. */

import { code, digits, short, table } from "./markdown.ts";
import { type RunRecord, valuesOf } from "./record.ts";
import type { SampleResult } from "./stages/rows.ts";

type Pair = readonly [error: number, allowed: number] | undefined;

const ratio = (pair: Pair): number => (pair ? (pair[0] === 0 ? 0 : pair[0] / pair[1]) : 0);
const exponent = (x: number): string => (x === 0 ? "0" : Number.isFinite(x) ? x.toExponential(1) : "not finite");
const shown = (pair: Pair): string => (pair ? `${exponent(pair[0])} of ${exponent(pair[1])}` : "–");

/** Samples whose numbers are wrong, the worst first. */
export function wrongSamples(run: RunRecord): (readonly [string, SampleResult])[] {
  const worst = ({ forward, gradient }: SampleResult) => Math.max(ratio(forward), ratio(gradient));
  return valuesOf<SampleResult>(run, "rows")
    .filter(([, s]) => s.wrong !== undefined)
    .sort((a, b) => worst(b[1]) - worst(a[1]));
}

interface OpSummary {
  samples: number;
  wrong: number;
  forward: Pair;
  gradient: Pair;
}

function byOp(run: RunRecord): Map<string, OpSummary> {
  const ops = new Map<string, OpSummary>();
  for (const [, { op, forward, gradient, wrong }] of valuesOf<SampleResult>(run, "rows")) {
    const sum = ops.get(op) ?? { samples: 0, wrong: 0, forward: undefined, gradient: undefined };
    sum.samples++;
    if (wrong !== undefined) sum.wrong++;
    if (!sum.forward || ratio(forward) > ratio(sum.forward)) sum.forward = forward;
    if (gradient && (!sum.gradient || ratio(gradient) > ratio(sum.gradient))) sum.gradient = gradient;
    ops.set(op, sum);
  }
  return ops;
}

export function rowsSection(run: RunRecord): string[] {
  const record = run.stages.rows!;
  const wrong = wrongSamples(run);
  const failed = Object.entries(record.failures);
  const done = Object.keys(record.values).length;
  const left = record.total - done - failed.length;
  const parts = [
    `${done - wrong.length} of ${record.total} samples right, ${wrong.length} wrong, ${failed.length} failed, ${left} not reached. ` +
      "Errors are parts of the largest magnitude of the reference (or of the sample's floor), beside what is allowed; gradients: the worst of a sample.",
  ];
  if (wrong.length > 0) {
    const body = wrong.map(([id, s]) => [id, shown(s.forward), shown(s.gradient), code(short(s.wrong!, 200))]);
    parts.push(table(["wrong", "forward", "gradient", "where"], body));
  }
  if (failed.length > 0) {
    parts.push(
      table(
        ["failed", "why"],
        failed.map(([id, why]) => [id, code(short(why, 300))]),
      ),
    );
  }
  const body = [...byOp(run)]
    .sort((a, b) => (a[0] < b[0] ? -1 : 1))
    .map(([op, s]) => [op, String(s.samples), String(s.wrong), shown(s.forward), shown(s.gradient)]);
  if (body.length > 0) parts.push("Worst of each op:", table(["op", "samples", "wrong", "forward", "gradient"], body));
  return parts;
}

/** One line for the terminal. */
export function rowsLine(run: RunRecord): string {
  const record = run.stages.rows;
  if (!record) return "";
  const bad = wrongSamples(run);
  const worst = bad[0]
    ? `; worst: ${bad[0][0]} (${digits(Math.max(ratio(bad[0][1].forward), ratio(bad[0][1].gradient)))} times what is allowed)`
    : "";
  return `op rows: ${Object.keys(record.values).length - bad.length} right, ${bad.length} wrong, ${Object.keys(record.failures).length} failed of ${record.total}${worst}`;
}
