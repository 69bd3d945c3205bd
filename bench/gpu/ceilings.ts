/** @file What a result is measured by: the ceilings of its element type. */

import type { Ceiling } from "../ceiling.ts";

/** The highest rate for multiply-adds on such elements, whatever unit does them, and that of plain copies; NaN if not measured. */
export function ceilingOf(
  ceiling: Ceiling | undefined,
  element: "f32" | "f16",
): { readonly gflops: number; readonly gbps: number } {
  if (!ceiling) return { gflops: NaN, gbps: NaN };
  const { gflops, halfGflops = 0, matrixGflops = 0, gbps } = ceiling;
  return { gflops: element === "f32" ? gflops : Math.max(gflops, halfGflops, matrixGflops), gbps };
}
