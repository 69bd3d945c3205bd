/**
 * @file Bad input to the command line: exit code 1, one typed error that names its cause, no stack trace, no half-written file. Most cases
 * run `main` in this process, which is fast; a few run in processes of their own, where workers, drivers and exit codes are real.
 */

import { cpSync, existsSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readNiftiFile, writeNiftiFile } from "../../../src/data/index.node.ts";
import { encodeNifti } from "../../../src/data/formats/nifti/nifti.ts";
import { makeVolume, type Volume } from "../../../src/data/volume.ts";
import { callCli as call } from "../../lib/call_cli.ts";
import { runCli, temporaryFolder, tinyOptions, writeTinyDataset } from "../../lib/tiny.ts";

const { folder, remove } = temporaryFolder();
const [good, data, run, out] = ["good", "data", "run", "out"].map((name) => join(folder, name));
const image = join(data, "imagesTr", "case0.nii.gz");
const label = join(data, "labelsTr", "case0.nii.gz");
const trainArgs = ["train", "--data", data, "--out", out, ...tinyOptions];
const resumeArgs = ["train", "--resume", run];
const predictArgs = ["predict", "--run", run, "--out", out, join(good, "imagesTr", "case0.nii.gz")];
let trained: string;

beforeAll(async () => {
  await writeTinyDataset(good);
  trained = join(folder, "trained");
  const { code, stderr } = await call(["train", "--data", good, "--out", trained, ...tinyOptions, "--epochs", "1"]);
  expect(code, stderr).toBe(0);
});
afterAll(remove);

/** Fresh copies of the dataset and the run, for a case to damage. */
function restore(): void {
  for (const path of [data, run, out]) rmSync(path, { recursive: true, force: true });
  cpSync(good, data, { recursive: true });
  cpSync(trained, run, { recursive: true });
}

function expectFailure({ code, stderr }: { code: unknown; stderr: string }, error: string, message: RegExp): void {
  expect(stderr).toMatch(new RegExp(`^(case "[^"]*": )?${error}: `, "m"));
  expect(stderr).toMatch(message);
  expect(stderr).not.toMatch(/^\s+at .*\.ts:/m);
  expect(code).toBe(1);
  // What a failed run leaves is whole: its options perhaps, but nothing temporary and nothing that looks like a result.
  const left = existsSync(out) && statSync(out).isDirectory() ? readdirSync(out) : [];
  expect(["config.json", "metrics.jsonl", "run.json", "sessions.jsonl"]).toEqual(expect.arrayContaining(left));
}

function edit(path: string, change: (json: any) => void): void {
  const json = JSON.parse(readFileSync(path, "utf8"));
  change(json);
  writeFileSync(path, JSON.stringify(json));
}

async function editVolume(path: string, change: (volume: Volume) => Volume | void): Promise<void> {
  const volume = await readNiftiFile(path);
  await writeNiftiFile(path, change(volume) ?? volume);
}

const nothing = () => {};
type Row = readonly [title: string, damage: () => void | Promise<void>, args: readonly string[], error: string, message: RegExp];

