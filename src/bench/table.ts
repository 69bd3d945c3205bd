/** @file A bench as text. */

import type { BenchReport, BenchResult } from "./bench.ts";
import type { Ceiling } from "./ceiling.ts";

/** One line of the table. */
export function benchLine({ name, forwardMs, gflops, gbps, share, totalMs, kernels }: BenchResult): string {
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
export function ceilingLine({ gflops, halfGflops, gbps }: Ceiling): string {
  const half = halfGflops === undefined ? "" : `, ${halfGflops.toFixed(1)} in f16`;
  return `measured ceiling: ${gflops.toFixed(1)} GFLOP/s in f32${half}; ${gbps.toFixed(1)} GB/s`;
}

/** A report as a table: adapter, ceiling, and a line per case with milliseconds, rates, and the share of the ceiling that it comes nearer to. */
export const benchTable = ({ device, ceiling, results }: BenchReport): string =>
  [device, ceilingLine(ceiling), ...results.map(benchLine)].join("\n");
