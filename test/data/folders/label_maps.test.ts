/** @file The label maps of a folder by case: headers with their data and archives of probabilities are one case with the map, two maps are named. */

import { mkdirSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { labelMapsIn } from "../../../src/data/folders/label_maps.node.ts";
import { DataError } from "../../../src/host/errors.ts";
import { temporaryFolder } from "../../lib/tiny.ts";

const { folder, remove } = temporaryFolder();
beforeAll(() => mkdirSync(folder, { recursive: true }));
afterAll(remove);

function mapsOf(name: string, files: readonly string[]): string[] {
  const at = join(folder, name);
  mkdirSync(at);
  for (const file of files) writeFileSync(join(at, file), "");
  return [...labelMapsIn(at, "test")].map(([id, path]) => `${id} ${basename(path)}`).sort();
}

test("what nnU-Net writes with probabilities is one label map for each case", () => {
  const files = ["a.nii.gz", "a.npz", "a.pkl", "b.npz", "b.png", "dataset.json", ".hidden.nii", "plans.json"];
  expect(mapsOf("nnunet", files)).toEqual(["a a.nii.gz", "b b.png"]);
});

test("of hidden maps it is told, of what macOS hides not", () => {
  mapsOf("hidden", ["a.nii.gz", "._a.nii.gz", ".b.nii.gz"]);
  const said: string[] = [];
  expect([...labelMapsIn(join(folder, "hidden"), "test", (text) => said.push(text)).keys()]).toEqual(["a"]);
  expect(said).toEqual([expect.stringMatching(/hidden has a hidden image, \.b\.nii\.gz: left out/)]);
});

test("an archive alone, and a header with its data", () => {
  expect(mapsOf("others", ["a.npz", "b.hdr", "b.img"])).toEqual(["a a.npz", "b b.hdr"]);
});

test("two files of a case, and a folder that is not there", () => {
  expect(() => mapsOf("twice", ["a.nii", "a.nrrd"])).toThrow(/test: case "a" has two files: .*a\.nii, .*a\.nrrd/);
  expect(() => labelMapsIn(join(folder, "nowhere"), "test")).toThrow(DataError);
});
