/** @file Training runs: what is killed or interrupted goes on bit for bit, and a run's folder holds what the command line promises. */

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { inflateSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { connectedComponents } from "../../../src/host/grid/components.ts";
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
  startCli,
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

function progressOf(run: string): { epoch: number; stepInEpoch: number; step: number } {
  return JSON.parse(readSafetensors(read(run, "checkpoint.safetensors")).metadata.get("extra")!).progress;
}

/** Losses and scores, without the times, which differ. */
const history = (run: string) => readMetrics(at(run)).map((row) => ({ ...row, seconds: undefined, timing: undefined }));

function expectSameRun(run: string): void {
  for (const name of ["weights", "best", "checkpoint"]) {
    expect(read(run, `${name}.safetensors`).equals(read("whole", `${name}.safetensors`)), `${name} of ${run}`).toBe(true);
  }
  expect(history(run)).toEqual(history("whole"));
}

/** Resolves once a condition holds; throws if the run ends before. */
async function until(condition: () => boolean, ended: Promise<Ended>): Promise<void> {
  let over: Ended | undefined;
  void ended.then((e) => (over = e));
  while (!condition()) {
    if (over) throw new Error(`the run ended too early:\n${over.stdout}\n${over.stderr}`);
    await sleep(5);
  }
}

describe("a run", () => {
  test("gives the same weights with 0 and with 2 workers", async () => {
    await succeed(["train", "--out", at("workers"), ...options, "--workers", "2"]);
    expectSameRun("workers");
  });

  test("that was killed at any moment goes on bit for bit", async () => {
    const { child, ended } = startCli(["train", "--out", at("killed"), ...options, "--checkpoint-seconds", "0.05"]);
    await until(() => existsSync(at("killed", "checkpoint.safetensors")), ended);
    const delay = 100 * Math.random();
    await sleep(delay);
    child.kill("SIGKILL");
    expect((await ended).killed).toBe("SIGKILL");
    const { epoch, stepInEpoch } = progressOf("killed");
    expect([epoch, stepInEpoch > 0], `killed ${delay} ms after its first checkpoint`).toEqual([0, true]);
    const resumed = await succeed(["train", "--resume", at("killed")]);
    expect(resumed.stderr).toContain(`resumed at epoch 1, step ${stepInEpoch} of ${stepsPerEpoch}`);
    expectSameRun("killed");
  });

  test("stops at Ctrl-C with a checkpoint, exit code 130 and advice; signals within a second are one", async () => {
    const { child, ended } = startCli(["train", "--out", at("stopped"), ...options]);
    await until(() => readMetrics(at("stopped")).length > 0, ended);
    child.kill("SIGINT");
    await sleep(1); // 20 ms later the run may have stopped, and a process that is ending listens to no signal
    child.kill("SIGINT");
    const { code, stdout, stderr } = await ended;
    expect(code, stderr).toBe(130);
    expect(stdout).toContain(`stopped. Go on with: voxgrad train --resume ${at("stopped")}`);
    expect(stderr.match(/saving a checkpoint/g)).toHaveLength(1);
    expect(existsSync(at("stopped", "weights.safetensors"))).toBe(false);
    expect(progressOf("stopped").step).toBe(readMetrics(at("stopped")).at(-1)!.step);
    await succeed(["train", "--resume", at("stopped")]);
    expectSameRun("stopped");
  });

  test("that is finished can be given more epochs", async () => {
    await succeed(["train", "--resume", at("workers"), "--epochs", "3"]);
    expect(
      readMetrics(at("workers"))
        .filter((row) => row.step === undefined)
        .map((row) => row.epoch),
    ).toEqual([1, 2, 3]);
  });
});

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
    expect(await runCli(["evaluate", "--run", at("whole")])).toMatchObject({ code: 0, stdout: text });
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

  test("of several classes: label values as in the dataset, no score where the truth has none, the same report when made again", async () => {
    // Class 2 is stored as 4, and the validation cases have none of it.
    await writeTinyDataset(at("classes"), { 0: "background", 1: "small", 4: "large" }, (v, i) => (v < 2 ? v : i < 4 ? 4 : 1));
    const args = ["train", "--data", at("classes"), "--out", at("several"), "--channels", "4,8", "--batch-size", "8"];
    const trained = await succeed([...args, "--epochs", "1", "--samples-per-volume", "4", "--workers", "0"]);
    expect(trained.stdout).toMatch(/^case4 {2}small 0\.\d{4} {2}large no truth$/m);
    expect(trained.stdout).toMatch(/^mean Dice 0\.\d{3}$/m);
    expect(readMetrics(at("several")).at(-1)!.dice).toEqual([expect.any(Number), null]);
    const prediction = await readNiftiFile(at("several", "predictions", "case4.nii.gz"));
    expect([0, 1, 4]).toEqual(expect.arrayContaining([...new Set(prediction.data)]));
    const [dice, scores] = [read("several", "dice.svg"), read("several", "evaluation.json")];
    const again = await succeed(["train", "--resume", at("several")]);
    expect(again.stderr).toContain("the run is finished; reporting on it again");
    expect(read("several", "dice.svg").equals(dice)).toBe(true);
    expect(read("several", "evaluation.json").equals(scores)).toBe(true);
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
    const ml = (voxels * prediction.spacing.reduce((a, b) => a * b, 1)) / 1000;
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
  const [width, height, colour] = [file.readUInt32BE(16), file.readUInt32BE(20), file[25]];
  const channels = { 0: 1, 2: 3, 6: 4 }[colour]!;
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
