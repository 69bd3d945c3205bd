/**
 * @file Every recipe under SIGKILL at 30 random moments: each run ends with the weights of one that was not killed, in every byte;
 * and so do the cases that `nnunet preprocess` keeps.
 */

import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { writeChests } from "../../../scripts/synthetic_chest.ts";
import { recipes } from "../../../src/seg/index.ts";
import { writeChaosFolder } from "../../lib/chaos_folder.ts";
import { expectSameFiles, expectSurvival } from "../../lib/killed_runs.ts";
import { temporaryFolder, tinyOptions, writeTinyDataset } from "../../lib/tiny.ts";

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

/** Data and options of each recipe: some seconds of training. */
const tiny: Readonly<Record<string, readonly [data: string, options: string]>> = {
  slices2d: ["ball", `${tinyOptions.join(" ").replace(/ --workers 0/, "")} --samples-per-volume 128`],
  patches3d: ["balls", "--epochs 4 --batch-size 2 --validate-every 2 --patch-size 16,16,16 --channels 4,8 --num-res-units 1"],
  quicknat: [
    "balls",
    "--epochs 2 --batch-size 4 --validate-every 2 --samples-per-volume 2 --volume-size 16,16,16 --filters 4 --kernel 3 --se-block NONE --slice-batch 16",
  ],
  nodules: [
    "chests",
    "--epochs 4 --batch-size 2 --validate-every 2 --spacing 2 --patch-size 8,8,8 --network unet --channels 8,16 --num-res-units 1 --crops-per-nodule 6",
  ],
  nnunet: [
    "balls",
    "--epochs 4 --steps-per-epoch 8 --validation-steps 2 --batch-size 2 --time-limit 0 --estimate nnunet --features 4 --no-mirroring",
  ],
  chaos: ["chaos", "--epochs 4 --batch-size 4 --validate-every 2 --network unet --channels 8,16 --num-res-units 1 --lr 0.01"],
};

test("no recipe is left out", () => {
  expect(Object.keys(tiny).sort()).toEqual(recipes.map((r) => r.name).sort());
});

test.each(Object.entries(tiny))("%s", { timeout: 3_600_000 }, async (name, [data, options]) => {
  await expectSurvival(["train", "--recipe", name, "--data", at(data), ...options.split(" ")], at("runs", name), 30);
});

test("nnunet preprocess", { timeout: 3_600_000 }, async () => {
  const fill = (out: string) => ["nnunet", "preprocess", "--data", at("balls"), "--prepared", out];
  await expectSameFiles(fill, at("prepared"), 30);
});
