/** @file A bench as text. */

import type { BenchReport, BenchResult } from "./bench.ts";
import type { Ceiling } from "./ceiling.ts";
import { expectFields } from "../host/kinds.ts";

const resultKinds = {
  name: "text",
  forwardMs: "number",
  gflops: "number",
  gbps: "number",
  share: "number",
  kernels: "objects",
} as const;

/** One line of the table. */
export function benchLine(result: BenchResult): string {
  expectFields("benchLine", "result", result, resultKinds);
  const { name, forwardMs, gflops, gbps, share, totalMs, kernels } = result;
  const figures = [
    `${forwardMs.toFixed(2).padStart(9)} ms`,
    `${gflops.toFixed(2).padStart(9)} GFLOP/s`,
    `${gbps.toFixed(2).padStart(8)} GB/s`,
    `${(100 * share).toFixed(0).padStart(3)} %`,
  ];
  const total = totalMs === undefined ? "" : `   with gradients ${totalMs.toFixed(2).padStart(8)} ms`;
  const slowest = kernels.map((k) => `${k.key} ${k.milliseconds.toFixed(1)} ms`).join(", ");
  return `${name.padEnd(36)} ${figures.join(" ")}${total}${slowest === "" ? "" : `   ${slowest}`}`;
}

/** What the adapter can do at most, as a line. */
export function ceilingLine(ceiling: Ceiling): string {
  expectFields("ceilingLine", "ceiling", ceiling, { gflops: "number", halfGflops: "number?", gbps: "number" });
  const { gflops, halfGflops, gbps } = ceiling;
  const half = halfGflops === undefined ? "" : `, ${halfGflops.toFixed(1)} in f16`;
  return `measured ceiling: ${gflops.toFixed(1)} GFLOP/s in f32${half}; ${gbps.toFixed(1)} GB/s`;
}

/** A report as a table: adapter, ceiling, and a line per case with milliseconds, rates, and the share of the ceiling that it comes nearer to. */
export function benchTable(report: BenchReport): string {
  expectFields("benchTable", "report", report, { device: "text", ceiling: "object", results: "objects" });
  const { device, ceiling, results } = report;
  return [device, ceilingLine(ceiling), ...results.map(benchLine)].join("\n");
}
