/** @file The table of a dataset's classes: names, and the voxel values that mean them. */

import type { Fail } from "../host/bytes/budget.ts";
import { recordField } from "../host/bytes/json.ts";

/** A class of a dataset. */
export interface LabelClass {
  readonly name: string;
  /** Voxel values of the class: one, or several for nnU-Net regions. */
  readonly values: readonly number[];
}

/**
 * The field `labels` of a `dataset.json`: the Decathlon writes `{"1": "name"}`, nnU-Net `{"name": 1}` or, for regions, `{"name": [1, 2]}`.
 * @throws FormatError (by `fail`) naming the field, also where no class is background
 */
export function parseLabels(json: unknown, fail: Fail): LabelClass[] {
  const labels = Object.entries(recordField(json, "labels", fail)).map(([key, entry]) => {
    const [name, value] = typeof entry === "string" ? [entry, Number(key)] : [key, entry];
    const values: readonly unknown[] = Array.isArray(value) ? value : [value];
    if (values.length === 0 || !values.every((v) => Number.isInteger(v) && (v as number) >= 0))
      throw fail(`labels["${key}"] is ${JSON.stringify(entry)}; expected a class number, or a name under its number`);
    return { name, values: values as number[] };
  });
  if (!labels.some((l) => l.values.includes(0))) throw fail("labels have no class with value 0 (background)");
  return labels;
}
