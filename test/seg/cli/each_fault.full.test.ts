/** @file Commands that read datasets and write, on a disk that fails once, at each of their calls in turn. */

import { cpSync, existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { exportCommand } from "../../../src/seg/cli/commands/nnunet/export.node.ts";
import { ConfigError } from "../../../src/host/errors.ts";
import { callCli } from "../../lib/call_cli.ts";
import { Workplace } from "../../lib/every_fault.ts";
import { writeTinyDataset } from "../../lib/tiny.ts";

const work = new Workplace();
afterAll(() => work.remove());

/** Two cases. */
beforeAll(() =>
  work.fill(async (folder) => {
    const data = join(folder, "data");
    await writeTinyDataset(data);
    for (const part of ["imagesTr", "labelsTr"]) for (const i of [2, 3, 4, 5]) rmSync(join(data, part, `case${i}.nii.gz`));
    const index = JSON.parse(readFileSync(join(data, "dataset.json"), "utf8")) as { training: unknown[] };
    writeFileSync(join(data, "dataset.json"), JSON.stringify({ ...index, numTraining: 2, training: index.training.slice(0, 2) }));
    rmSync(join(data, "splits_final.json"));
    cpSync(join(data, "labelsTr"), join(folder, "found"), { recursive: true });
    const tiny =
      "--fold all --epochs 1 --steps-per-epoch 1 --validation-steps 1 --batch-size 2 --time-limit 0 --estimate nnunet --features 4 --no-mirroring";
    await callCli(["train", "--recipe", "nnunet", "--data", data, "--out", join(folder, "run"), ...tiny.split(" ")]);
  }),
);

/** What is there of a call that failed has to be replaced. */
const everyFault = (args: readonly string[]) => work.everyFault(args, [...args, "--overwrite"]);

test("surface", () =>
  everyFault([
    "surface",
    work.at("data", "labelsTr", "case0.nii.gz"),
    "--label",
    "1",
    "--out",
    work.at("a.ply"),
    "--picture",
    work.at("a.png"),
  ]));

test("evaluate", () =>
  everyFault([
    "evaluate",
    "--reference",
    work.at("data", "labelsTr"),
    "--prediction",
    work.at("found"),
    "--metrics",
    "dice",
    "--out",
    work.at("e"),
  ]));

test(
  "nnunet export, into a folder that is whole or not there",
  () => work.everyFault(["nnunet", "export", work.at("run"), "--out", work.at("exported")]),
  300_000,
);

test("of two exports into one folder at a time one is refused, and takes nothing of the other's", async () => {
  vi.spyOn(process.stdout, "write").mockReturnValue(true);
  const out = work.at("one of two");
  const both = await Promise.allSettled([1, 2].map(() => exportCommand.run([work.at("run"), "--out", out])));
  vi.restoreAllMocks();
  expect(both.filter((r) => r.status === "rejected").map((r): unknown => r.reason)).toEqual([expect.any(ConfigError)]);
  expect(existsSync(join(out, "fold_all", "checkpoint_final.pth"))).toBe(true);
});
