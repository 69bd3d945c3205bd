/** @file From structures to what the viewer takes: the values of a label map counted through from 1, and their colors. */

import type { Rgb, Structure } from "../protocol.ts";

/** All values of some structures, ascending. */
export const valuesOf = (structures: readonly Structure[]): number[] =>
  [...new Set(structures.flatMap((s) => s.values))].filter((v) => v !== 0).sort((a, b) => a - b);

export function colorsOf(structures: readonly Structure[], of: "colors" | "lines" = "colors"): Rgb[] {
  const byValue = new Map(structures.flatMap((s) => s.values.map((v, i) => [v, s[of][i]] as const)));
  return valuesOf(structures).map((v) => byValue.get(v)!);
}

/** A name for each value: that of the structure that has fewest of them. */
export function namesOf(structures: readonly Structure[]): string[] {
  const small = structures.toSorted((a, b) => a.values.length - b.values.length);
  return valuesOf(structures).map((v) => small.find((s) => s.values.includes(v))?.name ?? String(v));
}

/** The viewer's labels of structures that are hidden, unless a shown one has them too. */
export function hiddenLabels(structures: readonly Structure[], hidden: ReadonlySet<number>): number[] {
  const values = valuesOf(structures);
  const shown = new Set(structures.flatMap((s, i) => (hidden.has(i) ? [] : s.values)));
  return values.flatMap((v, i) => (shown.has(v) ? [] : [i + 1]));
}

export const cssColor = (color: Rgb): string => `rgb(${color.join(" ")})`;
