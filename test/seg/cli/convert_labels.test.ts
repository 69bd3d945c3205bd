/** @file `voxgrad convert-labels`, `info` on structure sets, and predictions as DICOM objects. */

import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { makeVolume } from "../../../src/data/index.ts";
import { readSeriesFolder, writeImageFile } from "../../../src/data/index.node.ts";
import { readImageFile } from "../../../src/data/formats/images.node.ts";
import { casesWithout, predictCases } from "../../../src/seg/cli/predict_cases.node.ts";
import { folderStore } from "../../../src/seg/run/folder_store.node.ts";
import { callCli } from "../../lib/call_cli.ts";
import { dicomSlice } from "../../lib/dicom_file.ts";

let dir: string;
const at = (name: string) => join(dir, name);
const data = Uint8Array.from({ length: 24 }, (_, i) => [0, 1, 2, 2][(i * 7) % 4]);
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), "voxgrad-labels-"));
  mkdirSync(at("ct"));
  for (const instance of [1, 2, 3, 4])
    writeFileSync(at(`ct/${instance}.dcm`), dicomSlice({ instance, more: { 0x0020000d: ["UI", "1.2.8"] } }));
  const image = await readSeriesFolder(at("ct"));
  await writeImageFile(at("labels.nii.gz"), makeVolume({ data, shape: image.shape }, image.affine));
});
afterAll(() => rmSync(dir, { recursive: true }));

test.each([
  ["seg", "DICOM segmentation"],
  ["rtstruct", "RT structure set"],
])("there and back as %s", async (as, title) => {
  const [object, map] = [at(`${as}.dcm`), at(`${as}.nii.gz`)];
  const like = ["--like", at("ct")];
  const there = await callCli(["convert-labels", at("labels.nii.gz"), object, ...like, "--as", as, "--names", "liver, kidney"]);
  expect(there).toMatchObject({ stderr: "", stdout: `${object}: ${title}, liver, kidney\n` });
  const back = await callCli(["convert-labels", object, map, ...like]);
  expect(back.stdout).toBe(`${map}: 3 × 2 × 4 voxels, 2 structures\n  1  liver\n  2  kidney\n`);
  expect([...(await readImageFile(map)).data]).toEqual([...data]);
  const one = await callCli(["convert-labels", object, map, ...like, "--structures", "kidney", "--overwrite"]);
  expect(one.stdout).toContain("1  kidney");
  expect([...(await readImageFile(map)).data]).toEqual([...data].map((v) => Number(v === 2)));
});

test("structures have other names in other files, or are missing", async () => {
  const [object, map] = [at("named.dcm"), at("named.nii.gz")];
  await callCli(["convert-labels", at("labels.nii.gz"), object, "--like", at("ct"), "--names", "Liver,Kidney L"]);
  const names = ["--structures", "spleen, liver|Liver|LIVER,Kidney_L | Kidney L"];
  const call = ["convert-labels", object, map, "--like", at("ct"), ...names];
  expect((await callCli(call)).stderr).toMatch(/there is no structure "spleen"; there are Liver, Kidney L/);
  const { stdout } = await callCli([...call, "--missing", "empty"]);
  expect(stdout).toMatch(/^odd: there is no structure "spleen"[^]* 1 {2}spleen\n {2}2 {2}Liver\n {2}3 {2}Kidney L\n$/);
  expect([...(await readImageFile(map)).data]).toEqual([...data].map((v) => v && v + 1));
  expect((await callCli([...call, "--missing", "no", "--overwrite"])).stderr).toMatch(
    /unknown --missing "no"; known are error, empty/,
  );
});

test("a name without voxels is told of", async () => {
  const call = ["convert-labels", at("labels.nii.gz"), at("surplus.dcm"), "--like", at("ct"), "--names", "liver,kidney,spleen"];
  expect((await callCli(call)).stdout).toMatch(/^odd: no voxel is "spleen" \(3\), which is written empty\n/);
});

test("info lists the structures of a set", async () => {
  await callCli(["convert-labels", at("labels.nii.gz"), at("listed.dcm"), "--like", at("ct"), "--as", "rtstruct"]);
  const { stdout, code } = await callCli(["info", at("listed.dcm")]);
  expect(code ?? 0).toBe(0);
  expect(stdout).toMatch(/RT structure set of 2 structures: voxgrad convert-labels[^]*1 +label 1: \d+ contours?\n +2 +label 2: /);
});

test("info of a damaged set says what is wrong with it", async () => {
  await callCli(["convert-labels", at("labels.nii.gz"), at("whole.dcm"), "--like", at("ct"), "--as", "rtstruct"]);
  writeFileSync(at("cut.dcm"), readFileSync(at("whole.dcm")).subarray(0, -40));
  const { stderr, code } = await callCli(["info", at("cut.dcm")]);
  expect(code).toBe(1);
  expect(stderr).toMatch(/cut\.dcm: .*(end|behind|cut|bytes)/);
  expect(stderr).not.toMatch(/convert-labels/);
});

