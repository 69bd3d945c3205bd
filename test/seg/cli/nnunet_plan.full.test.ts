/** @file `nnunet plan` replaces nothing that people make and edit: a dataset.json, splits, other plans. */

import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { callCli } from "../../lib/call_cli.ts";
import { temporaryFolder, writeTinyDataset } from "../../lib/tiny.ts";

const { folder, remove } = temporaryFolder();
beforeAll(() => writeTinyDataset(folder));
afterAll(remove);

const plan = (out: string, ...more: string[]) => callCli(["nnunet", "plan", "--data", folder, "--out", out, ...more]);

test("plans are written once, beside others, again as they are, and over others only when that is asked", async () => {
  const out = join(folder, "plans");
  const file = (name: string) => readFileSync(join(out, name), "utf8");
  mkdirSync(out);
  writeFileSync(join(out, "splits_final.json"), "my own");
  expect((await plan(out)).stdout).toMatch(/splits_final\.json is there and stays as it is/);
  expect(readdirSync(out).sort()).toEqual(["dataset.json", "dataset_fingerprint.json", "nnUNetPlans.json", "splits_final.json"]);
  const written = file("nnUNetPlans.json");
  // What another planner shares is the same, and no fault.
  expect((await plan(out, "--planner", "nnUNetPlannerResEncM")).code).toBeFalsy();
  expect(readdirSync(out)).toContain("nnUNetResEncUNetMPlans.json");
  const edited = written.replace('"batch_size"', '"batch_size" ');
  writeFileSync(join(out, "nnUNetPlans.json"), edited);
  const { code, stderr } = await plan(out);
  expect([code, stderr]).toEqual([1, expect.stringMatching(/nnUNetPlans\.json is there with other plans; .*--overwrite/)]);
  expect(file("nnUNetPlans.json")).toBe(edited);
  expect(file("splits_final.json")).toBe("my own");
  expect((await plan(out, "--overwrite")).code).toBeFalsy();
  expect(file("nnUNetPlans.json")).toBe(written);
  expect(file("splits_final.json")).not.toBe("my own");
});

test("beside the data the dataset's own files stay, and plans that are the same", async () => {
  const before = ["dataset.json", "splits_final.json"].map((name) => readFileSync(join(folder, name), "utf8"));
  for (let i = 0; i < 2; i++) expect((await plan(folder)).code).toBeFalsy();
  expect(["dataset.json", "splits_final.json"].map((name) => readFileSync(join(folder, name), "utf8"))).toEqual(before);
});
