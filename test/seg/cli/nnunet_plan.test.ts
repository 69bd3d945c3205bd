/** @file Flags of `nnunet plan` are looked at before the cases are read. */

import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { callCli } from "../../lib/call_cli.ts";
import { temporaryFolder, writeTinyDataset } from "../../lib/tiny.ts";

const { folder, remove } = temporaryFolder();
beforeAll(() => writeTinyDataset(folder));
afterAll(remove);

const plan = (out: string, ...more: string[]) => callCli(["nnunet", "plan", "--data", folder, "--out", out, ...more]);

test.each([
  [["--planner", "Foo"], /--planner is "Foo"; known are ExperimentPlanner/],
  [["--spacing", "1,1"], /--spacing must be three numbers/],
  [["--memory", "much"], /--memory must be positive/],
])("%s is refused before the cases are read", async (flags, message) => {
  const { code, stderr } = await plan(join(folder, "never"), ...flags);
  expect([code, stderr]).toEqual([1, expect.stringMatching(message)]);
  expect(stderr).not.toContain("checking cases");
});
