/**
 * @file Functions that have an adapter and no case in the files that are given: their numbers from upstream (`test/fixtures/make_more_cases.py`, `make_patch_cases.py`);
 * and, in `recorded.json` (`make_recorded_cases.py`), calls of losses, metrics and networks in MONAI's own tests that the runner failed or passed over before;
 * in `torchio_nnunet.json` (`make_torchio_nnunet_cases.py`), TorchIO's and nnU-Net's own code at the edges.
 */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "vitest";

test("functions, losses, metrics and networks of MONAI, nnU-Net and TorchIO give upstream's numbers", () => {
  const [script, folder] = ["run.ts", "more"].map((name) => join(import.meta.dirname, name));
  const { status, stdout } = spawnSync(process.execPath, ["--conditions=voxgrad-source", script, folder], { encoding: "utf8" });
  expect(stdout.trimEnd().split("\n").at(-1)).toBe("276 passed, 0 failed, 0 not covered");
  expect(status).toBe(0);
});
