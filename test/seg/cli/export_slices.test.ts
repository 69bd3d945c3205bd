/** @file Slices of datasets with voxels that nobody has labeled, and with several channels. */

import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { makeVolume, writeNifti } from "../../../src/data/index.ts";
import { readImageFile } from "../../../src/data/index.node.ts";
import { callCli } from "../../lib/call_cli.ts";
import { temporaryFolder } from "../../lib/tiny.ts";

const { folder, remove } = temporaryFolder();
afterAll(remove);

test("ignored voxels are no background, and several channels are told of", async () => {
  const data = join(folder, "data");
  for (const name of ["imagesTr", "labelsTr"]) mkdirSync(join(data, name), { recursive: true });
  const shape = [1, 2, 2, 1];
  const write = async (path: string, values: number[]) =>
    writeFileSync(join(data, path), await writeNifti(makeVolume({ data: Uint8Array.from(values), shape }), { gzip: true }));
  await write("imagesTr/a_0000.nii.gz", [1, 2, 3, 4]);
  await write("imagesTr/a_0001.nii.gz", [5, 6, 7, 8]);
  await write("labelsTr/a.nii.gz", [0, 5, 9, 5]);
  const labels = { background: 0, "lesion, large": 5, ignore: 9 };
  const json = { labels, channel_names: { 0: "T1", 1: "T2" }, numTraining: 1, file_ending: ".nii.gz" };
  writeFileSync(join(data, "dataset.json"), JSON.stringify(json));
  const out = join(folder, "out");
  const { stdout, stderr } = await callCli(["export-slices", "--data", data, "--out", out, "--views", "AXI"]);
  expect(stdout, stderr).toMatch(/of the 2 channels the slices show the first, T1/);
  expect(readFileSync(join(out, "classes.csv"), "utf8")).toBe('value,class\n0,background\n1,"lesion, large"\n255,ignore\n');
  const slices = join(out, "axial_labels");
  const gray = await readImageFile(join(slices, readdirSync(slices)[0]));
  expect([...gray.data].sort((a, b) => a - b)).toEqual([0, 1, 1, 255]);
});

test.each([
  ["export-slices", ["--views", "AXI"]],
  ["train", ["--recipe", "slices2d", "--fold", "all"]],
])("%s refuses cases whose files would be one on a disk that ignores case", async (command, more) => {
  const data = join(folder, `${command} alike`);
  for (const name of ["imagesTr", "labelsTr"])
    for (const part of ["", "/a"]) mkdirSync(join(data, `${name}${part}`), { recursive: true });
  const training = ["Case1", "a/case1"].map((id) => ({ image: `imagesTr/${id}.nii.gz`, label: `labelsTr/${id}.nii.gz` }));
  const volume = makeVolume({ data: new Uint8Array(4), shape: [1, 2, 2, 1] });
  for (const path of training.flatMap((entry) => Object.values(entry)))
    writeFileSync(join(data, path), await writeNifti(volume, { gzip: true }));
  const dataset = Object.fromEntries(training.map(({ image, label }, i) => [i ? "case1" : "Case1", { images: [image], label }]));
  const json = { labels: { background: 0, lesion: 1 }, channel_names: { 0: "T1" }, dataset, file_ending: ".nii.gz" };
  writeFileSync(join(data, "dataset.json"), JSON.stringify(json));
  const out = join(folder, `${command} apart`);
  const { code, stderr } = await callCli([command, "--data", data, "--out", out, ...more]);
  expect([code, stderr]).toEqual([1, expect.stringMatching(/"Case1" and "case1" differ in upper and lower case/)]);
  expect(readdirSync(folder)).not.toContain(`${command} apart`);
});
