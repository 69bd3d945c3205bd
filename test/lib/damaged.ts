/** @file A dataset and a run to damage, and what the command line must do then: exit code 1, one typed error that names its cause, nothing half written. */

import { cpSync, existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readNiftiFile, writeNiftiFile } from "../../src/data/index.node.ts";
import { makeVolume, type Volume } from "../../src/data/volume.ts";
import { callCli } from "./call_cli.ts";
import { temporaryFolder, tinyOptions, writeTinyDataset } from "./tiny.ts";

const { folder, remove } = temporaryFolder();
const good = join(folder, "good");
const trained = join(folder, "trained");

/** Where the copies are that a test damages, and where commands write. */
export const data: string = join(folder, "data");
export const run: string = join(folder, "run");
export const out: string = join(folder, "out");
export const nowhere: string = join(folder, "none");
export const image: string = join(data, "imagesTr", "case0.nii.gz");
export const label: string = join(data, "labelsTr", "case0.nii.gz");

export const trainArgs: readonly string[] = ["train", "--data", data, "--out", out, ...tinyOptions];
export const resumeArgs: readonly string[] = ["train", "--resume", run];
export const predictArgs: readonly string[] = ["predict", "--run", run, "--out", out, join(good, "imagesTr", "case0.nii.gz")];

/** Makes the dataset, and a run on it if one is wanted, before the tests of a file. */
export function prepare({ train }: { readonly train: boolean }): void {
  beforeAll(async () => {
    await writeTinyDataset(good);
    if (!train) return;
    const { code, stderr } = await callCli(["train", "--data", good, "--out", trained, ...tinyOptions, "--epochs", "2"]);
    expect(code, stderr).toBe(0);
  });
  afterAll(remove);
}

/** Fresh copies of the dataset and the run, for a case to damage. */
export function restore(): void {
  for (const path of [data, run, out]) rmSync(path, { recursive: true, force: true });
  cpSync(good, data, { recursive: true });
  if (existsSync(trained)) cpSync(trained, run, { recursive: true });
}

export function expectFailure({ code, stderr }: { code: unknown; stderr: string }, error: string, message: RegExp): void {
  expect(stderr).toMatch(new RegExp(`^(case "[^"]*": )?${error}: `, "m"));
  expect(stderr).toMatch(message);
  expect(stderr).not.toMatch(/^\s+at .*\.ts:/m);
  expect(code).toBe(1);
  // What a failed run leaves is whole: its options perhaps, but nothing temporary and nothing that looks like a result.
  const left = existsSync(out) && statSync(out).isDirectory() ? readdirSync(out) : [];
  expect(["config.json", "metrics.jsonl", "run.json", "sessions.jsonl"]).toEqual(expect.arrayContaining(left));
}

/** What a folder holds, by path: a command that is refused leaves a run as it was. */
export function filesOf(path: string): Record<string, string> {
  const names = existsSync(path) ? readdirSync(path, { recursive: true, encoding: "utf8" }) : [];
  const found = names.filter((name) => statSync(join(path, name)).isFile());
  return Object.fromEntries(found.map((name) => [name, readFileSync(join(path, name), "latin1")]));
}

export function edit(path: string, change: (json: any) => void): void {
  const json = JSON.parse(readFileSync(path, "utf8"));
  change(json);
  writeFileSync(path, JSON.stringify(json));
}

export async function editVolume(path: string, change: (volume: Volume) => Volume | void): Promise<void> {
  const volume = await readNiftiFile(path);
  await writeNiftiFile(path, change(volume) ?? volume);
}

/** The volume with its channels doubled. */
export function twice({ data: from, shape: [c, ...size], affine }: Volume): Volume {
  return makeVolume({ data: Float32Array.from([...from, ...from]), shape: [2 * c, ...size] }, affine);
}

export const nothing = (): void => {};

/** What is damaged, which command meets it, and what it says. */
export type Row = readonly [
  title: string,
  damage: () => void | Promise<void>,
  args: readonly string[],
  error: string,
  message: RegExp,
];

/** A test for each row, in this process, which is fast. */
export function testRows(rows: readonly Row[]): void {
  test.each(rows)("%s", async (_, damageIt, args, error, message) => {
    restore();
    await damageIt();
    const before = filesOf(run);
    expectFailure(await callCli([...args]), error, message);
    expect(filesOf(run)).toEqual(before);
  });
}
