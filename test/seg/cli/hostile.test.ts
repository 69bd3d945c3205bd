/** @file Bad arguments, datasets and images at the command line: one typed error that names its cause. A few run in processes of their own, where workers, drivers and exit codes are real. */

import { existsSync, rmSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { encodeNifti } from "../../../src/data/formats/nifti/nifti.ts";
import { makeVolume } from "../../../src/data/volume.ts";
import { callCli } from "../../lib/call_cli.ts";
import {
  data,
  edit,
  editVolume,
  expectFailure,
  image,
  label,
  nothing,
  out,
  prepare,
  restore,
  testRows,
  trainArgs,
  twice,
} from "../../lib/damaged.ts";
import { runCli } from "../../lib/tiny.ts";

prepare({ train: false });

testRows([
  // Command lines
  [
    "an unknown command",
    nothing,
    ["trian"],
    "ConfigError",
    /unknown command "trian"; did you mean train\? known are train, predict/,
  ],
  [
    "an unknown option",
    nothing,
    [...trainArgs, "--epoch", "3"],
    "ConfigError",
    /Unknown option '--epoch'; did you mean --epochs\? known are .*--epochs/,
  ],
  ["an option without its value", nothing, ["train", "--data"], "ConfigError", /'--data/],
  ["a negative number", nothing, [...trainArgs, "--lr", "-1"], "ConfigError", /'--lr/],
  ["a learning rate below 0", nothing, [...trainArgs, "--lr=-1"], "ConfigError", /lr must be a positive number, got -1/],
  [
    "epochs that are no number",
    nothing,
    [...trainArgs, "--epochs", "abc"],
    "ConfigError",
    /--epochs must be a positive integer, got "abc"/,
  ],
  ["half an epoch", nothing, [...trainArgs, "--epochs", "1.5"], "ConfigError", /epochs must be a positive integer, got 1.5/],
  ["no data", nothing, ["train"], "ConfigError", /train needs --data DIR/],
  ["data that are not there", nothing, ["train", "--data", "/nonexist"], "FormatError", /\/nonexist does not exist/],
  [
    "an output behind a link to nowhere",
    () => symlinkSync("/nonexist/disk", out),
    [...trainArgs, "--out", join(out, "run")],
    "ConfigError",
    /out is a link to what is not there, such as a disk that is not mounted/,
  ],
  [
    "a file in place of a dataset's folder",
    nothing,
    ["train", "--data", join(data, "dataset.json")],
    "FormatError",
    /dataset\.json is a file; give the folder/,
  ],
  [
    "a surface of intensities",
    nothing,
    ["surface", image, "--label", "1", "--out", join(out, "m.stl")],
    "DataError",
    /holds 0\.\d+, which is no class number; of a probability give --level/,
  ],
  [
    "a fold of files",
    nothing,
    ["predict", "--run", out, "--fold", "0", image],
    "ConfigError",
    /files and folders of images have no folds/,
  ],
  [
    "a patch that the strides do not divide",
    nothing,
    [...trainArgs, "--patch-size", "16,15"],
    "ConfigError",
    /patchSize \[16,15\] must be multiples of 2/,
  ],
  ["a fold that does not exist", nothing, [...trainArgs, "--fold", "7"], "ConfigError", /fold.*7/],
  ["a run's folder that is a file", () => writeFileSync(out, ""), trainArgs, "ConfigError", /cannot write into .*out is a file/],
  [
    "weights that no device holds",
    nothing,
    [...trainArgs, "--channels", "100000,200000"],
    "TensorTooLargeError",
    /maxBufferSize/,
  ],
  ["an option that is empty", nothing, [...trainArgs, "--out", ""], "ConfigError", /--out is empty/],
  ["nothing to evaluate", nothing, ["evaluate"], "ConfigError", /needs --run DIR/],
  // Datasets
  ["no dataset.json", () => rmSync(join(data, "dataset.json")), trainArgs, "FormatError", /cannot read .*dataset\.json/],
  [
    "a dataset.json cut short",
    () => truncateSync(join(data, "dataset.json"), 40),
    trainArgs,
    "FormatError",
    /dataset\.json is not JSON/,
  ],
  [
    "a dataset.json that names a file outside",
    () => edit(join(data, "dataset.json"), (d) => (d.training[0].image = "../good/imagesTr/case0.nii.gz")),
    trainArgs,
    "FormatError",
    /training\[0\]\.image .*\.\./,
  ],
  [
    "a listed image that is missing",
    () => rmSync(image),
    trainArgs,
    "FormatError",
    /training\[0\]\.image names .*case0.* does not exist/,
  ],
  [
    "a split with an unknown case",
    () => edit(join(data, "splits_final.json"), (s) => s[0].train.push("nobody")),
    trainArgs,
    "DataError",
    /nobody/,
  ],
  // Images
  ["an image cut short", () => truncateSync(image, 3000), trainArgs, "FormatError", /case0\.nii\.gz: .*cut short/],
  ["an image that is text", () => writeFileSync(image, "hello"), trainArgs, "FormatError", /case0\.nii\.gz: header has 5 bytes/],
  [
    "a header that promises 2^40 voxels",
    () => writeFileSync(image, huge()),
    trainArgs,
    "FormatError",
    /case0\.nii\.gz: .*16384×16384×4096 .*cut short/,
  ],
  [
    "a label of another size",
    () => editVolume(label, (v) => makeVolume({ data: v.data.subarray(0, 16 * 20 * 17), shape: [1, 16, 20, 17] }, v.affine)),
    trainArgs,
    "ShapeError",
    /case0.*label's size is \[16,20,17\], the image's \[16,20,18\]/,
  ],
  [
    "a label value without a class",
    () => editVolume(label, (v) => void (v.data[5] = 9)),
    trainArgs,
    "DataError",
    /case0.*value 9 is not a class/,
  ],
  [
    "an empty label",
    () => editVolume(label, (v) => void v.data.fill(0)),
    trainArgs,
    "DataError",
    /case "case0": the label is empty .*ball.*--allow-empty/,
  ],
  [
    "a voxel that is NaN",
    () => editVolume(image, (v) => void (v.data[7 * 360 + 2 * 18 + 3] = NaN)),
    trainArgs,
    "DataError",
    /case "case0": .*NaN at \[0,7,2,3\]/,
  ],
  [
    "an image with a channel too many",
    () => editVolume(image, twice),
    trainArgs,
    "ShapeError",
    /case "case0": (ShapeError: )?the image has 2 channels, the dataset names 1/,
  ],
  // Training that diverges
  [
    "a loss that is not finite",
    nothing,
    [...trainArgs, "--lr", "1e38"],
    "NonFiniteError",
    /the loss of step 2 is NaN; the first value that is not finite is in the (weight|output of) .*; lower the learning rate/,
  ],
  [
    "weights that are not finite after the last step",
    nothing,
    [...trainArgs, "--lr", "1e39", "--epochs", "1", "--samples-per-volume", "1"],
    "NonFiniteError",
    /after step 1, model\..* is not finite/,
  ],
]);

/** 16384 × 16384 × 4096 bytes by its header (dim[1…3] at byte 42), a handful in truth. */
function huge(): Buffer {
  const bytes = encodeNifti(makeVolume({ data: new Uint8Array(8), shape: [1, 2, 2, 2] }));
  const view = new DataView(bytes.buffer);
  [16384, 16384, 4096].forEach((n, i) => view.setInt16(42 + 2 * i, n, true));
  return gzipSync(bytes);
}

test("in a process of its own: no adapter", async () => {
  restore();
  expectFailure(
    await runCli([...trainArgs], { VK_DRIVER_FILES: "/nonexistent" }),
    "NoAdapterError",
    /no WebGPU adapter: VK_DRIVER_FILES names/,
  );
});

test("all cases that cannot be used are named at once, before the run has a folder", async () => {
  restore();
  await editVolume(image, (v) => void (v.data[5] = NaN));
  await editVolume(label.replace("case0", "case1"), (v) => void v.data.fill(0));
  await editVolume(image.replace("case0", "case5"), twice);
  const { code, stderr } = await callCli([...trainArgs]);
  expect(code).toBe(1);
  expect(stderr).toMatch(
    /3 of 6 cases cannot be used:[^]*"case0": .*NaN[^]*"case1": the label is empty[^]*"case5": .*2 channels/,
  );
  expect(existsSync(out)).toBe(false);
});

test("in processes of their own: an unknown option, and no command at all", async () => {
  const [unknown, none, help] = await Promise.all([runCli(["train", "--bogus"]), runCli([]), runCli(["predict", "--help"])]);
  expect(unknown).toMatchObject({ code: 1, stderr: expect.stringMatching(/^ConfigError: Unknown option '--bogus'/) });
  expect([none.code, help.code]).toEqual([2, 0]);
  expect(none.stdout).toMatch(/^voxgrad: .*\n[^]*voxgrad predict \(--run DIR/);
  expect(help.stdout).toMatch(/^voxgrad predict \(--run DIR/);
});

test("the help of evaluate names the metrics", async () => {
  expect((await callCli(["evaluate", "--help"])).stdout).toMatch(/Metrics: dice, .*nsdvoxels/);
});
