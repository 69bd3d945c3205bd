/** @file Images of any format on a command line are cases; a pair is one, and a folder of slices too. */

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { casesOfNetwork, casesOfPaths, expectFreeOutputs, expectOtherFolder } from "../../../src/seg/run/inputs.node.ts";
import { ConfigError, DataError } from "../../../src/host/errors.ts";

const dir = mkdtempSync(join(tmpdir(), "voxgrad-inputs-"));
afterAll(() => rmSync(dir, { recursive: true }));

function folder(name: string, files: readonly string[]): string {
  const path = join(dir, name);
  mkdirSync(path, { recursive: true });
  for (const file of files) writeFileSync(join(path, file), "");
  return path;
}

test("each image of a folder, a pair once, data of headers not at all", () => {
  const path = folder("mixed", ["a.nii.gz", "b.nrrd", "c.hdr", "c.img", "d.mhd", "d.raw", "e.mgz", "notes.txt", ".hidden.nii"]);
  expect(casesOfPaths([path], 1)).toEqual(
    ["a.nii.gz", "b.nrrd", "c.hdr", "d.mhd", "e.mgz"].map((f) => ({ id: f[0], image: [join(path, f)] })),
  );
});

test("hidden images are left out with a word, what macOS hides without", () => {
  const told = (name: string, ...files: string[]) => {
    const said: string[] = [];
    const path = folder(name, files);
    return { cases: casesOfPaths([path], 1, (text) => said.push(text.replace(path, "DIR"))).map((c) => c.id), said };
  };
  const rest = ": left out; a name without the dot in front has it read";
  expect(told("hidden one", "a.nii", ".b.nii.gz")).toEqual({ cases: ["a"], said: [`DIR has a hidden image, .b.nii.gz${rest}`] });
  expect(told("hidden two", "a.nii", ".b.nii", ".c.mha").said).toEqual([`DIR has 2 hidden images, .b.nii …${rest}`]);
  expect(told("of macOS", "a.nii", "._a.nii", ".DS_Store", ".gitignore").said).toEqual([]);
  expect(() => told("hidden all", ".b.nii")).toThrow(/has a hidden image, \.b\.nii: left out/);
});

test("channels of any format", () => {
  const path = folder("channels", ["p_0000.mha", "p_0001.mha"]);
  expect(casesOfPaths([path], 2)).toEqual([{ id: "p", image: ["p_0000.mha", "p_0001.mha"].map((f) => join(path, f)) }]);
});

test("a file that is given twice, by a pattern and its folder or by two ways of writing it, counts once", () => {
  const path = folder("twice", ["p_0000.mha", "p_0001.mha"]);
  const once = casesOfPaths([path], 2);
  expect(casesOfPaths([join(path, "*.mha"), path], 2)).toEqual(once);
  const [a, b] = [join(path, "p_0000.mha"), `${path}/../twice/p_0000.mha`];
  expect(casesOfPaths([a, b, a], 1)).toEqual([{ id: "p", image: [a] }]);
});

test("a photograph has its colors in one file; one of several channels is refused", () => {
  const photographs = folder("photographs", ["p_0000.png", "q_0000.png"]);
  expect(casesOfPaths([photographs], 3)).toEqual(["p", "q"].map((id) => ({ id, image: [join(photographs, `${id}_0000.png`)] })));
  expect(() => casesOfPaths([folder("lone", ["p_0000.mha"])], 2)).toThrow("1 of 2 channels");
});

test("a folder of slices is one case, one without images an error", () => {
  const slices = folder("series", ["1.dcm", "2.dcm"]);
  expect(casesOfPaths([slices], 1)).toEqual([{ id: "series", image: [slices] }]);
  expect(() => casesOfPaths([folder("none", ["notes.txt"])], 1)).toThrow(DataError);
});

test("no two results are one file, whatever they are named after", () => {
  const cases = ["a", "a_probabilities"].map((id) => ({ id, image: [`in/${id}.nii.gz`] }));
  const outputs = (id: string) => [`out/${id}.nii.gz`, `out/${id}_probabilities.nii.gz`];
  expect(() => expectFreeOutputs(cases, outputs, true)).toThrow(
    /out\/a_probabilities\.nii\.gz would be a result of in\/a\.nii\.gz and of in\/a_probabilities\.nii\.gz/,
  );
  expectFreeOutputs(cases, (id) => `out/${id}.nii.gz`, false);
});

test("names that some disks take for one are told apart by their folders, or refused before anything is written", () => {
  const [a, b] = [folder("letters/a", ["T1.nii.gz"]), folder("letters/b", ["t1.nii.gz"])];
  expect(casesOfPaths([a, b], 1).map((c) => c.id)).toEqual(["a", "b"]);
  const outputs = (id: string) => [`out/${id}.nii.gz`, `out/${id}_probabilities.nii.gz`];
  for (const names of [
    ["Case1", "case1"],
    ["Jos\u00e9", "Jose\u0301"],
  ]) {
    const cases = casesOfPaths(
      names.map((name, i) => join(folder(`letters/${i}`, [`${name}.nii`]), `${name}.nii`)),
      1,
    );
    expect(cases.map((c) => c.id)).toEqual(["0", "1"]);
    const alike = names.map((id) => ({ id, image: [`in/${id}.nii`] }));
    expect(() => expectFreeOutputs(alike, outputs, true)).toThrow(/have one name but for upper and lower case or accents/);
  }
  const mixed = ["a", "A_probabilities"].map((id) => ({ id, image: [`in/${id}.nii.gz`] }));
  expect(() => expectFreeOutputs(mixed, outputs, true)).toThrow(/would be a result of/);
});

