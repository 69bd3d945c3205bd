/** @file What the command line says of files that are of another kind than a command wants, or not there: what is wrong and what to do. */

import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { device } from "../../lib/device.ts";
import { writeImageFile } from "../../../src/data/index.node.ts";
import { makeVolume } from "../../../src/data/index.ts";
import { Conv } from "../../../src/nn/index.ts";
import { exportOnnx } from "../../../src/onnx/index.ts";
import { shellWord } from "../../../src/seg/cli/command_line.node.ts";
import { callCli } from "../../lib/call_cli.ts";

const folder = mkdtempSync(join(tmpdir(), "voxgrad-messages-"));
const at = (...names: string[]): string => join(folder, ...names);
const said = async (...args: string[]): Promise<string> => (await callCli(args)).stderr;

beforeAll(async () => {
  const data = Uint8Array.from({ length: 125 }, (_, i) => Number([62, 63, 67].includes(i)));
  const map = makeVolume({ data, shape: [1, 5, 5, 5] });
  for (const name of ["labels.nrrd", "labels.nii.gz"]) await writeImageFile(at(name), map);
  mkdirSync(at("maps"));
  copyFileSync(at("labels.nii.gz"), at("maps", "a.nii.gz"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("a path in a command that is to be typed is one word", async () => {
  for (const path of ["runs/a-1", "/data/run_1.2", "C:\\runs\\a"]) expect(shellWord(path)).toBe(path);
  expect(shellWord("my runs/a")).toBe('"my runs/a"');
  writeFileSync(at("my model.pt"), "no image");
  expect(await said("info", at("my model.pt"))).toMatch(/voxgrad inspect ".*my model\.pt" lists/);
});

test("surface reads labels of every format, and names a picture as what it is", async () => {
  for (const name of ["labels.nrrd", "labels.nii.gz"])
    expect((await callCli(["surface", at(name), "--label", "1", "--out", at(`${name}.ply`)])).code).toBe(0);
  expect(readFileSync(at("labels.nrrd.ply"))).toEqual(readFileSync(at("labels.nii.gz.ply")));
  const jpeg = await said("surface", at("labels.nrrd"), "--label", "1", "--picture", at("surface.jpg"));
  expect(jpeg).toMatch(/^ConfigError: --picture writes a PNG, got .*surface\.jpg/m);
  expect(existsSync(at("surface.jpg"))).toBe(false);
});

test("prepare-luna names a list or a folder that cannot be read", async () => {
  writeFileSync(at("annotations.csv"), "seriesuid,coordX,coordY,coordZ,diameter_mm\n1.2.3,0,0,0,5\n");
  const list = await said("prepare-luna", folder, at("none.csv"), at("out"));
  expect(list).toMatch(/^FormatError: prepareLuna: cannot read .*none\.csv: ENOENT/m);
  const scans = await said("prepare-luna", at("none"), at("annotations.csv"), at("out"));
  expect(scans).toMatch(/^FormatError: prepareLuna: cannot read .*none: ENOENT/m);
});

test("evaluate says all that it can be given, and why a folder cannot be read", async () => {
  expect(await said("evaluate")).toMatch(/or --reference DIR with --prediction DIR/);
  const found = (path: string) => said("evaluate", "--reference", path, "--prediction", at("maps"));
  expect(await found(at("none"))).toMatch(/the folder .*none cannot be read: ENOENT: no such/);
  expect(await found(at("labels.nrrd"))).toMatch(/the folder .*labels\.nrrd cannot be read: ENOTDIR: not a directory/);
});

test("info of a model of one file, and of weights", async () => {
  const dev = await device();
  const model = new Conv(dev, { spatialDims: 2, inChannels: 1, outChannels: 2, kernelSize: 3, padding: 1 });
  writeFileSync(at("net.onnx"), await exportOnnx(model, [1, 1, 16, 16]));
  expect((await callCli(["info", at("net.onnx")])).stdout).toMatch(/net\.onnx\n +model +ONNX, 20 parameters/);
  writeFileSync(at("net.pt"), "");
  expect(await said("info", at("net.pt"))).toMatch(/^FormatError: .*net\.pt is a file of weights.*voxgrad inspect/m);
});
