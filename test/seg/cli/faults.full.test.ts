/** @file What a command line must not do to files: replace an input or another's result, mix two runs, end with its reader, or score what was learned. */

import { spawn } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readNiftiFile } from "../../../src/data/index.node.ts";
import { callCli } from "../../lib/call_cli.ts";
import { readMetrics, startCli, temporaryFolder, tinyOptions, writeTinyDataset } from "../../lib/tiny.ts";

const { folder, remove } = temporaryFolder();
const at = (...names: string[]) => join(folder, ...names);
const [data, run] = [at("data"), at("run")];
const train = ["train", "--data", data, ...tinyOptions];
const image = (i: number) => join(data, "imagesTr", `case${i}.nii.gz`);

beforeAll(async () => {
  await writeTinyDataset(data);
  await done([...train, "--out", run]);
});
afterAll(remove);

const refused = async (args: readonly string[], message: RegExp): Promise<void> => {
  const { code, stderr } = await callCli(args);
  expect([code, stderr]).toEqual([1, expect.stringMatching(message)]);
};

const done = async (args: readonly string[]): Promise<string> => {
  const { code, stdout, stderr } = await callCli(args);
  expect([code, code ? stderr : ""]).toEqual([0, ""]);
  return stdout;
};

test("predict does not replace its input", async () => {
  mkdirSync(at("own"));
  cpSync(image(0), at("own", "scan.nii.gz"));
  const before = readFileSync(at("own", "scan.nii.gz"));
  for (const more of [[], ["--overwrite"]])
    await refused(["predict", "--run", run, "--out", at("own"), at("own", "scan.nii.gz"), ...more], /would replace an input/);
  expect(readFileSync(at("own", "scan.nii.gz")).equals(before)).toBe(true);
});

test("predict names two inputs of one name by their folders, and refuses results that are there", async () => {
  for (const part of ["a", "b"]) {
    mkdirSync(at(part));
    cpSync(image(part === "a" ? 0 : 1), at(part, "T1.nii.gz"));
  }
  await done(["predict", "--run", run, "--out", at("apart"), at("?", "T1.nii.gz")]);
  for (const part of ["a", "b"]) expect(existsSync(at("apart", `${part}.nii.gz`))).toBe(true);
  writeFileSync(at("T1.nii"), gunzipSync(readFileSync(image(0))));
  cpSync(image(1), at("T1.nii.gz"));
  await refused(["predict", "--run", run, "--out", at("two"), at("T1.nii"), at("T1.nii.gz")], /have one name/);
  expect(existsSync(at("two"))).toBe(false);
  // One file that is named twice is one.
  await done(["predict", "--run", run, "--out", at("two"), at("a"), at("a", "T1.nii.gz")]);
  await refused(["predict", "--run", run, "--out", at("two"), at("b")], /T1\.nii\.gz exists; .*--overwrite/);
  await done(["predict", "--run", run, "--out", at("two"), at("b"), "--overwrite"]);
  expect((await readNiftiFile(at("two", "T1.nii.gz"))).shape).toEqual((await readNiftiFile(image(1))).shape);
});

test("predict goes on with what an interrupted call left, and leaves what it made", async () => {
  for (const [i, name] of ["first", "second"].entries()) {
    mkdirSync(at("folder"), { recursive: true });
    cpSync(image(i), at("folder", `${name}.nii.gz`));
  }
  const args = ["predict", "--run", run, "--out", at("begun")];
  await done([...args, at("folder", "first.nii.gz")]);
  const [label, table] = ["first.nii.gz", "volumes.csv"].map((name) => readFileSync(at("begun", name)));
  await refused([...args, at("folder"), "--overwrite", "--skip-existing"], /give one of the two/);
  const { code, stdout } = await callCli([...args, at("folder"), "--skip-existing"]);
  expect([code, stdout]).toEqual([0, expect.stringMatching(/^1 case of 2 left out, .*\n[^]*1 label map in /m)]);
  expect(readFileSync(at("begun", "first.nii.gz")).equals(label)).toBe(true);
  expect(readFileSync(at("begun", "volumes.csv"), "utf8")).toContain(table.toString().trimEnd());
  expect(existsSync(at("begun", "second.nii.gz"))).toBe(true);
  expect((await callCli([...args, at("folder"), "--skip-existing"])).stdout).toMatch(/^2 cases of 2 left out/m);
});

test("info tells of the files behind one that cannot be read", async () => {
  writeFileSync(at("bad.nii"), "no image");
  const { code, stdout, stderr } = await callCli(["info", at("bad.nii"), image(0)]);
  expect([code, stdout, stderr]).toEqual([
    1,
    expect.stringContaining("orientation"),
    expect.stringMatching(/bad\.nii: FormatError/),
  ]);
});

test("predict adds to no table of others, and finds out before it works that it cannot write", async () => {
  mkdirSync(at("mine"));
  writeFileSync(at("mine", "volumes.csv"), "subject,volume\ns1,7\n");
  await refused(
    ["predict", "--run", run, "--out", at("mine"), at("a")],
    /volumes\.csv is another table: it has the columns subject, volume/,
  );
  expect(readFileSync(at("mine", "volumes.csv"), "utf8")).toBe("subject,volume\ns1,7\n");
  expect(readdirSync(at("mine"))).toEqual(["volumes.csv"]);
  const file = at("mine", "volumes.csv");
  const { code, stderr } = await callCli(["predict", "--run", run, "--out", join(file, "maps"), at("a")]);
  expect([code, stderr]).toEqual([1, expect.stringMatching(/^ConfigError: cannot write into .*maps: .*volumes\.csv is a file/m)]);
  expect(stderr).not.toMatch(/windows/);
});

