/** @file No command replaces a file that it was not asked to replace, nor what it reads. */

import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { makeVolume, writeNifti } from "../../../src/data/index.ts";
import { writeSafetensors } from "../../../src/weights/index.ts";
import { callCli } from "../../lib/call_cli.ts";
import { writeTinyDataset } from "../../lib/tiny.ts";

const folder = mkdtempSync(join(tmpdir(), "voxgrad-outputs-"));
const at = (...names: string[]): string => join(folder, ...names);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Runs a command that would replace `file`: it is refused, and replaces it when it is asked to. */
async function refuses(file: string, args: readonly string[]): Promise<void> {
  writeFileSync(file, "precious");
  expect((await callCli(args)).stderr).toMatch(/^ConfigError: .* exists; choose another name, or replace it with --overwrite/m);
  expect(readFileSync(file, "utf8")).toBe("precious");
  expect(await callCli([...args, "--overwrite"])).not.toMatchObject({ code: 1 });
  expect(readFileSync(file, "utf8")).not.toBe("precious");
}

test("convert", async () => {
  const weights = writeSafetensors(new Map([["w", { data: Float32Array.of(1, 2), shape: [2], dtype: "F32" }]]));
  writeFileSync(at("in.safetensors"), weights);
  await refuses(at("out.safetensors"), ["convert", at("in.safetensors"), at("out.safetensors")]);
  const own = ["convert", at("in.safetensors"), at("in.safetensors"), "--overwrite", "--dtype", "f16"];
  expect((await callCli(own)).stderr).toMatch(/^ConfigError: .* is the input/m);
  expect(readFileSync(at("in.safetensors"))).toEqual(Buffer.from(weights));
  await callCli(["convert", at("in.safetensors"), at("new", "folder", "out.safetensors")]);
  expect(readFileSync(at("new", "folder", "out.safetensors"))).toEqual(readFileSync(at("out.safetensors")));
});

test("evaluate", async () => {
  for (const name of ["truth", "found", "scores"]) mkdirSync(at(name));
  const map = await writeNifti(makeVolume({ data: Uint8Array.of(1, 0, 1, 1), shape: [1, 2, 2, 1] }));
  for (const name of ["truth", "found"]) writeFileSync(at(name, "a.nii"), map);
  const args = ["evaluate", "--reference", at("truth"), "--prediction", at("found"), "--metrics", "dice"];
  await refuses(at("scores", "evaluation.json"), [...args, "--out", at("scores")]);
  rmSync(at("scores"), { recursive: true });
  await callCli([...args, "--out", at("scores")]);
  await refuses(at("scores", "dice.svg"), [...args, "--out", at("scores")]);
  writeFileSync(at("file"), "");
  expect((await callCli([...args, "--out", at("file")])).stderr).toMatch(/^ConfigError: cannot write into .*file is a file/m);
});

test("export-slices", async () => {
  await writeTinyDataset(at("data"));
  const args = ["export-slices", "--data", at("data"), "--out", at("png"), "--views", "AXI"];
  expect((await callCli(args)).stdout).toMatch(/slices of \d+ cases in/);
  const slice = at("png", "axial_images", readdirSync(at("png", "axial_images"))[0]);
  writeFileSync(slice, "precious");
  rmSync(at("png", "classes.csv")); // a folder of slices alone is no place for others
  expect((await callCli(args)).stderr).toMatch(/^ConfigError: .*axial_images exists; choose another name/m);
  expect(readFileSync(slice, "utf8")).toBe("precious");
  await callCli([...args, "--overwrite"]);
  expect(readFileSync(slice, "utf8")).not.toBe("precious");
});