test("info lists the labels in a segmentation, and those that lie beside images", async () => {
  const [map, like] = [at("labels.nii.gz"), ["--like", at("ct"), "--names", "liver,kidney"]];
  cpSync(at("ct"), at("both"), { recursive: true });
  await callCli(["convert-labels", map, at("both/seg.dcm"), ...like]);
  await callCli(["convert-labels", map, at("both/rt.dcm"), ...like, "--as", "rtstruct"]);
  expect((await callCli(["info", at("both/seg.dcm")])).stdout).toContain("structures   DICOM segmentation: liver, kidney\n");
  const lines = (await callCli(["info", at("both")])).stdout.split("\n").map((line) => line.replace(dir, ""));
  expect(lines.filter((line) => line.startsWith("  structures  "))).toEqual([
    "  structures   RT structure set /both/rt.dcm: liver, kidney",
    "  structures   DICOM segmentation /both/seg.dcm: liver, kidney",
  ]);
  expect(lines.join()).toContain('a segmentation ("Segmentation") lies beside the image and is left out');
});

test("what does not go together is told", async () => {
  const failing = async (...args: string[]) => (await callCli(["convert-labels", ...args])).stderr;
  const map = at("labels.nii.gz");
  expect(await failing(map)).toMatch(/needs two paths/);
  expect(await failing(map, at("x.dcm"))).toMatch(/ConfigError: .*--like/);
  expect(await failing(map, at("x.dcm"), "--like", at("ct"), "--as", "sr")).toMatch(/unknown --as "sr"; known are seg, rtstruct/);
  expect(await failing(map, at("x.dcm"), "--like", at("ct"), "--structures", "a")).toMatch(
    /--structures is for label maps from DICOM/,
  );
  expect(await failing(at("seg.dcm"), at("x.nii.gz"), "--names", "a")).toMatch(/--names is for label maps to DICOM/);
  expect(await failing(at("rtstruct.dcm"), at("x.nii.gz"))).toMatch(/contours have no voxels of their own/);
  expect(await failing(map, at("x.dcm"), "--like", map)).toMatch(/FormatError/);
  expect(await failing(map, at("seg.dcm"), "--like", at("ct"))).toMatch(/exists; choose another name/);
  expect(await failing(map, at("x.dcm.gz"), "--like", at("ct"))).toMatch(/objects are not packed; let OUT end in \.dcm/);
  expect(await failing(map, at("x.dcm"), "--like", at("ct"), "--names", "a,")).toMatch(/--names a,: a name is empty/);
  const image = await readSeriesFolder(at("ct"));
  await writeImageFile(
    at("shares.nii.gz"),
    makeVolume({ data: Float32Array.from(data, (v) => v + 0.25), shape: image.shape }, image.affine),
  );
  expect(await failing(at("shares.nii.gz"), at("x.dcm"), "--like", at("ct"))).toMatch(
    /voxel 0 is 0\.25; labels are whole numbers/,
  );
  expect(readdirSync(dir)).not.toContain("x.dcm");
});

test("predictions are written as objects beside their maps, of DICOM images alone", async () => {
  const classes = [
    { name: "background", values: [0] },
    { name: "liver", values: [1] },
    { name: "kidney", values: [2] },
  ];
  const out = folderStore(at("out"));
  const results = { out, probabilities: false, dicom: { kind: "seg" } } as const;
  const cases = [{ id: "ct", image: [at("ct")] }];
  const image = await readSeriesFolder(at("ct"));
  const segment = async () => ({ id: "ct", source: { id: "ct", image }, labels: { data, shape: image.shape } });
  expect(await predictCases(cases, classes, results, segment)).toBe(0);
  expect(readdirSync(at("out")).sort()).toEqual(["ct.nii.gz", "ct.seg.dcm", "volumes.csv"]);
  await callCli(["convert-labels", at("out/ct.seg.dcm"), at("again.nii.gz"), "--like", at("ct")]);
  expect([...(await readImageFile(at("again.nii.gz"))).data]).toEqual([...data]);
  await expect(casesWithout(cases, classes, results, "refuse")).rejects.toThrow(/out.ct.nii.gz/);
  rmSync(at("out/ct.seg.dcm"));
  expect(await casesWithout(cases, classes, results, "skip")).toHaveLength(1);
  const others = [{ id: "labels", image: [at("labels.nii.gz")] }];
  await expect(predictCases(others, classes, results, segment)).rejects.toThrow(/--dicom writes objects of DICOM images/);
});

test("what keeps an object from being written is told before a case is segmented", async () => {
  mkdirSync(at("film"));
  for (const instance of [1, 2])
    writeFileSync(at(`film/${instance}.dcm`), dicomSlice({ instance, more: { 0x00200032: undefined } }));
  const segmented: string[] = [];
  const segment = async ({ id }: { readonly id: string }): Promise<never> => {
    segmented.push(id);
    throw new Error("not reached");
  };
  const classes = [
    { name: "background", values: [0] },
    { name: "liver", values: [1] },
  ];
  const results = { out: folderStore(at("out_film")), probabilities: false, dicom: { kind: "seg" } } as const;
  expect(await predictCases([{ id: "film", image: [at("film")] }], classes, results, segment)).toBe(1);
  expect(segmented).toEqual([]);
});
