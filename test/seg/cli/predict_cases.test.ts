/** @file The tables of `predict` have a row of every label map: of several calls at once, and of calls that could not write all. */

import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { makeVolume } from "../../../src/data/volume.ts";
import { casesWithout, predictCases, type SegmentCase } from "../../../src/seg/cli/predict_cases.node.ts";
import { folderStore } from "../../../src/seg/run/folder_store.node.ts";
import type { RunStore } from "../../../src/seg/run/store.ts";
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

test.each(["volumes.csv", "candidates.csv", "case1.nii.gz"])(
  "%s that could not be written: the case is taken again",
  async (name) => {
    const out = folderStore(join(folder, name));
    const write: RunStore["write"] = async (file, bytes) => {
      if (file === name) throw new Error("no space left");
      await out.write(file, bytes);
    };
    const store: RunStore = { ...out, write };
    const cases = ["case0", "case1"].map((id) => ({ id, image: [id] }));
    await predictCases(cases.slice(0, 1), labels, { out, probabilities: false }, segment);
    await expect(predictCases(cases.slice(1), labels, { out: store, probabilities: false }, segment)).rejects.toThrow(
      "no space left",
    );

    const left = await casesWithout(cases, { out, probabilities: false }, "skip");
    expect(left.map(({ id }) => id)).toEqual(["case1"]);
    expect(await predictCases(left, labels, { out, probabilities: false }, segment)).toBe(0);
    for (const table of ["volumes.csv", "candidates.csv"]) {
      const [, ...rows] = (await readFile(join(out.name, table), "utf8")).trim().split("\n");
      expect(rows.map((row) => row.split(",")[0])).toEqual(["case0", "case1"]);
    }
  },
);
