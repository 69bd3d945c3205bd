/** @file DICOM folders of several series as cases: which of them is meant, and slices that are no images by themselves. */

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { gzipSync } from "node:zlib";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { loadDataset } from "../../../src/data/index.node.ts";
import { makeVolume, readSeries, writeDicomSegmentation, writeDicomStructures } from "../../../src/data/index.ts";
import { fileAt } from "../../../src/data/formats/files.node.ts";
import { seriesAsked } from "../../../src/seg/cli/image_choice.node.ts";
import { predictCases } from "../../../src/seg/cli/predict_cases.node.ts";
import { ConfigError } from "../../../src/host/errors.ts";
import { FolderData, readFiles } from "../../../src/seg/run/folder_data.node.ts";
import { folderStore } from "../../../src/seg/run/folder_store.node.ts";
import { casesOfNetwork, casesOfPaths } from "../../../src/seg/run/inputs.node.ts";
import { listSeriesFolder } from "../../../src/data/formats/dicom/series.node.ts";
import { callCli } from "../../lib/call_cli.ts";
import { dicomFrames, dicomSlice, frameGroups, type SliceOptions } from "../../lib/dicom_file.ts";

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
  const cases = await casesOfNetwork(paths, ["CT"], undefined, undefined, [{ series: description }]);
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
  expect(() => casesOfPaths([at("p1/a1.dcm")], 1, undefined, [{ series: "arterial" }])).toThrow(/and .*a1\.dcm is a file/);
});

test("a series of folders whose names are numbers, and of one beside a file that is another channel", async () => {
  for (const patient of ["p_0001", "p_0002"])
    for (const instance of [1, 2, 3])
      for (const [description, value] of [
        ["venous", 100],
        ["arterial", 200],
      ] as const)
        write(`numbered/${patient}/${description}${instance}`, series(`1.5.${value}`, description, value, instance));
  const paths = [at("numbered/p_0001"), at("numbered/p_0002")];
  expect(await firstVoxels(paths, "arterial")).toEqual([
    ["p_0001", 200],
    ["p_0002", 200],
  ]);
  const choices = [{ series: "venous" }];
  const [both] = casesOfPaths(paths, 2, undefined, choices);
  expect((await readFiles(classes)(both)).image.shape[0]).toBe(2);
  await callCli(["convert-image", at("p1"), at("stage.nii.gz"), "--series", "arterial"]);
  const { image } = await readFiles(classes)({ id: "p1", image: [at("p1"), at("stage.nii.gz")], choices });
  expect([image.data[0], image.data.at(-1)! > 200]).toEqual([100, true]);
  await expect(readFiles(classes)({ id: "p1", image: [at("stage.nii.gz")], choices })).rejects.toThrow(/series/);
});

test("no choice is none, and of no paths there is none", () => {
  expect(casesOfPaths([at("p1/a1.dcm")], 1, undefined, [{ series: undefined } as object])).toHaveLength(1);
  expect(casesOfPaths([], 1, undefined, [{ series: "venous" }])).toEqual([]);
  expect(() => casesOfPaths([at("p1")], 1, undefined, { series: "venous" } as never)).toThrow(ConfigError);
  expect(() => casesOfPaths([at("p1/a1.dcm")], 1, undefined, [{ stack: 1 }])).toThrow(/leave --stack out/);
  expect(() => casesOfPaths([at("p1")], 1, undefined, [{ stack: "1" } as object])).toThrow(/stack/);
});

