/** @file Every kind of model and of data folder in the page: labels as Node has them, folders as their recipes want them, and runs that the command line goes on with. */

import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { makeVolume, readImage, writeNifti } from "../../src/data/index.ts";
import { segment } from "../../src/seg/index.ts";
import { modelFiles } from "../../src/seg/index.node.ts";
import { writeChests } from "../../scripts/synthetic_chest.ts";
import { callCli } from "../lib/call_cli.ts";
import { writeChaosFolder } from "../lib/chaos_folder.ts";
import { device } from "../lib/device.ts";
import { writeTinyDataset } from "../lib/tiny.ts";
import { openSite, type Site, unpack, Visit } from "./site.ts";

const fixtures = join(import.meta.dirname, "../fixtures");
let site: Site;

beforeAll(async () => {
  site = await openSite();
});

afterAll(() => site?.close());

/** Picks what lies at a path, as the buttons of an area do. */
const pick = ({ page }: Visit, area: string, kind: "files" | "folder", path: string): Promise<void> =>
  page.locator(`${area} input[data-kind=${kind}]`).setInputFiles(path);

test.for([
  ["an ONNX file", "files", "onnx/monai_unet.onnx"],
  ["a bundle of MONAI", "folder", "bundle"],
  ["a results folder of nnU-Net", "folder", "nnunet_results"],
] as const)("%s from the user's disk segments as in Node", { timeout: 600_000 }, async ([, kind, path]) => {
  const model = join(fixtures, path);
  const bytes = readFileSync(join(fixtures, "bundle/image.nii.gz"));
  const visit = await Visit.start(site);
  const { page } = visit;
  await visit.drop("#drop-scan", [{ name: "scan.nii.gz", bytes }]);
  await page.waitForSelector(".viewer[data-drawn='0']");
  await page.getByText("Model from your disk").first().click();
  await pick(visit, "#drop-model", kind, model);
  await page.getByRole("radio", { name: new RegExp(`^${path.split("/").at(-1)}.*from your disk`) }).waitFor();
  await page.getByRole("button", { name: "Segment", exact: true }).click();
  await page.waitForSelector(".results");
  const there = await readImage(readFileSync(await visit.saved("Label map (NIfTI)")), { name: "labels.nii.gz" });
  const { labels: here } = await segment(await device(), modelFiles(model), await readImage(bytes, { name: "scan.nii.gz" }));
  expect(there.shape).toEqual(here.shape);
  let differ = 0;
  for (let i = 0; i < here.data.length; i++) if (there.data[i] !== here.data[i]) differ++;
  console.log(`${path}: ${differ} of ${here.data.length} voxels differ; labels ${[...new Set(here.data)].join()}`);
  expect(differ / here.data.length).toBeLessThanOrEqual(1e-5);
  await visit.end();
});

