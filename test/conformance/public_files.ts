/**
 * @file Public image files against their table: `node --conditions=voxgrad-source test/conformance/public_files.ts TABLE.jsonl FOLDER`, where the files are
 * FOLDER/<owner>/<repository>/<path>. DICOM has a table of its own kind and is left out. Ends with 1 if a file differs.
 */

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { readImageFile } from "../../src/data/formats/images.node.ts";
import { axisCodes } from "../../src/data/axis_codes.ts";
import { VoxgradError } from "../../src/host/errors.ts";
import { differences } from "../data/formats/expected.ts";

interface Row {
  readonly repo: string;
  readonly path: string;
  readonly format: string;
  readonly shape: readonly number[];
  readonly affine?: readonly (readonly number[])[];
  readonly sha: string;
  readonly min: number;
  readonly max: number;
  readonly spacing?: string;
  readonly matrix?: string;
  readonly offset?: string;
  readonly dirs?: string;
  readonly origin?: string;
  readonly space?: string;
}

const numbers = (text: string): number[] => (text.match(/[-+\d.eE]+/g) ?? []).map(Number);

/** The RAS affine of a row of MetaImage or NRRD, worked out apart from the reader: undefined where the row has none. */
function affineOf(row: Row): number[][] | undefined {
  if (row.affine) return row.affine.map((r) => [...r]);
  const n = Math.min(3, row.shape.length);
  let columns: number[][];
  let origin: number[];
  if (row.format === "MetaImage" && row.matrix && row.offset && row.spacing) {
    const [matrix, spacing] = [numbers(row.matrix), numbers(row.spacing)];
    columns = Array.from({ length: n }, (_, a) => matrix.slice(a * n, a * n + n).map((v) => v * spacing[a]));
    origin = numbers(row.offset);
  } else if (row.dirs && row.space === "left-posterior-superior") {
    columns = row.dirs.split(" ").map(numbers);
    origin = numbers(row.origin ?? "0 0 0");
  } else return undefined;
  while (columns.length < 3) columns.push([0, 0, 1]);
  return [-1, -1, 1]
    .map((sign, r) => [...columns.map((c) => sign * (c[r] ?? 0)), sign * (origin[r] ?? 0)])
    .concat([[0, 0, 0, 1]]);
}

const [table, folder] = process.argv.slice(2);
let [equal, other] = [0, 0];
for (const line of readFileSync(table, "utf8").trim().split("\n")) {
  const row = JSON.parse(line) as Row;
  if (row.format === "DICOM") continue;
  const path = join(folder, row.repo, row.path);
  if (!existsSync(path)) {
    console.log(`absent   ${row.repo} ${row.path}`);
    continue;
  }
  let found: string[];
  let what = "";
  try {
    const volume = await readImageFile(path);
    // The last three axes of an array are those of space.
    const shape = row.format === "npy" ? [...volume.shape.slice(1), volume.shape[0]] : row.shape;
    found = differences(volume, {
      expect: "ok",
      ...row,
      spacing: undefined,
      shape,
      affine_ras: affineOf(row),
      sha256_f64le_xfastest: row.sha,
    });
    what = `[${volume.shape}] ${volume.meta.dtype} ${axisCodes(volume.affine)}`;
  } catch (error) {
    if (!(error instanceof VoxgradError)) throw error;
    found = [error.message];
  }
  if (found.length === 0) equal++;
  else other++;
  console.log(`${found.length === 0 ? "equal   " : "differs "} ${row.repo} ${row.path} ${what} ${found.join("; ")}`);
}
console.log(`${equal} equal, ${other} not`);
process.exitCode = other > 0 ? 1 : 0;