test("a folder that has all channels: a series for each", async () => {
  const choices = ["venous", "arterial"].map((one) => ({ series: one }));
  const cases = await casesOfNetwork([at("p*"), at("numbered/*_0001")], ["v", "a"], undefined, undefined, choices);
  const firsts = cases.map(async (item) => {
    const { image } = await readFiles(classes)(item);
    return [item.id, image.shape[0], image.data[0], image.data[image.data.length / 2]];
  });
  expect(await Promise.all(firsts)).toEqual([
    ["p1", 2, 100, 200],
    ["p2", 2, 100, 200],
    ["p_0001", 2, 100, 200],
  ]);
  await expect(casesOfNetwork([at("p1")], ["v", "a", "n"], undefined, undefined, choices)).rejects.toThrow(
    /2 series are chosen, but images have 3 channels/,
  );
  expect(seriesAsked({ series: ["venous", "arterial"] })).toEqual(choices);
  expect(() => seriesAsked({ series: ["venous", "arterial"], stack: "1" })).toThrow(
    /--stack is of one series, and --series is there 2 times/,
  );
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

test("a patient's folder is an image: slices in the only folder of them, and what is no image beside it", async () => {
  for (const [id, folder] of [
    ["q1", "CT"],
    ["q2", "a/b"],
  ])
    for (const instance of [1, 2, 3]) write(`patients/${id}/${folder}/${instance}.dcm`, series("1.8.1", "plan", 500, instance));
  const read = async () => {
    const cases = await casesOfNetwork([at("patients/q*")], ["CT"]);
    return Promise.all(cases.map(async (item) => [item.id, (await readFiles(classes)(item)).image.shape.at(-1)]));
  };
  const expected = [
    ["q1", 3],
    ["q2", 3],
  ];
  expect(await read()).toEqual(expected);
  const files = [
    await fileAt(at("patients/q1/CT/1.dcm")),
    await fileAt(at("patients/q1/CT/2.dcm")),
    await fileAt(at("patients/q1/CT/3.dcm")),
  ];
  const { shape, affine } = await readSeries(files);
  const labels = makeVolume({ data: new Uint8Array(18).fill(1), shape }, affine);
  writeFileSync(at("patients/q1/RS.dcm"), await writeDicomStructures(labels, { like: files, classes }));
  writeFileSync(at("patients/q2/SEG.dcm"), await writeDicomSegmentation(labels, { like: files, classes }));
  writeFileSync(at("patients/q2/report.txt"), "a word");
  expect(await read()).toEqual(expected);
  write("patients/q2/c/1.dcm", series("1.8.2", "scout", 0, 1));
  rmSync(at("patients/q2/SEG.dcm"));
  await expect(read()).rejects.toThrow(/q2: has no image/);
});

test("packed slices are slices, files of many frames are images", async () => {
  mkdirSync(at("packed"));
  for (const instance of [1, 2, 3])
    writeFileSync(at(`packed/${instance}.dcm.gz`), gzipSync(dicomSlice(series("1.6", "packed", 0, instance))));
  const [item, ...others] = await casesOfNetwork([at("packed")], ["CT"]);
  expect(others).toEqual([]);
  expect((await readFiles(classes)(item)).image.shape[3]).toBe(3);
  await expect(casesOfNetwork([at("packed/*.gz")], ["CT"])).rejects.toThrow(/1\.dcm\.gz is one of 3 slices/);
  mkdirSync(at("frames"));
  for (const [i, name] of ["a", "b"].entries())
    writeFileSync(
      at(`frames/${name}.dcm`),
      dicomFrames(
        [2, 2, 3],
        [
          [0x00080018, ["UI", `1.7.${i}`]],
          [0x00080016, ["UI", "1.2.840.10008.5.1.4.1.1.4.1"]],
          [0x52009230, ["SQ", [0, 1, 2].map((z) => frameGroups(z, 0))]],
        ],
      ),
    );
  expect(await casesOfNetwork([at("frames/*.dcm")], ["CT"])).toHaveLength(2);
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
  expect(training[0]).toMatchObject({ id: "p1", choices: [{ series: "venous" }] });
  expect(notes?.join()).not.toMatch(/series/);
  const stranger = [...classes, { name: "other", values: [200, 201, 202, 203, 204, 205] }];
  expect((await readFiles(stranger)(training[0])).image.data[0]).toBe(100);
  json({});
  const [item] = (await FolderData.open(dir)).index.training;
  await expect(readFiles(stranger)(item)).rejects.toThrow(/2 series are there/);
  json({ series: 3 });
  await expect(loadDataset(dir)).rejects.toThrow(/training\[0\]\.series is 3; expected the description or the UID/);
});

test("an object is of the series that was chosen, and described as asked, whatever lies before the slices", async () => {
  writeFileSync(at("p1/0_notes.txt"), "no slice");
  const cases = await casesOfNetwork([at("p1")], ["CT"], undefined, undefined, [{ series: "venous" }]);
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
  expect(() => seriesAsked({ series: ["venous"] }, "data")).toThrow(/dataset\.json says it/);
  expect(seriesAsked({}, "data")).toEqual([]);
  const call = await callCli(["predict", "--run", "r", "--description", "x", at("p1")]);
  expect(call.stderr).toMatch(/--description is of the series that --dicom writes/);
});
