/** @file How large the structures of a label map are, as a table. */
import { expectArguments, expectItems } from "../../host/kinds.ts";
import { foregroundOf, type LabelClass } from "../../data/labels.ts";
import type { HostArray } from "../../host/array.ts";

/** The volume of one class in one case. */
export interface LabelVolume {
  /** Of the case. */
  readonly id: string;
  /** Of the class. */
  readonly name: string;
  /** How many voxels it has. */
  readonly voxels: number;
  /** Their volume. */
  readonly milliliters: number;
}

/**
 * The volume of each class (or region) of a label map.
 * @param labels stored label values, `[1, x, y, z]`
 * @param spacing size of a voxel in mm along each axis
 * @param id of the case
 */
export function labelVolumes(
  id: string,
  labels: HostArray,
  spacing: readonly number[],
  classes: readonly LabelClass[],
): LabelVolume[] {
  expectArguments("labelVolumes", "text", { id });
  expectArguments("labelVolumes", "array", { labels });
  expectArguments("labelVolumes", "numbers", { spacing });
  expectItems("labelVolumes", "classes", classes, { name: "text", values: "numbers" });
  const counts = new Map<number, number>();
  const { data } = labels;
  for (let start = 0, i = 1; i <= data.length; i++) {
    if (i < data.length && data[i] === data[start]) continue;
    counts.set(data[start], (counts.get(data[start]) ?? 0) + i - start);
    start = i;
  }
  const voxel = spacing.reduce((a, b) => a * b, 1) / 1000;
  return foregroundOf(classes).map(({ name, values }) => {
    const voxels = values.reduce((sum, v) => sum + (counts.get(v) ?? 0), 0);
    return { id, name, voxels, milliliters: voxels * voxel };
  });
}

const header = "case,label,voxels,ml";

/** A field of a table with commas (RFC 4180). `value` is put in quotes where it must be. */
export function csvField(value: string): string {
  expectArguments("csvField", "text", { value });
  return /[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value;
}

/**
 * The table as CSV, a row per case and class.
 * @param before a table that is there: rows of other cases stay in front
 */
export function volumesCsv(rows: readonly LabelVolume[], before = ""): string {
  expectItems("volumesCsv", "rows", rows, { id: "text", name: "text", voxels: "number", milliliters: "number" });
  const mine = new Set(rows.map((r) => `${csvField(r.id)},`));
  const others = before
    .split("\n")
    .filter((line) => line !== "" && line !== header && ![...mine].some((start) => line.startsWith(start)));
  const lines = rows.map((r) => [csvField(r.id), csvField(r.name), r.voxels, r.milliliters.toFixed(4)].join(","));
  return `${[header, ...others, ...lines].join("\n")}\n`;
}
