/**
 * @file Public DICOM files against what another reader made of them. `node bench/public_dicom.ts ROWS.jsonl MIRRORS` takes rows {repo, commit, path, arr,
 * sha, min, max, …} and a folder with a bare clone of each repository, `OWNER+NAME/repo`; without one a repository is cloned there. Nothing is kept of the
 * files. The table is printed as Markdown; what is not equal stands in it with the reason.
 */

import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { readDicom } from "../src/data/formats/dicom/read_dicom.ts";
import type { Volume } from "../src/data/volume.ts";

interface Row {
  readonly repo: string;
  readonly commit: string;
  readonly path: string;
  readonly format: string;
  readonly ts: string;
  readonly photo: string;
  /** Frames (if several), rows, columns, samples (if several). */
  readonly arr: readonly number[];
  readonly sha: string;
}

const [rowsFile, mirrors] = process.argv.slice(2);
if (!rowsFile || !mirrors) throw new Error("usage: node bench/public_dicom.ts ROWS.jsonl FOLDER_OF_CLONES");

/** A file of a commit; a shallow clone that lacks the commit gives its newest one. */
function fileOf({ repo, commit, path }: Row): Uint8Array<ArrayBuffer> {
  const dir = join(mirrors, repo.replace("/", "+"), "repo");
  if (!existsSync(dir)) {
    mkdirSync(dirname(dir), { recursive: true });
    execFileSync("git", ["clone", "--bare", "--filter=blob:none", `https://github.com/${repo}`, dir], { stdio: "ignore" });
  }
  const show = (revision: string) =>
    execFileSync("git", ["--git-dir", dir, "show", `${revision}:${path}`], {
      maxBuffer: 1 << 30,
      stdio: ["ignore", "pipe", "ignore"],
    });
  try {
    return Uint8Array.from(show(commit));
  } catch {
    return Uint8Array.from(show("HEAD"));
  }
}

/** Values as the file has them: frame by frame, row by row, the samples of a pixel together. */
function asStored({ data, shape }: Volume, samples: number): Float64Array {
  const [channels, nx, ny, nz] = shape;
  const out = new Float64Array(data.length);
  let at = 0;
  for (let c = 0; c < channels; c += samples)
    for (let z = 0; z < nz; z++)
      for (let y = 0; y < ny; y++)
        for (let x = 0; x < nx; x++) for (let s = 0; s < samples; s++) out[at++] = data[(((c + s) * nx + x) * ny + y) * nz + z];
  return out;
}

const hash = (values: Float64Array): string =>
  createHash("sha256").update(new Uint8Array(values.buffer)).digest("hex").slice(0, 16);

async function judge(row: Row): Promise<{ equal: boolean; text: string }> {
  try {
    const volume = await readDicom({ name: row.path.split("/").at(-1) ?? row.path, blob: new Blob([fileOf(row)]) });
    const color = /^(RGB|YBR)/.test(row.photo);
    const values = asStored(volume, color ? 3 : 1);
    if (hash(values) === row.sha) return { equal: true, text: "equal" };
    // The rows were rescaled by the top level of a file alone, not by the functional groups of its frames.
    const shift = values.map((v) => v + 1024);
    if (hash(shift) === row.sha)
      return {
        equal: false,
        text: "1024 less: its Pixel Value Transformation has the intercept −1024, which the row leaves out",
      };
    return { equal: false, text: `differs: shape [${volume.shape}]` };
  } catch (error) {
    return { equal: false, text: `${(error as Error).name}: ${(error as Error).message}` };
  }
}

const rows = readFileSync(rowsFile, "utf8")
  .split("\n")
  .filter(Boolean)
  .map((line) => JSON.parse(line) as Row)
  .filter((row) => row.format === "DICOM");
const counts = new Map<string, [equal: number, all: number]>();
const others: string[] = [];
for (const row of rows) {
  const { equal, text } = await judge(row);
  const [e, n] = counts.get(row.ts) ?? [0, 0];
  counts.set(row.ts, [e + Number(equal), n + 1]);
  if (!equal) others.push(`| ${row.repo} ${row.path.split("/").at(-1)} | ${text} |`);
}
console.log("| transfer syntax | equal | files |\n|-|-|-|");
for (const [name, [equal, all]] of counts) console.log(`| ${name} | ${equal} | ${all} |`);
const equal = [...counts.values()].reduce((sum, [e]) => sum + e, 0);
console.log(`| all | ${equal} | ${rows.length} |\n`);
if (others.length > 0) console.log(`| not equal | why |\n|-|-|\n${others.join("\n")}`);
