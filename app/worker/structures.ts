/** @file Structures of a label map and the colors that they have everywhere on the page. */

import type { LabelClass } from "voxgrad/data";
import { colorsOf } from "voxgrad/seg";
import type { Structure } from "../protocol.ts";

/** The values that stand for something, ascending; their places are the viewer's labels. */
export const valuesOf = (labels: readonly LabelClass[]): number[] =>
  [...new Set(labels.filter((l) => !l.ignore).flatMap((l) => l.values))].filter((v) => v !== 0).sort((a, b) => a - b);

/** What is in front of the background, with colors by value. */
export function structuresOf(labels: readonly LabelClass[]): Structure[] {
  const values = valuesOf(labels);
  return labels
    .filter((l) => !l.ignore && !l.values.includes(0))
    .map((l) => {
      const both = l.values.map((v) => colorsOf(values.indexOf(v) + 1));
      return { name: l.name, values: l.values, colors: both.map((c) => c.fill), lines: both.map((c) => c.line) };
    });
}
