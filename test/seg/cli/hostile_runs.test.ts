/** @file Damaged runs at the command line: resuming, segmenting and evaluating say which file is wrong and how. */

import { cpSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { folderStore } from "../../../src/seg/run/folder_store.node.ts";
import { writePostprocessing } from "../../../src/seg/run/postprocessing.ts";
import { callCli } from "../../lib/call_cli.ts";
import {
  data,
  edit,
  editVolume,
  expectFailure,
  image,
  label,
  nothing,
  nowhere,
  out,
  predictArgs,
  prepare,
  restore,
  resumeArgs,
  run,
  testRows,
  twice,
} from "../../lib/damaged.ts";
import { runCli } from "../../lib/tiny.ts";

prepare({ train: true });

testRows([
  ["options beside --resume", nothing, [...resumeArgs, "--lr", "1"], "ConfigError", /remove --lr/],
  [
    "a file to segment with a channel too many",
    () => editVolume(image, twice),
    ["predict", "--run", run, "--out", out, image],
    "ShapeError",
    /case "case0": (ShapeError: )?the image has 2 channels, the dataset names 1/,
  ],
  [
    "a file to segment that does not exist",
    nothing,
    ["predict", "--run", run, "--out", out, "none.nii"],
    "DataError",
    /none\.nii does not exist/,
  ],
  [
    "a report that is no page",
    nothing,
    ["report", run, "--out", "page.pdf"],
    "ConfigError",
    /--out writes an HTML page.*page\.pdf/,
  ],
  ["resuming a folder without a run", () => rmSync(join(run, "config.json")), resumeArgs, "CheckpointError", /run: is no run/],
  [
    "predictions of another size",
    () => cpSync(label, join(run, "predictions", "case4.nii.gz")),
    ["evaluate", "--run", run],
    "ShapeError",
    /case4\.nii\.gz has the shape \[1, 16, 20, 18\], its label \[1, 20, 16, 18\]/,
  ],
  [
    "resuming on data of other classes",
    () => edit(join(data, "dataset.json"), (d) => (d.labels = { 0: "background", 1: "ball", 2: "box" })),
    [...resumeArgs, "--data", data],
    "ConfigError",
    /"Tiny" are not those .*its classes are background=0, ball=1, theirs background=0, ball=1, box=2/,
  ],
  [
    "resuming on data of another channel",
    () => edit(join(data, "dataset.json"), (d) => (d.modality = { 0: "CT" })),
    [...resumeArgs, "--data", data],
    "ConfigError",
    /its channels are synthetic, theirs CT/,
  ],
  [
    "resuming on other cases",
    () => edit(join(data, "splits_final.json"), (s) => (s[0].train[0] = s[0].val.pop())),
    [...resumeArgs, "--data", data, "--epochs", "4"],
    "ConfigError",
    /of its 4 training cases they lack 1 \(case0\) and have 1 other \(case5\); of its 2 validation cases they lack 1 \(case5\)/,
  ],
  [
    "resuming on data that cannot be read",
    () => writeFileSync(image, "hello"),
    [...resumeArgs, "--data", data, "--epochs", "4"],
    "FormatError",
    /case0\.nii\.gz: header has 5 bytes/,
  ],
  [
    "resuming for fewer epochs than are done",
    nothing,
    [...resumeArgs, "--epochs", "1"],
    "ConfigError",
    /epochs is 1, but the run has done 2: give more to go on/,
  ],
  [
    "the page of a run from other cases",
    () => edit(join(data, "splits_final.json"), (s) => s[0].val.pop()),
    ["report", run, "--data", data],
    "ConfigError",
    /of its 2 validation cases they lack 1 \(case5\)/,
  ],
  [
    "the uncertainty of a network without dropout",
    nothing,
    ["uncertainty", "--run", run, "--out", out, image],
    "ConfigError",
    /\(recipe slices2d\) has no dropout, so that all draws are the same/,
  ],
  [
    "the uncertainty of a first stage with what an earlier one found",
    nothing,
    ["uncertainty", "--run", run, "--out", out, "--previous", data, image],
    "ConfigError",
    /--previous is for the second stage of a cascade/,
  ],
  [
    "the uncertainty of a fold that there is not",
    nothing,
    ["uncertainty", "--run", run, "--out", out, "--data", data, "--fold", "7"],
    "ConfigError",
    /fold is 7; /,
  ],
  ["resuming nothing", nothing, ["train", "--resume", nowhere], "CheckpointError", /none: is no run/],
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
]);

test("in a process of its own: a bad case met by a worker", async () => {
  restore();
  edit(join(run, "config.json"), (c) => (c.data = data));
  await editVolume(label, (v) => void v.data.fill(0));
  expectFailure(
    await runCli([...resumeArgs, "--epochs", "3", "--workers", "2"]),
    "DataError",
    /case "case0": the label is empty/,
  );
});

test("post-processing is told of, and left out for other weights than those it was found for", async () => {
  restore();
  const steps = [{ step: "keepLargest", labels: [1] }] as const;
  await writePostprocessing(folderStore(run), { steps, cases: 1, dice: {} });
  const first = await callCli([...predictArgs, "--probabilities"]);
  expect(first.stdout).toMatch(/keeps the largest component of label 1; --no-postprocess leaves it out\. Label maps may differ/);
  // A last weight that is another, as after more training.
  const weights = readFileSync(join(run, "weights.safetensors"));
  weights[weights.length - 2] ^= 1;
  writeFileSync(join(run, "weights.safetensors"), weights);
  const then = await callCli([...predictArgs, "--overwrite"]);
  expect(then.stdout).toMatch(/was found for other weights and is left out/);
  expect(then).toMatchObject({ code: 0 });
});

test("the damaged are refused, the others are not", async () => {
  restore();
  expect(await callCli([...resumeArgs])).toMatchObject({ code: 0 });
  expect(await callCli([...predictArgs])).toMatchObject({ code: 0 });
});
