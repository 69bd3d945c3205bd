/** @file Training runs in processes of their own: what is killed or interrupted goes on bit for bit, with any number of workers. */

import { existsSync, linkSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readNiftiFile } from "../../../src/data/index.node.ts";
import { readSafetensors } from "../../../src/weights/index.ts";
import { type Ended, readMetrics, startCli, succeed, temporaryFolder, tinyOptions, writeTinyDataset } from "../../lib/tiny.ts";

const { folder, remove } = temporaryFolder();
const at = (...names: string[]) => join(folder, ...names);
const read = (...names: string[]) => readFileSync(at(...names));
const data = at("data");
const stepsPerEpoch = 128;
const options = ["--data", data, ...tinyOptions, "--samples-per-volume", String(stepsPerEpoch)];

beforeAll(async () => {
  await writeTinyDataset(data);
  await succeed(["train", "--out", at("whole"), ...options]);
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

  test("stops at Ctrl-C while its cases are checked, with a word, exit code 130 and no folder", async () => {
    const many = at("many");
    await writeTinyDataset(many);
    const file = join(many, "dataset.json");
    const training = Array.from({ length: 200 }, (_, i) => {
      const [image, label] = ["imagesTr", "labelsTr"].map((part) => join(part, `copy${i}.nii.gz`));
      linkSync(join(many, "imagesTr", "case0.nii.gz"), join(many, image));
      linkSync(join(many, "labelsTr", "case0.nii.gz"), join(many, label));
      return { image, label };
    });
    writeFileSync(file, JSON.stringify({ ...JSON.parse(readFileSync(file, "utf8")), training }));
    const { child, ended } = startCli(["train", "--out", at("unbegun"), ...options, "--data", many, "--fold", "all"]);
    child.stderr!.on("data", (text: string) => text.includes("checking cases") && child.kill("SIGINT"));
    const { code, killed, stderr } = await ended;
    expect([code, killed], stderr).toEqual([130, null]);
    expect(stderr).toMatch(/\nstopped before training began\n$/);
    expect(existsSync(at("unbegun"))).toBe(false);
  });

  test("that is finished can be given more epochs", async () => {
    await succeed(["train", "--resume", at("workers"), "--epochs", "3"]);
    expect(
      readMetrics(at("workers"))
        .filter((row) => row.step === undefined)
        .map((row) => row.epoch),
    ).toEqual([1, 2, 3]);
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
});
