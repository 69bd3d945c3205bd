/** @file How large the structures of a label map are, as a table. */
import { expectArguments, expectItems } from "../../host/kinds.ts";
import { foregroundOf, type LabelClass } from "../../data/labels.ts";
import { voxelVolumeAt } from "../../data/volume.ts";
import type { HostArray } from "../../host/array.ts";
import { csvField, csvRows, placeInOrder } from "../../host/csv.ts";
import { DataError } from "../../host/errors.ts";

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
 * @param spacing size of a voxel in mm along each axis; of a `Volume` that has it the affine counts, in the units of its header, whose axes need not be at right angles
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
  const voxel = voxelVolumeAt(labels, spacing) / 1000;
  return foregroundOf(classes).map(({ name, values }) => {
    const voxels = values.reduce((sum, v) => sum + (counts.get(v) ?? 0), 0);
    return { id, name, voxels, milliliters: voxels * voxel };
  });
}

const header = "case,label,voxels,ml";

/**
 * The table as CSV, a row per case and class.
 * @param before a table that is there: rows of other cases stay
 * @param order cases in the order of their rows; those of others that are new come last
 * @throws DataError if that is another table
 */
export function volumesCsv(rows: readonly LabelVolume[], before = "", order: readonly string[] = []): string {
  expectArguments("volumesCsv", "texts", { order });
  expectItems("volumesCsv", "rows", rows, { id: "text", name: "text", voxels: "number", milliliters: "number" });
  const [names, ...there] = csvRows(before);
  if (names && names.join() !== header) throw new DataError(`it has the columns ${names.join(", ")}, not ${header}`);
  const mine = new Set(rows.map((r) => r.id));
  const all = there.filter(([id]) => !mine.has(id));
  for (const id of mine) {
    const own = rows.filter((r) => r.id === id).map((r) => [id, r.name, String(r.voxels), r.milliliters.toFixed(4)]);
    const ids = all.map(([other]) => other);
    all.splice(placeInOrder(ids, id, order), 0, ...own);
  }
  return `${[header, ...all.map((row) => row.map(csvField).join(","))].join("\n")}\n`;
}
