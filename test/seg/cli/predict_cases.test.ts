/** @file The tables of `predict` have a row of every label map: of several calls at once, and of calls that could not write all. */

import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { makeVolume } from "../../../src/data/volume.ts";
import { DataError } from "../../../src/host/errors.ts";
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

    const left = await casesWithout(cases, labels, { out, probabilities: false }, "skip");
    expect(left.map(({ id }) => id)).toEqual(["case1"]);
    expect(await predictCases(left, labels, { out, probabilities: false }, segment)).toBe(0);
    for (const table of ["volumes.csv", "candidates.csv"]) {
      const [, ...rows] = (await readFile(join(out.name, table), "utf8")).trim().split("\n");
      expect(rows.map((row) => row.split(",")[0])).toEqual(["case0", "case1"]);
    }
  },
);

test("rows stand in the order of the cases, also of one that failed at first and of one that is replaced", async () => {
  const out = folderStore(join(folder, "order"));
  const cases = ["case2", "case0", "case3", "case1"].map((id) => ({ id, image: [id] }));
  const results = { out, probabilities: false, order: cases.map(({ id }) => id) };
  await predictCases([{ id: "other", image: ["other"] }], labels, { out, probabilities: false }, segment);
  const failing: SegmentCase = async (item, hooks) => {
    if (item.id === "case2" || item.id === "case3") throw new DataError("cannot be read");
    return segment(item, hooks);
  };
  const ids = () =>
    Promise.all(
      ["volumes.csv", "candidates.csv"].map(async (table) => {
        const rows = (await readFile(join(out.name, table), "utf8")).trim().split("\n").slice(1);
        return rows.map((row) => row.split(",")[0]).join(" ");
      }),
    );
  expect(await predictCases(cases, labels, results, failing)).toBe(1);
  expect(await ids()).toEqual(["other case0 case1", "other case0 case1"]);
  await predictCases(await casesWithout(cases, labels, results, "skip"), labels, results, segment);
  const whole = "other case2 case0 case3 case1";
  expect(await ids()).toEqual([whole, whole]);
  await predictCases([cases[1]], labels, results, segment);
  expect(await ids()).toEqual([whole, whole]);
});

/** The case whose map is there, and rows of it and another; of the tables those of "case0". */
async function rowsOf(out: RunStore) {
  const rows = async (table: string) =>
    (await readFile(join(out.name, table), "utf8"))
      .trim()
      .split("\n")
      .slice(1)
      .filter((row) => row.startsWith("case0,"));
  return { volumes: await rows("volumes.csv"), candidates: await rows("candidates.csv") };
}

// What a call that is killed leaves: all writes until one of them, and none from there on.
test.each([0, 1, 2, 3, 4])(
  "maps that are replaced, killed at write %i: no row of another map, and the case is taken again",
  async (killed) => {
    const out = folderStore(join(folder, `killed${killed}`));
    const cases = ["case0", "case"].map((id) => ({ id, image: [id] }));
    const results = { out, probabilities: false };
    await predictCases(cases, labels, results, segment);
    const before = { map: await readFile(join(out.name, "case0.nii.gz")), ...(await rowsOf(out)) };
    const larger = makeVolume({ data: Uint8Array.of(1, 1, 1, 0), shape: [1, 1, 2, 2] });
    const candidates = [{ center: [4, 5, 6], diameter: 7, score: 0.25 }];
    const again: SegmentCase = async ({ id }) => ({ id, source: { id, image: larger }, labels: larger, candidates });
    let writes = 0;
    const write: RunStore["write"] = async (file, bytes) => {
      if (writes++ >= killed) throw new Error("killed");
      await out.write(file, bytes);
    };
    await expect(predictCases(cases.slice(0, 1), labels, { ...results, out: { ...out, write } }, again)).rejects.toThrow(
      "killed",
    );

    const map = await readFile(join(out.name, "case0.nii.gz"));
    const isOld = map.equals(before.map);
    const left = await rowsOf(out);
    for (const row of left.volumes) expect(row).toBe(isOld ? before.volumes[0] : "case0,ball,3,0.0030");
    for (const row of left.candidates) expect(row).toBe(isOld ? before.candidates[0] : "case0,4.00,5.00,6.00,7.00,0.2500");
    expect(isOld).toBe(killed < 3);
    // Nothing was replaced of the one that was killed at once.
    expect((await casesWithout(cases, labels, results, "skip")).map(({ id }) => id)).toEqual(killed === 0 ? [] : ["case0"]);
    await predictCases(cases.slice(0, 1), labels, results, again);
    expect(await rowsOf(out)).toEqual({
      volumes: ["case0,ball,3,0.0030"],
      candidates: ["case0,4.00,5.00,6.00,7.00,0.2500"],
    });
    expect(await casesWithout(cases, labels, results, "skip")).toEqual([]);
  },
);

test("a case of a model without structures is done, beside the rows of another", async () => {
  const out = folderStore(join(folder, "none"));
  const cases = ["case0", "case1"].map((id) => ({ id, image: [id] }));
  await predictCases([{ id: "other", image: ["other"] }], labels, { out, probabilities: false }, segment);
  const none = [{ name: "background", values: [0] }];
  await predictCases(cases.slice(0, 1), none, { out, probabilities: false }, segment);
  const left = await casesWithout(cases, none, { out, probabilities: false }, "skip");
  expect(left.map(({ id }) => id)).toEqual(["case1"]);
});
