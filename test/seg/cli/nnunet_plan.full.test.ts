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

test("plans are written once, again as they are, and not over others", async () => {
  const out = join(folder, "plans");
  mkdirSync(out);
  writeFileSync(join(out, "splits_final.json"), "my own");
  expect((await plan(out)).stdout).toMatch(/splits_final\.json is there and stays as it is/);
  expect(readdirSync(out).sort()).toEqual(["dataset.json", "dataset_fingerprint.json", "nnUNetPlans.json", "splits_final.json"]);
  expect((await plan(out)).code).toBeFalsy();
  const edited = readFileSync(join(out, "nnUNetPlans.json"), "utf8").replace('"batch_size"', '"batch_size" ');
  writeFileSync(join(out, "nnUNetPlans.json"), edited);
  const { code, stderr } = await plan(out);
  expect([code, stderr]).toEqual([1, expect.stringMatching(/nnUNetPlans\.json is there with other plans; choose another --out/)]);
  expect(readFileSync(join(out, "nnUNetPlans.json"), "utf8")).toBe(edited);
  expect(readFileSync(join(out, "splits_final.json"), "utf8")).toBe("my own");
});

test("beside the data the dataset's own files stay", async () => {
  const before = ["dataset.json", "splits_final.json"].map((name) => readFileSync(join(folder, name), "utf8"));
  expect((await plan(folder)).code).toBeFalsy();
  expect(["dataset.json", "splits_final.json"].map((name) => readFileSync(join(folder, name), "utf8"))).toEqual(before);
});
