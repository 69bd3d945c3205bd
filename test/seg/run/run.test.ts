/** @file A run's folder holds what the command line promises, and a checkpoint all that decides the next step. */

import { cpSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { inflateSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { connectedComponents } from "../../../src/host/grid/components.ts";
import { voxelVolumeOf } from "../../../src/data/volume.ts";
import { readNiftiFile } from "../../../src/data/index.node.ts";
import type { Device } from "../../../src/index.ts";
import { Adam, diceLoss, manualSeed, seedDropout } from "../../../src/nn/index.ts";
import { readSafetensors } from "../../../src/weights/index.ts";
import { restoreCheckpoint, saveCheckpoint, Trainer, UNet, type UNetOptions } from "../../../src/seg/index.ts";
import { callCli } from "../../lib/call_cli.ts";
import { device } from "../../lib/device.ts";
import {
  affine,
  type Ended,
  readMetrics,
  runCli,
  succeed,
  temporaryFolder,
  tinyOptions,
  writeTinyDataset,
} from "../../lib/tiny.ts";

const { folder, remove } = temporaryFolder();
const at = (...names: string[]) => join(folder, ...names);
const read = (...names: string[]) => readFileSync(at(...names));
const data = at("data");
const stepsPerEpoch = 128;
const options = ["--data", data, ...tinyOptions, "--samples-per-volume", String(stepsPerEpoch)];
let whole: Ended;

beforeAll(async () => {
  await writeTinyDataset(data);
  whole = await succeed(["train", "--out", at("whole"), ...options]);
});
afterAll(remove);

describe("a run's folder", () => {
  test("holds options, metrics, weights under MONAI's names and pictures, and no temporary file", async () => {
    expect(readdirSync(at("whole")).sort()).toEqual([
      "best.safetensors",
      "checkpoint.safetensors",
      "config.json",
      "dice.svg",
      "evaluation.csv",
      "evaluation.json",
      "loss.svg",
      "metrics.jsonl",
      "overlays",
      "predictions",
      "rate.svg",
      "report.html",
      "run.json",
      "sessions.jsonl",
      "weights.safetensors",
    ]);
    expect(JSON.parse(String(read("whole", "config.json")))).toMatchObject({
      data,
      epochs: 2,
      channels: [4, 8],
      patchSize: [16, 16],
    });
    const rows = readMetrics(at("whole"));
    expect(rows.flatMap((r) => r.step ?? [])).toEqual(Array.from({ length: 2 * stepsPerEpoch }, (_, i) => i + 1));
    const steps = rows.filter((r) => r.epoch === 2 && r.step !== undefined);
    const mean = steps.reduce((sum, r) => sum + r.loss, 0) / steps.length;
    expect(rows.at(-1)).toMatchObject({ epoch: 2, loss: mean, dice: [expect.any(Number)], seconds: expect.any(Number) });

    const model = new UNet(await device(), {
      spatialDims: 2,
      inChannels: 1,
      outChannels: 1,
      channels: [4, 8],
      strides: [2],
      numResUnits: 1,
    });
    const names = [...readSafetensors(read("whole", "weights.safetensors")).tensors.keys()];
    expect(names).toEqual([...model.namedTensors()].map(([name]) => name));
    expect(names).toContain("model.1.submodule.conv.unit0.conv.weight");
    model.dispose();

    for (const name of ["loss.svg", "dice.svg"]) expect(String(read("whole", name))).toMatch(/^<svg[^]*<\/svg>\s*$/);
    for (const id of ["case4", "case5"]) expectPicture(read("whole", "overlays", `${id}.png`));
  });

  test("holds predictions in the geometry of their images", async () => {
    for (const id of ["case4", "case5"]) {
      const image = await readNiftiFile(join(data, "imagesTr", `${id}.nii.gz`));
      const prediction = await readNiftiFile(at("whole", "predictions", `${id}.nii.gz`));
      expect(prediction.shape).toEqual(image.shape);
      expect(prediction.affine).toEqual(affine);
      expect(prediction.meta.dtype).toBe("u8");
      expect(prediction.data.every((v) => v === 0 || v === 1)).toBe(true);
      expect(prediction.data.some((v) => v === 1)).toBe(true);
    }
  });

  test("holds the evaluation that train and evaluate print", async () => {
    const { cases, meanDice } = JSON.parse(String(read("whole", "evaluation.json")));
    const lines = cases.map(({ id, dice }: { id: string; dice: number[] }) => `${id}  ball ${dice[0].toFixed(4)}\n`).join("");
    const text = `${lines}mean Dice ${meanDice.toFixed(3)}\n`;
    expect(cases).toHaveLength(2);
    expect(whole.stdout).toContain(text);
    const { code, stdout } = await runCli(["evaluate", "--run", at("whole"), "--metrics", "dice,hd95,lesionsensitivity"]);
    expect([code, stdout.slice(0, text.length)]).toEqual([0, text]);
    // And a table of the metrics that were asked for.
    expect(stdout.slice(text.length)).toMatch(
      /^class .*\nball +dice .*\nball +hd95 \[mm\] .*\nball +lesionsensitivity .*\nall classes/,
    );
  });

  test("holds a page, which can be made again from the predictions, and says where the time went", async () => {
    const speed = /^\S+ samples\/s, \S+ s per epoch, \S+ s per validation, \d+ % of training waiting for data$/m;
    expect(whole.stdout).toMatch(speed);
    const page = String(read("whole", "report.html"));
    for (const word of ["case4", "case5", "hd95 [mm]", "llvmpipe", "data:image/png;base64,"]) expect(page).toContain(word);
    const again = await callCli(["report", at("whole"), "--out", at("again.html")]);
    expect(again.stderr).not.toContain("Error");
    expect(again.stdout).toMatch(/^mean Dice 0\.\d+$/m);
    expect(String(read("again.html"))).toBe(page);
    expect((await callCli(["report", at("whole"), "--out", at("again.html")])).stderr).toMatch(
      /again.html exists; .*--overwrite/,
    );
  });

  test("ends its report with code 1, and names the case, where one has no score", async () => {
    cpSync(at("whole"), at("lacks"), { recursive: true });
    rmSync(at("lacks", "predictions", "case4.nii.gz"));
    const { code, stdout } = await callCli(["report", at("lacks")]);
    expect([code, stdout]).toEqual([1, expect.stringMatching(/^case4: no score: /m)]);
  });

  test("is shown before it is begun by a preview, which is not replaced unasked and trains nothing", async () => {
    const args = ["train", "--out", at("seen"), ...options, "--preview"];
    expect((await callCli(args)).stdout).toMatch(/preview.png; nothing was trained$/m);
    expectPicture(read("seen", "preview.png"));
    expect(readdirSync(at("seen"))).toEqual(["preview.png"]);
    expect((await callCli(args)).stderr).toMatch(/^ConfigError: .*preview.png exists; .*--overwrite/m);
    expect((await callCli([...args.slice(0, -1), "--overwrite"])).stderr).toMatch(/^ConfigError: --overwrite is for --preview/m);
    const image = join(data, "imagesTr", "case0.nii.gz");
    expect((await callCli([...args, image, "--overwrite"])).stderr).toMatch(/^ConfigError: --preview writes a PNG/m);
  });

  test("predicts files", async () => {
    const image = join(data, "imagesTr", "case4.nii.gz");
    await succeed(["predict", "--run", at("whole"), "--out", at("files"), image]);
    expect(read("files", "case4.nii.gz").equals(read("whole", "predictions", "case4.nii.gz"))).toBe(true);
  });

  test("predicts with what was found to help and what is asked for, and tells the volumes", async () => {
    const { stdout } = await callCli(["postprocess", "--run", at("whole")]);
    expect(stdout).toMatch(/^ball: mean Dice 0\.\d+ before, 0\.\d+ after$/m);
    const { steps, cases, dice } = JSON.parse(read("whole", "postprocessing.json").toString());
    expect([cases, dice.ball.after >= dice.ball.before, Array.isArray(steps)]).toEqual([2, true, true]);
    const image = join(data, "imagesTr", "case4.nii.gz");
    await callCli(["predict", "--run", at("whole"), "--out", at("clean"), image, "--keep-largest", "--remove-small", "5"]);
    const prediction = await readNiftiFile(at("clean", "case4.nii.gz"));
    expect(connectedComponents(prediction.data, prediction.shape.slice(1)).count).toBe(1);
    const voxels = Array.from(prediction.data as Uint8Array).reduce((sum, v) => sum + v, 0);
    const ml = (voxels * voxelVolumeOf(prediction.affine)) / 1000;
    expect(read("clean", "volumes.csv").toString()).toBe(`case,label,voxels,ml\ncase4,ball,${voxels},${ml.toFixed(4)}\n`);
    const surface = [
      "surface",
      at("clean", "case4.nii.gz"),
      "--label",
      "1",
      "--out",
      at("ball.stl"),
      "--picture",
      at("ball.png"),
    ];
    expect((await callCli(surface)).stdout).toMatch(/^\d+ triangles, /m);
    expect(read("ball.stl").length).toBe(84 + 50 * read("ball.stl").readUInt32LE(80));
    expectPicture(read("ball.png"));
    expect((await callCli(surface)).stderr).toMatch(/^ConfigError: .*ball.stl exists; .*--overwrite/m);
  });

  test("is not overwritten by another run", async () => {
    const before = read("whole", "checkpoint.safetensors");
    const { code, stderr } = await runCli(["train", "--out", at("whole"), ...options]);
    expect([code, stderr]).toEqual([1, expect.stringMatching(/^ConfigError: .*whole holds a run already; .*--resume/m)]);
    expect(read("whole", "checkpoint.safetensors").equals(before)).toBe(true);
  });
});

/** A PNG whose pixels fill its size (PNG specification, 5.2 and 11.2). */
function expectPicture(file: Buffer): void {
  expect(file.subarray(0, 8)).toEqual(Buffer.from("\x89PNG\r\n\x1a\n", "latin1"));
  const [width, height, color] = [file.readUInt32BE(16), file.readUInt32BE(20), file[25]];
  const channels = { 0: 1, 2: 3, 6: 4 }[color]!;
  const pieces: Buffer[] = [];
  for (let i = 8; i < file.length; i += 12 + file.readUInt32BE(i)) {
    if (file.toString("latin1", i + 4, i + 8) === "IDAT") pieces.push(file.subarray(i + 8, i + 8 + file.readUInt32BE(i)));
  }
  expect(inflateSync(Buffer.concat(pieces))).toHaveLength(height * (1 + width * channels));
}

describe("a checkpoint in memory", () => {
  const shape = [2, 1, 8, 8];
  const total = 7;

  async function* batches(from: number, to: number) {
    for (let k = from; k < to; k++) {
      const image = { data: Float32Array.from({ length: 128 }, (_, i) => Math.sin(i * (k + 1))), shape };
      yield { image, label: { data: image.data.map((v) => (v > 0.5 ? 1 : 0)), shape } };
    }
  }

  function start(dev: Device, seed: number, options: Partial<UNetOptions>) {
    manualSeed(seed);
    seedDropout(dev, seed);
    const model = new UNet(dev, {
      spatialDims: 2,
      inChannels: 1,
      outChannels: 1,
      channels: [4, 8],
      strides: [2],
      numResUnits: 1,
      ...options,
    });
    const optimizer = new Adam(model.parameters(), { lr: 0.01 });
    const trainer = new Trainer(dev, { model, optimizer, loss: (output, label) => diceLoss(output, label, { sigmoid: true }) });
    return {
      run: (from: number, to: number) => trainer.epoch(batches(from, to)),
      save: () => saveCheckpoint({ model, optimizer }),
      load: (bytes: Uint8Array) => restoreCheckpoint(bytes, { model, optimizer }),
      dispose: () => [trainer, optimizer, model].forEach((x) => x.dispose()),
    };
  }

  test.each<[string, Partial<UNetOptions>]>([
    ["dropout", { dropout: 0.2 }],
    ["batch norm", { norm: "BATCH" }],
  ])("%s: steps, checkpoint, a fresh model, more steps = all steps at once", async (_, model) => {
    const dev = await device();
    const straight = start(dev, 1, model);
    await straight.run(0, total);
    const want = await straight.save();
    straight.dispose();
    for (const pause of [1, 4]) {
      const before = start(dev, 1, model);
      await before.run(0, pause);
      const checkpoint = await before.save();
      before.dispose();
      const after = start(dev, 99, model);
      after.load(checkpoint);
      await after.run(pause, total);
      expect(Buffer.from(await after.save()).equals(Buffer.from(want)), `after ${pause} steps`).toBe(true);
      after.dispose();
    }
  });
});
