/**
 * @file Every recipe under SIGKILL at 30 random moments: each run ends with the weights of one that was not killed, in every byte;
 * and so do the cases that `nnunet preprocess` keeps.
 */

import { join } from "node:path";
import { afterAll, beforeAll, test } from "vitest";
import { writeChests } from "../../../scripts/synthetic_chest.ts";
import { writeChaosFolder } from "../../lib/chaos_folder.ts";
import { expectSameFiles, expectSurvival } from "../../lib/killed_runs.ts";
import { temporaryFolder, writeTinyDataset } from "../../lib/tiny.ts";
import { tinyRecipes } from "../../lib/tiny_recipes.ts";

const { folder, remove } = temporaryFolder();
const at = (...names: string[]) => join(folder, ...names);

const scans = { scans: 5, size: [32, 36, 16], spacing: [1, 1, 2], diameters: [6, 9], nodules: [2, 2], vessels: 1 } as const;

beforeAll(async () => {
  await writeTinyDataset(at("balls"), { 0: "background", 1: "one", 2: "two" });
  await writeTinyDataset(at("ball"));
  await writeChests(at("chests"), scans);
  await writeChaosFolder(at("chaos"), { patients: [1, 2, 3, 5, 8], size: [32, 32, 4] });
});
afterAll(remove);

test.each(Object.entries(tinyRecipes))("%s", { timeout: 3_600_000 }, async (name, { folder: data, flags }) => {
  await expectSurvival(["train", "--recipe", name, "--data", at(data), ...flags.split(" ")], at("runs", name), 30);
});

test("nnunet preprocess", { timeout: 3_600_000 }, async () => {
  const fill = (out: string) => ["nnunet", "preprocess", "--data", at("balls"), "--prepared", out];
  await expectSameFiles(fill, at("prepared"), 30);
});
