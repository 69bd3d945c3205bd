/** @file `voxgrad info` and `convert-image` on folders: DICOM series, a model. */

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readImageFile } from "../../../src/data/formats/images.node.ts";
import { callCli } from "../../lib/call_cli.ts";
import { dicomSlice, type Elements, type SliceOptions } from "../../lib/dicom_file.ts";

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), "voxgrad-series-"));
  const sideways = [0, 1, 0, 0, 0, -1];
  const named = (series: string, description: string): SliceOptions => ({ series, more: { 0x0008103e: ["LO", description] } });
  write(
    "patient/a",
    [1, 2, 3].map((instance) => ({ ...named("1.2.31", "axial"), instance })),
  );
  write("patient/b", [
    ...[1, 2].map((instance) => ({ ...named("1.2.32", "scouts"), instance })),
    { ...named("1.2.32", "scouts"), instance: 3, orientation: sideways },
  ]);
});
afterAll(() => rmSync(dir, { recursive: true }));

function write(folder: string, slices: readonly SliceOptions[]): void {
  mkdirSync(join(dir, folder), { recursive: true });
  slices.forEach((slice, i) => writeFileSync(join(dir, folder, `IM${i}`), dicomSlice(slice)));
}

test("the series in the folders of a folder are listed", async () => {
  const { stdout, code } = await callCli(["info", join(dir, "patient")]);
  expect(code ?? 0).toBe(0);
  const lines = stdout.split("\n").filter((l) => l.startsWith("  series"));
  expect(lines.map((l) => l.replace(/ +/g, " ").replace(dir, ""))).toEqual([
    ' series 1.2.31: "axial", MR, patient "patient 1", 3 slices of 3×2, in /patient/a',
    ' series 1.2.32: "scouts", MR, patient "patient 1", 2 slices of 3×2 --stack 0, in /patient/b',
    ' series 1.2.32: "scouts", MR, patient "patient 1", 1 slice of 3×2 --stack 1, in /patient/b',
  ]);
});

test("the only series below a folder is described, and one of several by its description, the beginning of its UID, its stack", async () => {
  expect((await callCli(["info", join(dir, "patient/a")])).stdout).toMatch(/size +3 × 2 × 3 voxels/);
  expect((await callCli(["info", join(dir, "patient"), "--series", "axial"])).stdout).toMatch(/size +3 × 2 × 3 voxels/);
  const scouts = ["info", join(dir, "patient"), "--series", "1.2.32"];
  expect((await callCli([...scouts, "--stack", "1"])).stdout).toMatch(/size +3 × 2 × 1 voxels/);
  expect(await callCli(scouts)).toMatchObject({ code: 1, stderr: expect.stringMatching(/the series has 2 stacks; choose one/) });
  expect(await callCli([...scouts, "--stack", "b"])).toMatchObject({ code: 1, stderr: expect.stringMatching(/--stack is "b"/) });
  const out = join(dir, "out.nii");
  await callCli(["convert-image", join(dir, "patient"), out, "--series", "1.2.32", "--stack", "0"]);
  expect((await readImageFile(out)).shape).toEqual([1, 3, 2, 2]);
});

test("--series of a file that has none of it, or another, is an error", async () => {
  const wrong = await callCli(["info", join(dir, "patient/a/IM0"), "--series", "scouts"]);
  expect(wrong).toMatchObject({ code: 1, stderr: expect.stringMatching(/no series is the one that is asked for[^]*"axial"/) });
  write("one", [{}]);
  await callCli(["convert-image", join(dir, "one"), join(dir, "one.nii")]);
  const nifti = await callCli(["info", join(dir, "one.nii"), "--series", "axial"]);
  expect(nifti).toMatchObject({ code: 1, stderr: expect.stringMatching(/is NIfTI, of which there is no series to choose/) });
});

test("the stacks in one file are listed", async () => {
  const plane = (z: number, turned: boolean): Elements =>
    new Map([
      [0x00209113, ["SQ", [new Map([[0x00200032, ["DS", `0\\0\\${z}`] as const]])]]],
      [0x00209116, ["SQ", [new Map([[0x00200037, ["DS", turned ? "0\\1\\0\\0\\0\\-1" : "1\\0\\0\\0\\1\\0"] as const]])]]],
    ]);
  const more = {
    0x00200032: undefined,
    0x00200037: undefined,
    0x00280008: ["IS", "3"],
    0x52009230: ["SQ", [plane(0, false), plane(4, false), plane(0, true)]],
  } as const;
  write("enhanced", [{ pixels: Array.from({ length: 18 }, (_, i) => i), more }]);
  const { stdout } = await callCli(["info", join(dir, "enhanced/IM0")]);
  expect(stdout).toMatch(/2 slices of 3×2 --stack 0\n[^]*1 slice of 3×2 --stack 1\n/);
  expect((await callCli(["info", join(dir, "enhanced/IM0"), "--stack", "0"])).stdout).toMatch(/size +3 × 2 × 2 voxels/);
});

test("info of a results folder of nnU-Net, which has the dataset.json of what it was trained on", async () => {
  const { stdout, code } = await callCli(["info", fileURLToPath(new URL("../../fixtures/nnunet_folder", import.meta.url))]);
  expect(code).toBeFalsy();
  expect(stdout).toMatch(/model +nnU-Net 3d_fullres, 2 folds\n +channels +CT, .*\n +labels +\S.* \(.*\)/);
});
