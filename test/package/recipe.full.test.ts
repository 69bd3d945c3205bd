/** @file A recipe of somebody else's, in a folder of their own, on the packed library: trained, killed, resumed, and used to predict. */

import { spawn } from "node:child_process";
import { copyFileSync, existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type App, installPackage, root } from "../lib/package.ts";
import { readMetrics, writeTinyDataset } from "../lib/tiny.ts";

const file = join(root, "examples/own_recipe.ts");
let app: App;
const at = (...names: string[]) => join(app.folder, ...names);

beforeAll(async () => {
  app = await installPackage();
  copyFileSync(file, at("mine.ts"));
  await writeTinyDataset(at("data"));
}, 300_000);
afterAll(() => app?.remove());

const voxgrad = (...args: string[]) => app.run("npx", ["--offline", "voxgrad", ...args]);
const train = ["train", "--recipe", "./mine.ts", "--data", "data", "--epochs", "16", "--checkpoint-seconds", "0.1"];

test("trains, resumes after SIGKILL to the same weights, predicts; in under 60 lines", async () => {
  expect(readFileSync(file, "utf8").trim().split("\n").length).toBeLessThan(60);
  voxgrad(...train, "--out", "whole");
  const cli = join("node_modules", "voxgrad", "dist", "seg", "cli", "main.node.js");
  const child = spawn(process.execPath, [cli, ...train, "--out", "killed"], { cwd: app.folder, env: app.env, stdio: "ignore" });
  const over = new Promise((resolve) => child.on("close", resolve));
  while (!existsSync(at("killed", "checkpoint.safetensors"))) await sleep(5);
  child.kill("SIGKILL");
  await over;
  expect(existsSync(at("killed", "weights.safetensors"))).toBe(false);
  voxgrad("train", "--resume", "killed");
  for (const name of ["weights", "best", "checkpoint"]) {
    const [a, b] = ["whole", "killed"].map((run) => readFileSync(at(run, `${name}.safetensors`)));
    expect(a.equals(b), name).toBe(true);
  }
  expect(JSON.parse(readFileSync(at("whole", "run.json"), "utf8")).recipe).toMatchObject({ name: "mine", version: 1 });
  expect(readMetrics(at("whole")).at(-1)!.dice![0]).toBeGreaterThan(0.5);
  const out = voxgrad("predict", "--run", "whole", "--out", "found", join("data", "imagesTr", "case4.nii.gz"));
  expect(out).toMatch(/1 label map in/);
  expect(readFileSync(at("found", "case4.nii.gz")).equals(readFileSync(at("whole", "predictions", "case4.nii.gz")))).toBe(true);
}, 600_000);

test("trains on a dataset of several classes, as that of its page is", async () => {
  await writeTinyDataset(at("two"), { 0: "background", 10: "Anterior", 200: "Posterior" }, (value) => [0, 10, 200][value]);
  voxgrad(...train.with(train.indexOf("data"), "two"), "--out", "several");
  // Which class an object of these images is cannot be seen, so no Dice is asked of each.
  const lines = readMetrics(at("several"));
  expect(lines.at(-1)!.dice).toHaveLength(2);
  expect(lines.at(-1)!.loss).toBeLessThan(0.8 * lines[0].loss);
}, 600_000);

test("its options are flags, with help; a module that is no recipe is refused", () => {
  expect(voxgrad("train", "--recipe", "./mine.ts", "--help")).toMatch(/--features +channels of the first level/);
  expect(() => voxgrad(...train, "--out", "bad", "--features", "0")).toThrow(/--features must be a positive integer, got 0/);
  expect(() => voxgrad("train", "--recipe", "./main.js", "--data", "data")).toThrow(
    /ConfigError: the recipe .*main\.js cannot be loaded/,
  );
});
