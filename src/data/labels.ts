/** @file The table of a dataset's classes: names, and the voxel values that mean them. */

import type { Fail } from "../host/bytes/budget.ts";
import { recordField } from "../host/bytes/json.ts";

/** A class of a dataset. */
export interface LabelClass {
  /** What the class is called. */
  readonly name: string;
  /** Voxel values of the class: one, or several for nnU-Net regions. */
  readonly values: readonly number[];
  /** The value that a region writes into a label map, where the dataset says so (nnU-Net's `regions_class_order`). */
  readonly writes?: number;
  /** nnU-Net's label "ignore": the value of voxels that nobody has labeled. It is no class; its voxels neither train nor score. */
  readonly ignore?: true;
}

/** Classes or regions beside the ignored voxels and the background, which has the value 0, perhaps with others that are not told apart. */
export const foregroundOf = (labels: readonly LabelClass[]): LabelClass[] =>
  labels.filter((l) => !l.ignore && !l.values.includes(0));

/** The value of voxels that are ignored, if there is one. */
export const ignoredValue = (labels: readonly LabelClass[]): number | undefined => labels.find((l) => l.ignore)?.values[0];

/** A class number, also as a string of digits; NaN for anything else. */
function classNumber(value: unknown): number {
  if (typeof value === "string" && /^\d+$/.test(value)) return Number(value);
  return Number.isSafeInteger(value) && (value as number) >= 0 ? (value as number) : NaN;
}

/**
 * The field `labels` of a `dataset.json`: the Decathlon writes `{"1": "name"}`, nnU-Net `{"name": 1}` or, for regions, `{"name": [1, 2]}`; numbers may
 * be strings.
 * @param order nnU-Net's `regions_class_order`, if the dataset has it: the value that each region writes, background left out
 * @throws FormatError (by `fail`) naming the field, also where no class is background or two have one value
 */
export function parseLabels(json: unknown, fail: Fail, order?: unknown): LabelClass[] {
  const labels = Object.entries(recordField(json, "labels", fail)).map(([key, entry]) => labelClass(key, entry, fail));
  if (!labels.some((l) => l.values.includes(0))) throw fail("labels have no class with value 0 (background)");
  const regions = labels.some((l) => l.values.length > 1);
  const byValue = new Map<number, string>();
  for (const { name, values, ignore } of labels) {
    for (const v of values) {
      const other = byValue.get(v);
      if (other !== undefined && (!regions || ignore)) throw fail(`labels "${other}" and "${name}" have the same value, ${v}`);
      byValue.set(v, name);
    }
  }
  return regions && order !== undefined && order !== null ? ordered(labels, order, fail) : labels;
}

function labelClass(key: string, entry: unknown, fail: Fail): LabelClass {
  const named = typeof entry === "string" && !Number.isNaN(classNumber(key));
  const [name, value] = named ? [entry, key] : [key, entry];
  const values = (Array.isArray(value) ? (value as unknown[]) : [value]).map(classNumber);
  if (values.length === 0 || values.some(Number.isNaN))
    throw fail(`labels["${key}"] is ${JSON.stringify(entry)}; expected a class number, or a name under its number`);
  if (name !== "ignore") return { name, values };
  if (values.length > 1 || values[0] === 0)
    throw fail(
      `labels["${key}"] is ${JSON.stringify(entry)}; the label "ignore" marks voxels to leave out and needs one value above 0`,
    );
  return { name, values, ignore: true };
}

function ordered(labels: readonly LabelClass[], order: unknown, fail: Fail): LabelClass[] {
  const regions = foregroundOf(labels);
  const values = Array.isArray(order) ? (order as unknown[]).map(classNumber) : [];
  if (values.length !== regions.length || values.some(Number.isNaN)) {
    throw fail(
      `regions_class_order is ${JSON.stringify(order)}; expected a class number for each of ${regions.map((r) => r.name).join(", ")}`,
    );
  }
  return labels.map((l) => (regions.includes(l) ? { ...l, writes: values[regions.indexOf(l)] } : l));
}
