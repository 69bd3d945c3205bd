/** @file `voxgrad evaluate` of two folders: pairs by name, what is missing, what is refused, what is written. */

import { mkdtemp, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { writeNiftiFile } from "../../../src/data/formats/nifti/nifti.node.ts";
import { readImageFile, writeImageFile } from "../../../src/data/formats/images.node.ts";
import { makeVolume } from "../../../src/data/volume.ts";
import { ConfigError, DataError, ShapeError } from "../../../src/host/errors.ts";
import { classesOf, compareFolders, writeComparison } from "../../../src/seg/cli/compare_folders.node.ts";

let folder: string;
const at = (name: string): string => join(folder, name);

/** A label map of 1×2×4 voxels of 1×1×2 mm. */
async function write(file: string, values: readonly number[], offset = 0): Promise<void> {
  const affine = [
    [1, 0, 0, offset],
    [0, 1, 0, 0],
    [0, 0, 2, 0],
    [0, 0, 0, 1],
  ];
  await writeNiftiFile(at(file), makeVolume({ data: Uint8Array.from(values), shape: [1, 1, 2, values.length / 2] }, affine));
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "voxgrad-compare-"));
  for (const name of ["truth", "found", "shifted", "other", "small"]) await mkdir(at(name));
  await write("truth/a.nii.gz", [1, 1, 0, 2, 0, 0, 0, 2]);
  await write("truth/b.nii.gz", [1, 0, 0, 0, 1, 0, 9, 0]);
  await write("found/a.nii", [1, 0, 0, 2, 0, 0, 0, 2]);
  await write("found/c.nii.gz", [0, 0, 0, 0, 0, 0, 0, 0]);
  await write("shifted/a.nii.gz", [1, 1, 0, 2, 0, 0, 0, 2], 40);
  await write("small/a.nii.gz", [1, 1, 0, 2]);
  await write("other/z.nii.gz", [1, 1, 0, 2]);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const compare = (prediction: string, more: object = {}) =>
  compareFolders({ reference: at("truth"), prediction: at(prediction), metrics: "dice,hd", ...more });

