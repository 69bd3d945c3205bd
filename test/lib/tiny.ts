/** @file A tiny dataset in a temporary folder, and the command line in a process of its own. */

import { spawn, type ChildProcess } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { writeNiftiFile } from "../../src/data/index.node.ts";
import { type AffineMatrix, createTestImage3d, makeVolume, RandomState } from "../../src/data/index.ts";

/** A new folder and how to delete it. */
export function temporaryFolder(): { folder: string; remove: () => void } {
  const folder = mkdtempSync(join(tmpdir(), "voxgrad-run-"));
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }) };
}

/** Anisotropic, oblique and mirrored, so that a lost or mixed-up geometry shows; multiples of 1/256, so that f32 holds them. */
export const affine: AffineMatrix = [
  [-0.75, 0.25, 0, 30.5],
  [0.25, 0.75, 0.125, -12.25],
  [0, -0.125, 1.5, 7],
  [0, 0, 0, 1],
];

/**
 * Four training and two validation cases of about 18 voxels per side, balls on a noisy ground, in Decathlon layout. Label values count
 * from 0 through `labels`; `relabel` may change one of a case.
 */
export async function writeTinyDataset(
  folder: string,
  labels: Record<number, string> = { 0: "background", 1: "ball" },
  relabel: (value: number, caseIndex: number) => number = (v) => v,
): Promise<void> {
  const names = Array.from({ length: 6 }, (_, i) => `case${i}`);
  for (const part of ["imagesTr", "labelsTr"]) await mkdir(join(folder, part), { recursive: true });
  const randomState = new RandomState(7);
  for (const [i, name] of names.entries()) {
    const options = {
      numObjs: 3,
      numSegClasses: Object.keys(labels).length - 1,
      radMin: 3,
      radMax: 6,
      noiseMax: 0.3,
      channelDim: 0,
      randomState,
    };
    const { image, label } = createTestImage3d(16 + i, 20 - i, 18, options);
    await writeNiftiFile(join(folder, "imagesTr", `${name}.nii.gz`), makeVolume(image, affine), { dtype: "f32" });
    await writeNiftiFile(
      join(folder, "labelsTr", `${name}.nii.gz`),
      makeVolume({ ...label, data: label.data.map((v) => relabel(v, i)) }, affine),
      { dtype: "u8" },
    );
  }
  await writeJson(join(folder, "splits_final.json"), [{ train: names.slice(0, 4), val: names.slice(4) }]);
  await writeJson(join(folder, "dataset.json"), {
    name: "Tiny",
    modality: { 0: "synthetic" },
    labels,
    numTraining: names.length,
    training: names.map((n) => ({ image: `./imagesTr/${n}.nii.gz`, label: `./labelsTr/${n}.nii.gz` })),
    test: [],
  });
}

export const writeJson = (path: string, value: unknown) => writeFile(path, JSON.stringify(value));

/** A network and an epoch that train in a moment. */
export const tinyOptions = (
  "--channels 4,8 --num-res-units 1 --patch-size 16,16 --fit resize --normalize scale --slice-axis 2 --foreground 0.5 " +
  "--batch-size 4 --samples-per-volume 8 --epochs 2 --validate-every 1 --lr 0.01 --workers 0"
).split(" ");

export interface Ended {
  readonly code: number | null;
  readonly killed: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** `voxgrad` with these arguments in a child process that can be sent signals. */
export function startCli(args: readonly string[], env: NodeJS.ProcessEnv = {}): { child: ChildProcess; ended: Promise<Ended> } {
  const cli = fileURLToPath(new URL("../../src/seg/cli/main.node.ts", import.meta.url));
  const child = spawn(process.execPath, ["--conditions=voxgrad-source", cli, ...args], { env: { ...process.env, ...env } });
  let [stdout, stderr] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  const ended = new Promise<Ended>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, killed) => resolve({ code, killed, stdout, stderr }));
  });
  return { child, ended };
}

export const runCli = (args: readonly string[], env?: NodeJS.ProcessEnv): Promise<Ended> => startCli(args, env).ended;

/** As runCli; throws what the command printed unless it gave exit code 0. */
export async function succeed(args: readonly string[]): Promise<Ended> {
  const ended = await runCli(args);
  if (ended.code !== 0) throw new Error(`voxgrad ${args.join(" ")}: exit code ${ended.code}\n${ended.stdout}\n${ended.stderr}`);
  return ended;
}

/** The lines of metrics.jsonl of a run; without the last if it is being written. */
export function readMetrics(run: string): { epoch: number; loss: number; step?: number; dice?: number[] }[] {
  const path = join(run, "metrics.jsonl");
  if (!existsSync(path)) return [];
  const lines = readFileSync(path, "utf8").split("\n");
  return lines.slice(0, -1).map((line) => JSON.parse(line));
}
