/** @file The recipe "nodules" from the command line: the example as printed, V-Net. */

import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { writeChests } from "../../../scripts/synthetic_chest.ts";
import { succeed, temporaryFolder } from "../../lib/tiny.ts";

const { folder, remove } = temporaryFolder();
const at = (...names: string[]) => join(folder, ...names);
const scans = at("scans");
const tiny = {
  epochs: 4,
  batchSize: 2,
  validateEvery: 2,
  spacing: 2,
  patchSize: [8, 8, 8],
  network: "unet",
  channels: [8, 16],
  numResUnits: 1,
  cropsPerNodule: 6,
  lr: 1e-2,
};

beforeAll(async () => {
  await writeChests(scans, { scans: 5, size: [32, 36, 16], spacing: [1, 1, 2], diameters: [6, 9], nodules: [2, 2], vessels: 1 });
});
afterAll(remove);

test("the example, as it is printed; predict and evaluate say of its run what its report said", async () => {
  const example = new URL("../../../examples/nodules.ts", import.meta.url);
  expect(
    readFileSync(example, "utf8")
      .split("\n")
      .filter((line) => /^\w/.test(line) && !line.startsWith("import")).length,
  ).toBeLessThan(11);
  const args = ["--conditions=voxgrad-source", example.pathname, scans, at("example"), JSON.stringify(tiny)];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
  expect(status, stderr).toBe(0);
  expect(stdout).toMatch(/1 scan with 2 targets: of all candidates [\d.]+ sensitivity/);
  for (const file of ["weights.safetensors", "candidates.csv", "froc.svg"])
    expect(existsSync(at("example", file)), file).toBe(true);

  const run = at("example");
  // What predict finds is what the report found, and can be scored from its folder alone.
  await succeed(["predict", "--run", run, "--data", scans, "--fold", "0", "--out", at("found")]);
  expect(readFileSync(at("found", "candidates.csv"), "utf8")).toBe(readFileSync(join(run, "candidates.csv"), "utf8"));
  const scored = await succeed(["evaluate", "--pred", at("found"), "--data", scans, "--fold", "0"]);
  const froc = /sensitivity by false positives per scan: .*/;
  expect(scored.stdout.match(froc)![0]).toBe(stdout.match(froc)![0]);
});

test("V-Net on 16 voxels, in two data workers", async () => {
  const vnet = ["--network", "vnet", "--patch-size", "16,16,16", "--epochs", "1", "--crops-per-nodule", "1"];
  const { stdout } = await succeed([
    "train",
    "--recipe",
    "nodules",
    "--data",
    scans,
    "--out",
    at("vnet"),
    "--spacing",
    "2",
    ...vnet,
    "--workers",
    "2",
  ]);
  expect(stdout).toMatch(/mean \(FROC\)/);
});
