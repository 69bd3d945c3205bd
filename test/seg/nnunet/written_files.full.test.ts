/** @file `predict --model` of a folder of nnU-Net writes what nnU-Net writes: label maps with the dataset's ending, probabilities that its ensembles read. */

import { cpSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, test } from "vitest";
import { readImageFile, readNiftiFile } from "../../../src/data/index.node.ts";
import { callCli } from "../../lib/call_cli.ts";
import { temporaryFolder } from "../../lib/tiny.ts";

const { folder, remove } = temporaryFolder();
afterAll(remove);
const fixture = fileURLToPath(new URL("../../fixtures/nnunet_folder", import.meta.url));
const images = ["case_0000.nii.gz", "case_0001.nii.gz"].map((name) => join(fixture, name));

/** The fixture with another ending in its dataset.json. */
function withEnding(ending: unknown): string {
  const model = join(folder, `model${String(ending)}`);
  cpSync(fixture, model, { recursive: true });
  const dataset = JSON.parse(readFileSync(join(model, "dataset.json"), "utf8")) as object;
  writeFileSync(join(model, "dataset.json"), JSON.stringify({ ...dataset, file_ending: ending }));
  return model;
}

const predict = (model: string, out: string, ...more: string[]) =>
  callCli(["predict", "--model", model, ...images, "--out", out, ...more]);

test("the dataset's ending, and archives of probabilities", async () => {
  const model = withEnding(".nrrd");
  const out = join(folder, "out");
  expect((await predict(model, out, "--probabilities")).code).toBeFalsy();
  const files = ["case.npz", "case.nrrd", "case.pkl", "case_probabilities.nii.gz", "dataset.json", "plans.json", "volumes.csv"];
  expect(readdirSync(out).sort()).toEqual(files);
  const labels = await readImageFile(join(out, "case.nrrd"));
  expect(labels.data).toEqual((await readNiftiFile(join(fixture, "labels.nii.gz"))).data);
  const [ours, theirs] = await Promise.all(
    [out, fixture].map((at, i) => readImageFile(join(at, ["case.npz", "probabilities.npz"][i]))),
  );
  expect(ours.shape).toEqual(theirs.shape);
  expect(Array.from(ours.data).reduce((most, p, i) => Math.max(most, Math.abs(p - theirs.data[i])), 0)).toBeLessThan(2e-3);
  // None of them is replaced unasked, and a folder's own dataset.json never.
  expect((await predict(model, out)).stderr).toMatch(/case\.nrrd exists/);
  writeFileSync(join(out, "dataset.json"), "mine");
  expect((await predict(model, out, "--probabilities", "--overwrite")).code).toBeFalsy();
  expect(readFileSync(join(out, "dataset.json"), "utf8")).toBe("mine");
});

test.each([".gipl", "/../../x.nii.gz", ""])("an ending that is not written: %j", async (ending) => {
  const model = withEnding(".nii.gz");
  const dataset = JSON.parse(readFileSync(join(model, "dataset.json"), "utf8")) as object;
  writeFileSync(join(model, "dataset.json"), JSON.stringify({ ...dataset, file_ending: ending }));
  const out = join(folder, `out${ending.length}`);
  const { code, stderr, stdout } = await predict(model, out);
  expect(code).toBeFalsy();
  expect(stderr + stdout).toContain(`label maps are written as .nii.gz: ${JSON.stringify(ending)}`);
  expect(readdirSync(out).sort()).toEqual(["case.nii.gz", "volumes.csv"]);
});