test("a folder of the Decathlon: a run that is stopped goes on in the command line, and predicts", async () => {
  const visit = await Visit.start(site, "train");
  const { page } = visit;
  const folder = visit.folder();
  const data = join(folder, "Task04_Tiny");
  mkdirSync(data);
  await writeTinyDataset(data);
  await pick(visit, "#drop-data", "folder", data);
  await page.getByText("6 cases with labels, 0 without").waitFor();
  await page.getByText("4 cases train, 2 validate").waitFor();
  await page.getByText("Settings", { exact: true }).click();
  for (const [option, value] of [
    ["epochs", "4"],
    ["channels", "4,8"],
  ])
    await page.getByRole("textbox", { name: option }).first().fill(value);
  await page.getByRole("textbox", { name: "Name of the run" }).fill("tiny");
  await page.getByRole("button", { name: "Start training" }).click();
  await page.getByText("Epoch 2 of 4").waitFor();
  await page.getByRole("button", { name: "Stop and keep the best" }).click();
  await page.waitForSelector("[data-state=stopped]");
  unpack(readFileSync(await visit.saved("Download")), folder);
  const run = join(folder, "tiny");
  const resumed = await callCli(["train", "--resume", run, "--data", data]);
  expect(resumed.code ?? 0, resumed.stderr).toBe(0);
  const losses = readFileSync(join(run, "metrics.jsonl"), "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(losses.filter((line) => line.step === undefined).map((line) => line.epoch)).toEqual([1, 2, 3, 4]);
  const out = join(folder, "out");
  const predicted = await callCli(["predict", "--run", run, join(data, "imagesTr/case0.nii.gz"), "--out", out]);
  expect(predicted.code ?? 0, predicted.stderr).toBe(0);
  expect(readFileSync(join(out, "case0.nii.gz")).length).toBeGreaterThan(100);
  // After a reload the browser no longer has a folder that was picked by an input: the page asks for it.
  await page.reload();
  await visit.ready();
  await page.getByRole("button", { name: "Resume" }).click();
  await page.getByText("Choose the folder of").waitFor();
  await pick(visit, "#drop-again", "folder", data);
  await page.waitForSelector("[data-state=finished]");
  await visit.end();
}, 600_000);

test("a folder of nnU-Net v2, and one that is no dataset", async () => {
  const visit = await Visit.start(site, "train");
  const { page } = visit;
  page.setDefaultTimeout(900_000); // nnU-Net tries steps on the processor to choose its options
  const folder = visit.folder();
  const data = join(folder, "Dataset004_Tiny");
  for (const part of ["imagesTr", "labelsTr", "imagesTs"]) mkdirSync(join(data, part), { recursive: true });
  const labels = { background: 0, ball: 1, box: 2 };
  const dataset = { channel_names: { 0: "T1", 1: "T2" }, labels, numTraining: 3, file_ending: ".nii.gz" };
  writeFileSync(join(data, "dataset.json"), JSON.stringify(dataset));
  const cube = (value: (i: number) => number) =>
    writeNifti(makeVolume({ data: Uint8Array.from({ length: 16 ** 3 }, (_, i) => value(i)), shape: [1, 16, 16, 16] }), {
      dtype: "u8",
      gzip: true,
    });
  for (const id of ["a", "b", "c"]) {
    for (const channel of ["0000", "0001"])
      writeFileSync(join(data, `imagesTr/${id}_${channel}.nii.gz`), await cube((i) => i % 97));
    writeFileSync(join(data, `labelsTr/${id}.nii.gz`), await cube((i) => (i % 16 < 4 ? 1 : i % 16 > 12 ? 2 : 0)));
  }
  await pick(visit, "#drop-data", "folder", data);
  await page.getByText("3 cases with labels, 0 without").waitFor();
  await page.getByText("T1, T2", { exact: true }).waitFor();
  await page.getByText("2 cases train, 1 validate").waitFor();
  await page.getByRole("combobox", { name: "Recipe" }).selectOption("nnunet");
  // The choice is ended where it is, and begun anew by whatever needs it.
  await page.locator("#content").getByText("Choosing options, which may try steps on this device").waitFor();
  await page.getByRole("button", { name: "Cancel" }).click();
  await page.waitForSelector(".progress", { state: "detached" });
  expect(await page.getByText("2 cases train, 1 validate").count()).toBe(0);
  expect(await page.getByRole("alert").count()).toBe(0);
  await page.getByRole("button", { name: "Plan memory" }).click();
  await page.getByText("2 cases train, 1 validate").waitFor();
  await page.getByText(/MiB on the device for a step/).waitFor();

  const none = join(folder, "holiday");
  mkdirSync(none);
  writeFileSync(join(none, "beach.txt"), "sea");
  await pick(visit, "#drop-data", "folder", none);
  await page.getByRole("alert").getByText("holiday is no dataset that is known").waitFor();
  await visit.end();
}, 1_800_000);

test("a folder of LUNA16: scans with the list of their nodules train the recipe for them", async () => {
  const visit = await Visit.start(site, "train");
  const { page } = visit;
  const folder = visit.folder();
  const data = join(folder, "luna");
  await writeChests(data, { scans: 5, size: [40, 44, 20], spacing: [1, 1, 1.5], diameters: [5, 8], seed: 3 });
  await pick(visit, "#drop-data", "folder", data);
  await page.getByText("5 cases with labels, 0 without").waitFor();
  await page.locator("dl.facts").getByText("nodule", { exact: true }).waitFor();
  await page.getByRole("combobox", { name: "Recipe" }).selectOption("nodules");
  await page.getByText("4 cases train, 1 validate").waitFor();
  await page.getByText("Settings", { exact: true }).click();
  for (const [option, value] of [
    ["epochs", "1"],
    ["patchSize", "16,16,16"],
    ["channels", "4,8"],
    ["numResUnits", "0"],
  ])
    await page.getByRole("textbox", { name: option }).first().fill(value);
  await page.getByRole("combobox", { name: "network" }).selectOption("unet");
  await page.getByRole("textbox", { name: "Name of the run" }).fill("nodules");
  await page.getByRole("button", { name: "Start training" }).click();
  await page.waitForSelector("[data-state=finished]");
  // The command line takes the run and the folder as they are.
  unpack(readFileSync(await visit.saved("Download")), folder);
  const out = join(folder, "found");
  const found = await callCli(["predict", "--run", join(folder, "nodules"), "--data", data, "--fold", "0", "--out", out]);
  expect(found.code ?? 0, found.stderr).toBe(0);
  expect(readdirSync(out).filter((name) => name.endsWith(".nii.gz"))).toHaveLength(1);
  await visit.end();
}, 900_000);

test("a folder of CHAOS: its recipe takes the sequence, the phases and the organs that are asked for", async () => {
  const visit = await Visit.start(site, "train");
  const { page } = visit;
  const data = join(visit.folder(), "CHAOS_Train_Sets");
  await writeChaosFolder(data, { patients: [1, 2, 3], size: [32, 32, 6], sequences: ["T2SPIR", "T1DUAL"] });
  const shown = page.locator("dl.facts");
  await pick(visit, "#drop-data", "folder", data);
  await page.getByText("2 cases train, 1 validate").waitFor();
  expect(await shown.innerText()).toContain("liver, right kidney, left kidney, spleen");
  await page.getByRole("combobox", { name: "Recipe" }).selectOption("chaos");
  await page.waitForFunction(() => document.querySelector<HTMLElement>("dl.facts")?.innerText.endsWith("liver"));
  await page.getByText("Settings", { exact: true }).click();
  // The data have no CT: it is said, and the form stays to choose another.
  await page.getByRole("combobox", { name: /^sequence/ }).selectOption("CT");
  await page.getByRole("button", { name: "Apply" }).click();
  await page
    .getByRole("alert")
    .getByText(/has no CT; it has T/)
    .waitFor();
  await page.getByRole("combobox", { name: /^sequence/ }).selectOption("T1DUAL");
  await page.getByRole("combobox", { name: /^phases/ }).selectOption("both");
  await page.getByRole("textbox", { name: /^organs/ }).fill("liver,spleen");
  await page
    .getByRole("textbox", { name: /^epochs/ })
    .first()
    .fill("1");
  await page.getByRole("textbox", { name: /^channels/ }).fill("4,8,16");
  await page.getByRole("button", { name: "Apply" }).click();
  await page.waitForFunction(() => document.querySelector<HTMLElement>("dl.facts")?.innerText.endsWith("liver, spleen"));
  expect(await shown.innerText()).toContain("T1 in-phase, T1 out-phase");
  await page.getByRole("button", { name: "Start training" }).click();
  await page.waitForSelector("[data-state=finished]");
  await page.getByRole("button", { name: "Look at the results" }).click();
  await page.getByRole("button", { name: "Segment and score" }).click();
  await page.waitForSelector(".drop#drop-again");
  await pick(visit, "#drop-again", "folder", data);
  await page.waitForSelector(".viewer[data-drawn='2']");
  expect(await page.locator(".cases thead").innerText()).toMatch(/liver\s+spleen/);
  await visit.end();
}, 600_000);
