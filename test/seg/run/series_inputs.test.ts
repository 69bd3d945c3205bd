/** @file DICOM folders of several series as cases: which of them is meant, and slices that are no images by themselves. */

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { loadDataset } from "../../../src/data/index.node.ts";
import { imageChoice } from "../../../src/seg/cli/image_choice.node.ts";
import { predictCases } from "../../../src/seg/cli/predict_cases.node.ts";
import { FolderData, readFiles } from "../../../src/seg/run/folder_data.node.ts";
import { folderStore } from "../../../src/seg/run/folder_store.node.ts";
import { casesOfNetwork, casesOfPaths } from "../../../src/seg/run/inputs.node.ts";
import { listSeriesFolder } from "../../../src/data/formats/dicom/series.node.ts";
import { callCli } from "../../lib/call_cli.ts";
import { dicomSlice, type SliceOptions } from "../../lib/dicom_file.ts";

const classes = ["background", "liver"].map((name, value) => ({ name, values: [value] }));
let dir: string;
const at = (name: string) => join(dir, name);

function write(path: string, slice: SliceOptions): void {
  mkdirSync(dirname(at(path)), { recursive: true });
  writeFileSync(at(path), dicomSlice(slice));
}

/** Slices of a series of a patient; pixels say which. */
const series = (uid: string, description: string, value: number, instance: number): SliceOptions => ({
  series: uid,
  instance,
  pixels: [0, 1, 2, 3, 4, 5].map((v) => v + value),
  more: { 0x0008103e: ["LO", description], 0x0020000d: ["UI", "1.2.8"] },
});

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), "voxgrad-series-inputs-"));
  for (const patient of ["p1", "p2"])
    for (const instance of [1, 2, 3]) {
      write(`${patient}/CT${instance}.dcm`, series(`1.2.${patient[1]}.1`, "venous", 100, instance));
      write(`${patient}/a${instance}.dcm`, series(`1.2.${patient[1]}.2`, "arterial", 200, instance));
      write(`deep/${patient}/v/${instance}.dcm`, series(`1.2.${patient[1]}.3`, "venous", 300, instance));
      write(`deep/${patient}/a/${instance}.dcm`, series(`1.2.${patient[1]}.4`, "arterial", 400, instance));
    }
});
afterAll(() => rmSync(dir, { recursive: true }));

const firstVoxels = async (paths: readonly string[], description: string) => {
  const cases = await casesOfNetwork(paths, ["CT"], undefined, undefined, { series: description });
  return Promise.all(cases.map(async (item) => [item.id, (await readFiles(classes)(item)).image.data[0]]));
};

test("a series of each folder, also of those in it", async () => {
  const patients = [at("p1"), at("p2")];
  expect(await firstVoxels(patients, "venous")).toEqual([
    ["p1", 100],
    ["p2", 100],
  ]);
  expect(await firstVoxels(patients, "arterial")).toEqual([
    ["p1", 200],
    ["p2", 200],
  ]);
  expect(await firstVoxels([at("deep/*")], "arterial")).toEqual([
    ["p1", 400],
    ["p2", 400],
  ]);
  const [item] = casesOfPaths([at("p1")], 1);
  await expect(readFiles(classes)(item)).rejects.toThrow(/2 series are there; choose one.*--series/);
  await expect(firstVoxels([at("p1")], "late")).rejects.toThrow(/no series is the one that is asked for/);
  expect(() => casesOfPaths([at("p1/a1.dcm")], 1, undefined, { series: "arterial" })).toThrow(/and .*a1\.dcm is a file/);
});

test("slices in place of their folder are an error, pictures without places are not", async () => {
  const asked = (pattern: string) => casesOfNetwork([at(pattern)], ["CT"]);
  await expect(asked("p*/CT*.dcm")).rejects.toThrow(
    /CT1\.dcm is one of 3 slices of a DICOM series: give the folder, .*p1, which/,
  );
  await expect(asked("deep/*/v/*")).rejects.toThrow(/is one of 3 slices/);
  expect(await asked("p*/CT1.dcm")).toHaveLength(2);
  for (const instance of [1, 2]) {
    const placeless = { 0x00200032: undefined, 0x00200037: undefined };
    write(`xray/${instance}.dcm`, { instance, series: "1.2.7", more: placeless });
    write(`apart/${instance}.dcm`, { series: `1.3.${instance}` });
  }
  expect((await asked("xray/*.dcm")).map(({ id }) => id)).toEqual(["1", "2"]);
  expect(await asked("apart/*.dcm")).toHaveLength(2);
  writeFileSync(at("xray/3.dcm"), "no DICOM");
  expect(await asked("xray/*.dcm")).toHaveLength(3);
});

test("slices that each say to be a series of their own are one volume too", async () => {
  for (const instance of [1, 2, 3]) write(`anonymous/${instance}.dcm`, { instance, series: `1.4.${instance}` });
  await expect(casesOfNetwork([at("anonymous/*.dcm")], ["CT"])).rejects.toThrow(/is one of 3 slices/);
});

test("dataset.json names the series of an entry", async () => {
  const labels = { background: 0, liver: 1 };
  const json = (entry: object) =>
    writeFileSync(at("dataset.json"), JSON.stringify({ labels, training: [{ image: "p1", label: "p1.nii.gz", ...entry }] }));
  await callCli(["convert-image", at("p1"), at("p1.nii.gz"), "--series", "arterial"]);
  json({ series: "venous" });
  const { training, notes } = await loadDataset(dir);
  expect(training[0]).toMatchObject({ id: "p1", choice: { series: "venous" } });
  expect(notes?.join()).not.toMatch(/series/);
  const stranger = [...classes, { name: "other", values: [200, 201, 202, 203, 204, 205] }];
  expect((await readFiles(stranger)(training[0])).image.data[0]).toBe(100);
  json({});
  const [item] = (await FolderData.open(dir)).index.training;
  await expect(readFiles(stranger)(item)).rejects.toThrow(/2 series are there/);
  json({ series: 3 });
  await expect(loadDataset(dir)).rejects.toThrow(/training\[0\]\.series is 3; expected the description or the UID/);
});

test("an object is of the series that was chosen, and described as asked", async () => {
  const cases = await casesOfNetwork([at("p1")], ["CT"], undefined, undefined, { series: "venous" });
  const read = readFiles(classes);
  const out = folderStore(at("out"));
  const results = { out, probabilities: false, dicom: { kind: "seg", description: "Liver, ours" } } as const;
  const code = await predictCases(cases, classes, results, async (item) => {
    const source = await read(item);
    const labels = { data: Uint8Array.from(source.image.data, (v) => v % 2), shape: source.image.shape };
    return { id: item.id, source, labels };
  });
  expect(code).toBe(0);
  const [{ description }] = await listSeriesFolder(at("out"));
  expect(description).toBe("Liver, ours");
});

test("what chooses a series goes with images, and a description with an object", async () => {
  expect(() => imageChoice({ series: "venous" }, "data")).toThrow(/dataset\.json says it/);
  expect(imageChoice({}, "data")).toEqual({});
  const call = await callCli(["predict", "--run", "r", "--description", "x", at("p1")]);
  expect(call.stderr).toMatch(/--description is of the series that --dicom writes/);
});
