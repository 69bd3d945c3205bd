/** @file Several calls of `predict` that write into one folder at once: its tables have the rows of all. */

import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { makeVolume } from "../../../src/data/volume.ts";
import { predictCases, type SegmentCase } from "../../../src/seg/cli/predict_cases.node.ts";
import { folderStore } from "../../../src/seg/run/folder_store.node.ts";
import { temporaryFolder } from "../../lib/tiny.ts";

const { folder, remove } = temporaryFolder();
afterAll(remove);

const labels = [
  { name: "background", values: [0] },
  { name: "ball", values: [1] },
];
const map = makeVolume({ data: Uint8Array.of(0, 1, 1, 0), shape: [1, 1, 2, 2] });
const segment: SegmentCase = async ({ id }) => ({
  id,
  source: { id, image: map },
  labels: map,
  candidates: [{ center: [1, 2, 3], diameter: 4, score: 0.5 }],
});

test("rows of every case, and no lock left", async () => {
  const ids = (call: number) => Array.from({ length: 6 }, (_, i) => `case${call}_${i}`);
  const calls = Array.from({ length: 4 }, (_, call) =>
    predictCases(
      ids(call).map((id) => ({ id, image: [id] })),
      labels,
      { out: folderStore(join(folder, "out")), probabilities: false },
      segment,
    ),
  );
  expect(await Promise.all(calls)).toEqual([0, 0, 0, 0]);
  const all = [0, 1, 2, 3].flatMap(ids);
  for (const table of ["volumes.csv", "candidates.csv"]) {
    const [, ...rows] = (await readFile(join(folder, "out", table), "utf8")).trim().split("\n");
    expect(rows.map((row) => row.split(",")[0]).sort()).toEqual(all);
  }
  expect((await readdir(join(folder, "out"))).sort()).toEqual(
    [...all.map((id) => `${id}.nii.gz`), "candidates.csv", "volumes.csv"].sort(),
  );
});
