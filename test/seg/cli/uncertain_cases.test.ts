/** @file The tables of `uncertainty` have the rows of what is done, whenever it ends. */

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { makeVolume } from "../../../src/data/volume.ts";
import { onlyOne, type SampleCase, uncertainCases } from "../../../src/seg/cli/uncertain_cases.node.ts";
import { folderStore } from "../../../src/seg/run/folder_store.node.ts";
import type { RunStore } from "../../../src/seg/run/store.ts";
import { temporaryFolder } from "../../lib/tiny.ts";

const { folder, remove } = temporaryFolder();
afterAll(remove);

const labels = [
  { name: "background", values: [0] },
  { name: "ball", values: [1] },
];
const sampleOf =
  (values: readonly number[]): SampleCase =>
  async ({ id }) => {
    const map = makeVolume({ data: Uint8Array.from(values), shape: [1, 1, 2, 2] });
    const variance = { data: new Float32Array(4), shape: map.shape };
    const structures = [{ id, name: "ball", iou: 0.5, coefficientOfVariation: 0.25, milliliters: 0.002 }];
    return { id, source: { id, image: map }, labels: map, variance, structures };
  };
const cases = ["case0", "case1"].map((id) => ({ id, image: [id] }));

// A call that is killed at one of its writes: the two tables without rows, two maps and two tables of each case.
test.each([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])(
  "killed at write %i: rows of the cases before, and none of another map",
  async (killed) => {
    const out = folderStore(join(folder, String(killed)));
    await uncertainCases(cases, labels, out, 2, sampleOf([0, 1, 1, 0]));
    const old = await readFile(join(out.name, "case0.nii.gz"));
    let writes = 0;
    const write: RunStore["write"] = async (file, bytes) => {
      if (writes++ >= killed) throw new Error("killed");
      await out.write(file, bytes);
    };
    await expect(uncertainCases(cases, labels, { ...out, write }, 2, sampleOf([1, 1, 1, 0]))).rejects.toThrow("killed");

    const map = (id: string) => readFile(join(out.name, `${id}.nii.gz`));
    const rows = async (table: string) => (await readFile(join(out.name, table), "utf8")).trim().split("\n").slice(1);
    for (const row of await rows("volumes.csv")) {
      const isOld = (await map(row.split(",")[0])).equals(old);
      expect(row).toMatch(isOld ? /^case\d,ball,2,0\.0020$/ : /^case\d,ball,3,0\.0030$/);
    }
    const told = async (table: string) => (await rows(table)).map((row) => row.split(",")[0]);
    const ids = ["case0", "case1"];
    if (killed > 0) expect(await told("uncertainty.csv")).toEqual(ids.slice(0, killed < 5 ? 0 : killed < 9 ? 1 : 2));
    if (killed > 1) expect(await told("volumes.csv")).toEqual(ids.slice(0, killed < 6 ? 0 : 1));
  },
);

test("what a case took on the device is freed before the next one", async () => {
  let freed = false;
  async function* drawn() {
    try {
      yield await sampleOf([0, 1, 1, 0])(cases[0], {});
    } finally {
      freed = true;
    }
  }
  expect((await onlyOne(drawn())).id).toBe("case0");
  expect(freed).toBe(true);
});