const rows: readonly Row[] = [
  // Command lines
  ["an unknown command", nothing, ["trian"], "ConfigError", /unknown command "trian"; known are train, predict/],
  ["an unknown option", nothing, [...trainArgs, "--epoch", "3"], "ConfigError", /Unknown option '--epoch'; known are .*--epochs/],
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
  [
    "a patch that the strides do not divide",
    nothing,
    [...trainArgs, "--patch-size", "16,15"],
    "ConfigError",
    /patchSize \[16,15\] must be multiples of 2/,
  ],
  ["options beside --resume", nothing, [...resumeArgs, "--lr", "1"], "ConfigError", /remove --lr/],
  ["a fold that does not exist", nothing, [...trainArgs, "--fold", "7"], "ConfigError", /fold.*7/],
  ["a run's folder that is a file", () => writeFileSync(out, ""), trainArgs, "Error", /EEXIST|ENOTDIR/],
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
  [
    "a file to segment with a channel too many",
    () => editVolume(image, twice),
    ["predict", "--run", run, "--out", out, image],
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
  [
    "a file to segment that does not exist",
    nothing,
    ["predict", "--run", run, "--out", out, "none.nii"],
    "FormatError",
    /cannot open none\.nii/,
  ],
  // Runs
  ["resuming a folder without a run", () => rmSync(join(run, "config.json")), resumeArgs, "CheckpointError", /run: is no run/],
  [
    "predictions of another size",
    () => cpSync(label, join(run, "predictions", "case4.nii.gz")),
    ["evaluate", "--run", run],
    "ShapeError",
    /case4\.nii\.gz has the size \[16,20,18\], its label \[20,16,18\]/,
  ],
  ["resuming nothing", nothing, ["train", "--resume", join(folder, "none")], "CheckpointError", /none: is no run/],
  [
    "a checkpoint cut short",
    () => truncateSync(join(run, "checkpoint.safetensors"), 5000),
    resumeArgs,
    "FormatError",
    /checkpoint\.safetensors: /,
  ],
  [
    "a checkpoint of noise",
    () => writeFileSync(join(run, "checkpoint.safetensors"), Buffer.alloc(4000, 0xa7)),
    resumeArgs,
    "FormatError",
    /checkpoint\.safetensors: header length/,
  ],
  [
    "weights as a checkpoint",
    () => cpSync(join(run, "weights.safetensors"), join(run, "checkpoint.safetensors")),
    resumeArgs,
    "CheckpointError",
    /checkpoint\.safetensors: is no checkpoint/,
  ],
  [
    "a checkpoint of another network",
    () => edit(join(run, "config.json"), (c) => (c.channels = [4, 12])),
    resumeArgs,
    "CheckpointError",
    /checkpoint\.safetensors: .*model/,
  ],
  [
    "an option that config.json should not have",
    () => edit(join(run, "config.json"), (c) => (c.speed = 9)),
    resumeArgs,
    "ConfigError",
    /config\.json: unknown option "speed"; known are recipe, data/,
  ],
  [
    "a config.json without an option",
    () => edit(join(run, "config.json"), (c) => delete c.lr),
    resumeArgs,
    "ConfigError",
    /config\.json: lr must be a positive number, got undefined/,
  ],
  [
    "a config.json cut short",
    () => truncateSync(join(run, "config.json"), 30),
    predictArgs,
    "ConfigError",
    /config\.json: is not JSON/,
  ],
  [
    "a run.json without labels",
    () => edit(join(run, "run.json"), (r) => delete r.labels),
    predictArgs,
    "ConfigError",
    /run\.json: expected recipe, labels/,
  ],
  [
    "weights of another network",
    () => edit(join(run, "config.json"), (c) => (c.channels = [4, 12])),
    predictArgs,
    "CheckpointError",
    /weights\.safetensors: .*other shapes/,
  ],
  [
    "weights cut short",
    () => truncateSync(join(run, "weights.safetensors"), 2000),
    predictArgs,
    "FormatError",
    /weights\.safetensors: /,
  ],
  [
    "a run without weights",
    () => ["weights", "best", "checkpoint"].forEach((n) => rmSync(join(run, `${n}.safetensors`))),
    predictArgs,
    "CheckpointError",
    /holds no weights .*train it first/,
  ],
  [
    "run.json of another dataset",
    () => edit(join(run, "run.json"), (r) => r.channels.push("second")),
    predictArgs,
    "CheckpointError",
    /weights\.safetensors: /,
  ],
  [
    "predictions that are not there",
    () => rmSync(join(run, "predictions"), { recursive: true }),
    ["evaluate", "--run", run],
    "DataError",
    /the folder .*predictions cannot be read/,
  ],
];

/** The volume with its channels doubled. */
function twice({ data: from, shape: [c, ...size], affine }: Volume): Volume {
  return makeVolume({ data: Float32Array.from([...from, ...from]), shape: [2 * c, ...size] }, affine);
}

/** 16384 × 16384 × 4096 bytes by its header (dim[1…3] at byte 42), a handful in truth. */
function huge(): Buffer {
  const bytes = encodeNifti(makeVolume({ data: new Uint8Array(8), shape: [1, 2, 2, 2] }));
  const view = new DataView(bytes.buffer);
  [16384, 16384, 4096].forEach((n, i) => view.setInt16(42 + 2 * i, n, true));
  return gzipSync(bytes);
}

test.each(rows)("%s", async (_, damageIt, args, error, message) => {
  restore();
  await damageIt();
  expectFailure(await call(args), error, message);
});

test("the damaged are refused, the others are not", async () => {
  restore();
  expect(await call(resumeArgs)).toMatchObject({ code: 0 });
  expect(await call(predictArgs)).toMatchObject({ code: 0 });
});

test("in a process of its own: no adapter", async () => {
  restore();
  expectFailure(
    await runCli(trainArgs, { VK_DRIVER_FILES: "/nonexistent" }),
    "NoAdapterError",
    /no WebGPU adapter: VK_DRIVER_FILES names/,
  );
});

test("in a process of its own: a bad case met by a worker", async () => {
  restore();
  await editVolume(label, (v) => void v.data.fill(0));
  expectFailure(await runCli([...trainArgs, "--workers", "2"]), "DataError", /case "case0": the label is empty/);
});

test("in processes of their own: an unknown option, and no command at all", async () => {
  const [unknown, none, help] = await Promise.all([runCli(["train", "--bogus"]), runCli([]), runCli(["predict", "--help"])]);
  expect(unknown).toMatchObject({ code: 1, stderr: expect.stringMatching(/^ConfigError: Unknown option '--bogus'/) });
  expect([none.code, help.code]).toEqual([2, 0]);
  expect(none.stdout).toMatch(/^voxgrad: .*\n[^]*voxgrad predict \(--run DIR/);
  expect(help.stdout).toMatch(/^voxgrad predict \(--run DIR/);
});
