/** @file The node that takes a part of a tensor. */

import type { Range } from "../../../kernels/view.ts";
import type { Emission } from "../emission.ts";

/** Beyond the end of any axis. */
export const end = 2 ** 53 - 1;

/** Ranges of a tensor of `size`; axes that are taken whole are left out. */
export function cut({ builder }: Emission, x: string, size: readonly number[], ranges: readonly Range[]): string {
  const axes = ranges.flatMap(({ start, count, step }, i) => (start !== 0 || count !== size[i] || step !== 1 ? [i] : []));
  if (axes.length === 0) return builder.node("Identity", [x]);
  const stops = axes.map((a) => {
    const stop = ranges[a].start + ranges[a].count * ranges[a].step;
    return stop >= size[a] ? end : stop;
  });
  const lists = [axes.map((a) => ranges[a].start), stops, axes, axes.map((a) => ranges[a].step)];
  return builder.node("Slice", [x, ...lists.map((l) => builder.ints(l))]);
}