test("the second stage of a cascade without what the first one found is told what to give", async () => {
  const path = folder("stage", ["p_0000.nii.gz"]);
  await expect(casesOfNetwork([path], ["MRI", "label map of 3d_lowres"])).rejects.toThrow(
    /1 of 2 channels.*give its folder as --previous/,
  );
  await expect(casesOfNetwork([path], ["MRI", "T2"])).rejects.toThrow(/1 of 2 channels: p_0000\.nii\.gz$/);
});

test("a file is no folder for results", () => {
  const path = folder("results", ["file", "p.nii.gz"]);
  const cases = [{ id: "p", image: [join(path, "p.nii.gz")] }];
  expect(() => expectFreeOutputs(cases, (id) => join(path, "file", `${id}.nii.gz`), true)).toThrow(ConfigError);
  expect(() => expectFreeOutputs(cases, (id) => join(path, "new", `${id}.nii.gz`), false)).not.toThrow();
});

test("what is not there is said at once; cases of one name are called by their folders, or by folder and name", () => {
  expect(() => casesOfPaths(["/nowhere/p.nii.gz"], 1)).toThrow("/nowhere/p.nii.gz does not exist");
  const [a, b] = [folder("patients/a", ["t1.nii.gz"]), folder("patients/b", ["t1.nii.gz", "t2.nii.gz"])];
  const ids = (paths: readonly string[]) => casesOfPaths(paths, 1).map((c) => c.id);
  expect(ids([a, join(b, "t1.nii.gz")])).toEqual(["a", "b"]);
  expect(ids([a, b])).toEqual(["a_t1", "b_t1", "b_t2"]);
  expect(ids([b])).toEqual(["t1", "t2"]);
  expect(() => casesOfPaths([join(a, "..")], 1)).toThrow(
    /has no image.*give a pattern, such as ".*\*.*\*\.nii\.gz", or ".*\*" where each is a DICOM series/,
  );
});

test("a name of a result that no disk takes is refused before the work", () => {
  const path = folder("long", []);
  const named = (id: string) => () => expectFreeOutputs([{ id, image: ["p"] }], (i) => join(path, `${i}.nii.gz`), false);
  expect(named("x".repeat(248))).not.toThrow();
  expect(named("x".repeat(249))).toThrow(/has 256 bytes, of which disks take 255/);
  expect(named("数".repeat(83))).toThrow(ConfigError);
});

test("results go into no folder whose images were asked for by the folder or a pattern", () => {
  const channels = folder("channels", ["c_0000.mha", "c_0001.mha"]);
  const [file] = casesOfPaths([channels], 2)[0].image;
  for (const paths of [
    [channels],
    [`${channels}/`],
    [join(channels, "*.mha")],
    [file, join(channels, "..", "channels")],
    [`${channels.slice(0, -1)}*`],
  ])
    expect(() => expectOtherFolder(paths, channels, ["c.mha"])).toThrow(/is the folder of the images.*another --out$/);
  expect(() => expectOtherFolder([channels], join(channels, "out"), ["c.mha"])).not.toThrow();
  expect(() => expectOtherFolder([file], channels, ["c.mha"])).not.toThrow();
});

test("results may lie beside images whose pattern they do not match", () => {
  const path = folder("patterns", ["a_t1.nii", "b_t1.nii", "c_t2.nii"]);
  const checked =
    (pattern: string, ...results: string[]) =>
    () =>
      expectOtherFolder(
        [join(path, pattern)],
        path,
        results.map((name) => join(path, name)),
      );
  expect(checked("*.nii", "a_t1.nii.gz", "a_t1_probabilities.nii.gz")).not.toThrow();
  expect(checked("?_t1.nii", "a_t1.nii.gz")).not.toThrow();
  expect(checked("{a,b}_t1.nii", "a_t1.nii.gz")).not.toThrow();
  for (const pattern of ["*.nii*", "*_t1*", "**", "{a_t1,b_t1}.nii*", "[ab]_*"])
    expect(checked(pattern, "a_t1.nii.gz"), pattern).toThrow(/is the folder of the images/);
  // One of several results is enough.
  expect(checked("*_t[1-9]*", "x.nii.gz", "a_t1.nii.gz")).toThrow(/is the folder of the images/);
  // Alternatives may have folders in them, and each counts for where it leads.
  const [other] = casesOfPaths([folder("elsewhere", ["a_t1.nii.gz"])], 1)[0].image;
  expect(checked("../{patterns/a_t1,patterns/b_t1}.nii", "a_t1.nii.gz")).not.toThrow();
  expect(checked(`../{patterns/{a,b}_t1.nii,elsewhere/${basename(other)}}`, "a_t1.nii.gz")).not.toThrow();
  expect(checked("../{patterns/a_t1,patterns/b_t1}.nii*", "a_t1.nii.gz")).toThrow(/is the folder of the images/);
  expect(checked("../{elsewhere,patterns}/{a,b}_t1*", "a_t1.nii.gz")).toThrow(/is the folder of the images/);
});