test("predict takes a folder; a bad file is reported, the others are segmented, the exit code tells", async () => {
  mkdirSync(at("many"));
  for (const i of [0, 1, 2]) cpSync(image(i), at("many", `case${i}_0000.nii.gz`));
  truncateSync(at("many", "case1_0000.nii.gz"), 2000);
  const { code, stdout, stderr } = await callCli(["predict", "--run", run, "--out", at("done"), at("many")]);
  expect(code).toBe(1);
  expect(stderr).toMatch(/^case "case1": FormatError: .*case1_0000\.nii\.gz.*cut short/m);
  expect(stdout).toMatch(/2 label maps in .*done\n1 of 3 cases failed: case1\n/);
  expect(readdirSync(at("done")).sort()).toEqual(["case0.nii.gz", "case2.nii.gz", "volumes.csv"]);
});

test("evaluate --run scores the validation cases only, whatever else was predicted, and misses none", async () => {
  await done(["predict", "--run", run, "--data", data]);
  expect(readdirSync(join(run, "predicted")).filter((f) => f.endsWith(".nii.gz"))).toHaveLength(6);
  const stdout = await done(["evaluate", "--run", run]);
  expect(stdout.match(/^case\d/gm)).toEqual(["case4", "case5"]);
  const all = await done(["evaluate", "--pred", join(run, "predicted"), "--data", data]);
  expect(all.match(/^case\d/gm)).toHaveLength(6);
  cpSync(run, at("lacking"), { recursive: true });
  rmSync(at("lacking", "predictions", "case5.nii.gz"));
  await refused(["evaluate", "--run", at("lacking")], /lacks 1 of 2 cases: case5/);
});

test("a reader that leaves does not end the training", async () => {
  const cli = fileURLToPath(new URL("../../../src/seg/cli/main.node.ts", import.meta.url));
  const words = [process.execPath, "--conditions=voxgrad-source", cli, ...train, "--out", at("piped")]
    .map((w) => `'${w}'`)
    .join(" ");
  const child = spawn("bash", ["-c", `set -o pipefail; ${words} 2>&1 | head -1`], { stdio: ["ignore", "pipe", "inherit"] });
  const code = await new Promise((resolve) => child.on("close", resolve));
  expect(code).toBe(0);
  expect(readMetrics(at("piped")).at(-1)).toMatchObject({ epoch: 2 });
  expect(existsSync(at("piped", "evaluation.json"))).toBe(true);
});

test("a run without its checkpoint is not trained over", async () => {
  cpSync(run, at("bare"), { recursive: true });
  rmSync(at("bare", "checkpoint.safetensors"));
  const weights = readFileSync(at("bare", "weights.safetensors"));
  await refused([...train, "--out", at("bare")], /holds the weights\.safetensors of another run/);
  await refused(["train", "--resume", at("bare")], /its checkpoint\.safetensors is missing/);
  expect(readFileSync(at("bare", "weights.safetensors")).equals(weights)).toBe(true);
});

test("a config.json that was edited is not resumed", async () => {
  cpSync(run, at("edited"), { recursive: true });
  const config = JSON.parse(readFileSync(at("edited", "config.json"), "utf8"));
  for (const [name, value] of Object.entries({ batchSize: 2, seed: 5, samplesPerVolume: 3 })) {
    writeFileSync(at("edited", "config.json"), JSON.stringify({ ...config, [name]: value, epochs: 3 }));
    await refused(["train", "--resume", at("edited")], new RegExp(`${name} is ${value}, but the run was trained with`));
  }
});

test("a moved run goes on with --data", async () => {
  cpSync(run, at("moved"), { recursive: true });
  cpSync(data, at("elsewhere"), { recursive: true });
  const config = JSON.parse(readFileSync(at("moved", "config.json"), "utf8"));
  writeFileSync(at("moved", "config.json"), JSON.stringify({ ...config, data: "/nowhere" }));
  await refused(["train", "--resume", at("moved"), "--epochs", "3"], /nowhere does not exist/);
  await done(["train", "--resume", at("moved"), "--epochs", "3", "--data", at("elsewhere")]);
});

test("two processes do not train in one folder; one that was killed leaves it free", async () => {
  const long = [...train, "--out", at("shared"), "--epochs", "400"];
  const { child, ended } = startCli(long);
  while (readMetrics(at("shared")).length === 0) await new Promise((resolve) => setTimeout(resolve, 20));
  await refused(["train", "--resume", at("shared")], /shared is in use by process \d+/);
  child.kill("SIGKILL");
  await ended;
  expect(existsSync(at("shared", "run.lock"))).toBe(true);
  const free = await callCli(["train", "--resume", at("shared"), "--epochs", "2"]);
  expect(free.stderr).not.toMatch(/in use/);
});

test("a dataset without splits_final.json is trained in folds of its own; all that is wrong with it is told before", async () => {
  cpSync(data, at("plain"), { recursive: true });
  rmSync(at("plain", "splits_final.json"));
  const stdout = await done(["train", "--data", at("plain"), ...tinyOptions, "--out", at("folded")]);
  expect(stdout).toMatch(/no splits_final\.json: five folds/);
  expect(stdout).toMatch(/4 training cases, 2 validation cases/);
  for (const i of [1, 5]) truncateSync(at("plain", "imagesTr", `case${i}.nii.gz`), 2000);
  const { code, stderr } = await callCli(["train", "--data", at("plain"), ...tinyOptions, "--out", at("broken")]);
  expect(code).toBe(1);
  expect(stderr).toMatch(/^DataError: 2 of 6 cases cannot be used:\n {2}FormatError: .*case1.*\n {2}FormatError: .*case5/m);
  expect(existsSync(at("broken"))).toBe(false);
});