describe("compareFolders", () => {
  it("scores every value of the references; a missing prediction counts as empty", async () => {
    const found = await compare("found", { ignore: "9" });
    expect([found.classes, found.missingCases, found.surplus]).toEqual([["1", "2"], ["b"], ["c"]]);
    expect(found.cases.map((c) => c.scores)).toEqual([
      [
        [2 / 3, 2],
        [1, 0],
      ],
      [
        [0, Infinity],
        [NaN, NaN],
      ],
    ]);
    expect((await compare("found", { missing: "skip" })).cases.map((c) => c.id)).toEqual(["a"]);
  });

  it("tells of label values that no reference has, and of every pair that does not go together", async () => {
    await mkdir(at("strange"));
    await write("strange/a.nii.gz", [1, 7, 0, 2, 0, 0, 0, 9]);
    const warnings: string[] = [];
    await compareFolders({ reference: at("truth"), prediction: at("strange"), metrics: "dice" }, warnings);
    expect(warnings).toEqual([expect.stringMatching(/^warning: .* value 7, .*: a$/)]);
    await write("strange/a.nii.gz", [1, 1, 0, 2]);
    await write("strange/b.nii.gz", [1, 0, 0, 0, 1, 0, 9, 0], 40);
    await expect(compare("strange")).rejects.toThrow(
      /2 predictions do not go with .*\n.*a\.nii\.gz has the shape[^]*b\.nii\.gz: /,
    );
  });

  it("tells of a class that no map has, whose scores may be perfect", async () => {
    const warnings: string[] = [];
    const asked = { reference: at("truth"), prediction: at("found"), metrics: "dice", labels: "1,tumor=5+6", empty: "best" };
    const { cases } = await compareFolders(asked, warnings);
    expect(cases.map((c) => c.scores[1])).toEqual([[1], [1]]);
    expect(warnings.filter((line) => line.includes("tumor"))).toEqual([
      expect.stringMatching(/no prediction has the class tumor \(5, 6\)/),
    ]);
    expect(warnings.filter((line) => line.includes("class 1"))).toEqual([]);
  });

  it("looks at the headers of all pairs before it scores the first", async () => {
    await mkdir(at("last"));
    // Its values are no labels, which is seen only when it is read.
    const image = { data: Float32Array.of(1, 0.5, 0, 2, 0, 0, 0, 2), shape: [1, 1, 2, 4] };
    await writeNiftiFile(at("last/a.nii.gz"), makeVolume(image, (await readImageFile(at("truth/a.nii.gz"))).affine));
    await write("last/b.nii.gz", [1, 0, 0, 0, 1, 0, 9, 0], 40);
    await expect(compare("last")).rejects.toThrow(/last\/b\.nii\.gz: .* voxels from/);
  });

  it("refuses labels that contradict each other, and lists files that cannot be read among the pairs that are wrong", async () => {
    expect(() => classesOf("1,2,1")).toThrow('"1" twice');
    await expect(compare("found", { labels: "1", ignore: "1" })).rejects.toThrow(/--ignore 1 .*--labels 1/);
    expect((await compare("found", { metrics: "dice,dice" })).metrics.length).toBe(1);
    await mkdir(at("cut"));
    await writeFile(at("cut/a.nii.gz"), "no image");
    await write("cut/b.nii.gz", [1, 0, 0, 0, 1, 0, 9, 0], 40);
    await expect(compare("cut")).rejects.toThrow(/2 predictions do not go with .*\n.*a\.nii\.gz[^]*b\.nii\.gz: /);
  });

  it("refuses maps whose values are no labels", async () => {
    const image = makeVolume({ data: Float32Array.of(1, 0.5, 0, 2, 0, 0, 0, 2), shape: [1, 1, 2, 4] }, [
      [1, 0, 0, 0],
      [0, 1, 0, 0],
      [0, 0, 2, 0],
      [0, 0, 0, 1],
    ]);
    await mkdir(at("image"));
    for (const value of [0.5, NaN]) {
      image.data[1] = value;
      await writeNiftiFile(at("image/a.nii.gz"), image);
      await expect(compare("image")).rejects.toThrow(`image/a.nii.gz: voxel value ${value} is no label`);
    }
    // Rounding in a tool that computes in floats is none.
    image.data[1] = 0.9999;
    await writeNiftiFile(at("image/a.nii.gz"), image);
    expect((await compare("image", { labels: "1", metrics: "dice" })).cases[0].scores).toEqual([[1]]);
  });

  it("scores regions, with another voxel size", async () => {
    const found = await compare("found", { labels: "all=1+2", spacing: "1,1,5", missing: "skip" });
    expect(found.cases[0].scores).toEqual([[6 / 7, 5]]);
    expect(classesOf("3,tumor=1+2")).toEqual([
      { name: "3", values: [3] },
      { name: "tumor", values: [1, 2] },
    ]);
  });

  it("reads every format, and one map of a header with its data", async () => {
    for (const name of ["formats", "pairs"]) await mkdir(at(name));
    await writeImageFile(at("formats/a.mha"), await readImageFile(at("truth/a.nii.gz")));
    await writeImageFile(at("formats/b.nrrd"), await readImageFile(at("truth/b.nii.gz")));
    const found = await compare("formats", { ignore: "9", labels: "1" });
    expect(found.cases.map((c) => [c.id, c.scores[0][0]])).toEqual([
      ["a", 1],
      ["b", 1],
    ]);
    await writeImageFile(at("pairs/a.hdr"), await readImageFile(at("truth/a.nii.gz")));
    expect((await readdir(at("pairs"))).sort()).toEqual(["a.hdr", "a.img"]);
    expect((await compare("pairs", { reference: at("pairs") })).cases.map((c) => c.scores[0][0])).toEqual([1]);
  });

  it("refuses grids that differ, and folders and options that make no sense", async () => {
    await expect(compare("shifted")).rejects.toThrow(DataError);
    await expect(compare("small")).rejects.toThrow(ShapeError);
    await expect(compare("other")).rejects.toThrow(/no file of .* has the name of one of/);
    await expect(compare("nowhere")).rejects.toThrow(DataError);
    await expect(compare("found", { metrics: "dice,hd96" })).rejects.toThrow(/no metric "hd96"/);
    await expect(compare("found", { labels: "one" })).rejects.toThrow(ConfigError);
    await expect(compare("found", { empty: "zero" })).rejects.toThrow(/--empty is one of nan, skip, best, got "zero"/);
    await expect(compare("found", { spacing: "1,1" })).rejects.toThrow(ConfigError);
    await expect(compare("found", { tolerance: "-1" })).rejects.toThrow(ConfigError);
  });

  it("writes JSON, CSV, a table and box plots", async () => {
    await writeComparison(at("out"), await compare("found"));
    expect((await readdir(at("out"))).sort()).toEqual([
      "dice.svg",
      "evaluation.csv",
      "evaluation.json",
      "evaluation.txt",
      "hd.svg",
    ]);
    expect(await readFile(at("out/dice.svg"), "utf8")).toMatch(/^<svg [^]*<rect [^]*<\/svg>\n$/);
    expect((await readFile(at("out/evaluation.csv"), "utf8")).split("\n")[0]).toBe("case,class,prediction,dice,hd");
  });
});
