/** @file The list of nodules that comes with LUNA16: `annotations.csv`, positions in millimeters. */

import { expectArguments, expectKinds } from "../../host/kinds.ts";
import { failing } from "../../host/bytes/budget.ts";
import type { Affine } from "../volume.ts";

/** A nodule in the scanner's space: RAS millimeters, as affines here have it. */
export interface Nodule {
  /** Its center, in RAS mm. */
  readonly center: readonly [x: number, y: number, z: number];
  /** In mm. */
  readonly diameter: number;
}

/**
 * Nodules by scan. Columns are found by their names: seriesuid, coordX, coordY, coordZ, diameter_mm. The file counts x to the left and y to the back (LPS),
 * as MetaImage does; here x goes to the right and y to the front.
 * @throws FormatError for a file without these columns, and for a line that has no numbers there
 * @param csv text of the file
 * @param source what errors call the file
 */
export function parseAnnotations(csv: string, source = "annotations.csv"): Map<string, Nodule[]> {
  expectArguments("parseAnnotations", "text", { csv, source });
  const fail = failing(`parseAnnotations: ${source}`);
  const lines = csv.replace(/^\uFEFF/, "").split(/\r?\n/);
  const names = lines[0].split(",").map((name) => name.trim().toLowerCase());
  const [id, x, y, z, d] = ["seriesuid", "coordx", "coordy", "coordz", "diameter_mm"].map((name) => {
    const at = names.indexOf(name);
    if (at < 0) throw fail(`its first line has no column ${name} (it has ${names.join(", ")})`);
    return at;
  });
  const out = new Map<string, Nodule[]>();
  lines.slice(1).forEach((line, i) => {
    if (line.trim() === "") return;
    const cells = line.split(",").map((cell) => cell.trim());
    const [cx, cy, cz, diameter] = [x, y, z, d].map((at) => (cells[at] ? Number(cells[at]) : NaN));
    if (!cells[id] || ![cx, cy, cz].every(Number.isFinite) || !(diameter > 0))
      throw fail(`line ${i + 2} is ${JSON.stringify(line)}; expected a scan, three coordinates and a diameter above 0`);
    out.set(cells[id], [...(out.get(cells[id]) ?? []), { center: [-cx, -cy, cz], diameter }]);
  });
  return out;
}

/** Voxel coordinates of a point by the inverse of an affine. */
export function toVoxel(affine: Affine, point: Nodule["center"]): [number, number, number] {
  expectKinds("toVoxel", { affine: { affine }, numbers: { point } });
  const [x, y, z] = point;
  const [a, b, c] = affine;
  const p = [x - a[3], y - b[3], z - c[3]];
  const det3 = (r: readonly (readonly number[])[]) =>
    r[0][0] * (r[1][1] * r[2][2] - r[1][2] * r[2][1]) -
    r[0][1] * (r[1][0] * r[2][2] - r[1][2] * r[2][0]) +
    r[0][2] * (r[1][0] * r[2][1] - r[1][1] * r[2][0]);
  const m = [a, b, c].map((row) => row.slice(0, 3));
  const whole = det3(m);
  // Cramer's rule: the column of each unknown replaced by the right side.
  const solve = (k: number) => det3(m.map((row, r) => row.map((v, col) => (col === k ? p[r] : v)))) / whole;
  return [solve(0), solve(1), solve(2)];
}
