/**
 * @file The recipe "chaos" from the command line, on a folder in CHAOS's layout: trained, evaluated, folders predicted; the example as printed; f16 beside
 * f32.
 */

import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { writeChaosFolder } from "../../lib/chaos_folder.ts";
import { device } from "../../lib/device.ts";
import { succeed, temporaryFolder } from "../../lib/tiny.ts";

const { folder, remove } = temporaryFolder();
const at = (...names: string[]) => join(folder, ...names);
const [train, unseen] = [at("Train_Sets"), at("Test_Sets")];
const tiny = { epochs: 4, batchSize: 4, validateEvery: 2, network: "unet", channels: [8, 16], numResUnits: 1, lr: 1e-2 };
const flags = Object.entries(tiny).flatMap(([name, v]) => [
  `--${name.replace(/[A-Z]/g, (c) => `-${c.toLowerCase()}`)}`,
  String(v),
]);
const command = ["train", "--recipe", "chaos", "--data", train, ...flags];

beforeAll(async () => {
  await writeChaosFolder(train, { patients: [1, 2, 3, 5, 8], size: [32, 32, 4] });
  await writeChaosFolder(unseen, { patients: [4, 6], size: [32, 32, 4], unlabeled: [4, 6], sequences: ["T1DUAL"] });
});
afterAll(remove);

test("trains on both sequences, scores each patient as CHAOS does, predicts folders", async () => {
  const out = at("run");
  const { stdout } = await succeed([...command, "--out", out, "--sequence", "MR", "--organs", "liver,spleen", "--workers", "2"]);
  expect(stdout).toMatch(/case +class +dice +ravd \[%\] +assd \[mm\] +mssd \[mm\]/);
  expect(stdout).toMatch(/MR_\d_T1DUAL +liver +0\.\d+/);
  expect(stdout).toMatch(/MR_\d_T2SPIR +spleen/);
  const scores = JSON.parse(readFileSync(join(out, "evaluation.json"), "utf8")) as { cases: { id: string; classes: object }[] };
  expect(scores.cases).toHaveLength(2);
  expect(Object.keys((scores.cases[0].classes as { liver: object }).liver)).toEqual(["dice", "ravd", "assd", "mssd"]);
  expect((await succeed(["evaluate", "--run", out])).stdout).toMatch(/MR_\d_T2SPIR +liver/);
  expect((await succeed(["report", out])).stdout).toMatch(/report\.html/);
  await succeed(["postprocess", "--run", out]);

  // The test set's T1 alone is there for MR; a folder of slices is an image; and again with labels.
  await succeed(["predict", "--run", out, "--data", unseen]);
  expect(existsSync(join(out, "predicted", "MR_4_T1DUAL.nii.gz"))).toBe(true);
  await succeed(["predict", "--run", out, join(unseen, "MR", "6", "T1DUAL", "DICOM_anon", "InPhase"), "--out", at("slices")]);
  expect(readFileSync(at("slices", "InPhase.nii.gz")).equals(readFileSync(join(out, "predicted", "MR_6_T1DUAL.nii.gz")))).toBe(
    true,
  );
  await succeed(["predict", "--run", out, "--data", train, "--fold", "0", "--out", at("fold")]);
  expect((await succeed(["evaluate", "--pred", at("fold"), "--run", out])).stdout).toMatch(/mean Dice/);
});

test("the example, as it is printed", () => {
  const example = new URL("../../../examples/chaos.ts", import.meta.url);
  const lines = readFileSync(example, "utf8").split("\n");
  expect(lines.filter((line) => /^\w/.test(line) && !line.startsWith("import")).length).toBeLessThan(11);
  const args = ["--conditions=voxgrad-source", example.pathname, train, at("example"), JSON.stringify(tiny)];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
  expect(status, stderr).toBe(0);
  expect(stdout).toMatch(/MR_\d_T1DUAL +liver +0\.\d+/);
  for (const file of ["weights.safetensors", "best.safetensors", "report.html"])
    expect(existsSync(at("example", file)), file).toBe(true);
});

describe.runIf((await device()).gpu.features.has("shader-f16"))("f16", () => {
  test("learns as f32 does", { timeout: 300_000 }, async () => {
    const long = ["--epochs", "12", "--lr-every", "12", "--augment", "none", "--workers", "0"];
    const losses = [];
    for (const precision of ["f32", "f16"]) {
      await succeed([...command, ...long, "--precision", precision, "--out", at(precision)]);
      const rows = readFileSync(at(precision, "metrics.jsonl"), "utf8").trim().split("\n");
      const last = JSON.parse(rows.at(-1)!) as { loss: number; skipped: number };
      expect(last.skipped).toBe(0);
      losses.push(last.loss);
    }
    expect(Math.abs(losses[1] / losses[0] - 1)).toBeLessThan(0.05);
  });
});
