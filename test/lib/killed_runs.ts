/** @file Runs that are killed at random moments and go on: they must end with the weights of one that was not. */

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "vitest";
import { RandomState } from "../../src/data/index.ts";
import { startCli, succeed } from "./tiny.ts";

/**
 * Trains once in peace, then again and again under SIGKILL.
 * @param train arguments of `voxgrad` without --out and --workers
 * @param folder where the runs go
 * @param kills how many SIGKILLs in all
 */
export async function expectSurvival(train: readonly string[], folder: string, kills: number): Promise<void> {
  const run = [...train, "--checkpoint-seconds", "0.2"];
  const whole = join(folder, "whole");
  const begun = performance.now();
  await succeed([...run, "--out", whole, "--workers", "0"]);
  const duration = performance.now() - begun;
  const weights = readFileSync(join(whole, "weights.safetensors"));
  const random = new RandomState(11);
  let done = 0;
  for (let round = 0; done < kills; round++) {
    const out = join(folder, `killed${round}`);
    let finished = false;
    while (!finished) {
      const how = existsSync(join(out, "checkpoint.safetensors"))
        ? ["train", "--resume", out]
        : [...run, "--out", out, "--workers", "1"];
      const { child, ended } = startCli(how);
      const stop = done < kills ? sleep(random.uniform(0.3, 1) * duration).then(() => child.kill("SIGKILL")) : undefined;
      const { code, killed, stderr } = await ended;
      await stop;
      if (killed === "SIGKILL") done++;
      else expect(code, stderr).toBe(0);
      finished = code === 0;
    }
    expect(readFileSync(join(out, "weights.safetensors")).equals(weights)).toBe(true);
  }
}

/**
 * Fills a folder once in peace, then others under SIGKILL, the same command again after each: every file must have the same bytes.
 * @param fill arguments of `voxgrad` that fill a folder
 * @param folder where the folders go
 * @param kills how many SIGKILLs in all
 */
export async function expectSameFiles(fill: (out: string) => readonly string[], folder: string, kills: number): Promise<void> {
  const whole = join(folder, "whole");
  const begun = performance.now();
  await succeed(fill(whole));
  const duration = performance.now() - begun;
  const names = readdirSync(whole);
  expect(names.length).toBeGreaterThan(0);
  const random = new RandomState(12);
  let done = 0;
  for (let round = 0; done < kills; round++) {
    const out = join(folder, `killed${round}`);
    for (let finished = false; !finished;) {
      const { child, ended } = startCli(fill(out));
      const stop = done < kills ? sleep(random.uniform(0.3, 1) * duration).then(() => child.kill("SIGKILL")) : undefined;
      const { code, killed, stderr } = await ended;
      await stop;
      if (killed === "SIGKILL") done++;
      else expect(code, stderr).toBe(0);
      finished = code === 0;
    }
    for (const name of names) expect(readFileSync(join(out, name)).equals(readFileSync(join(whole, name))), name).toBe(true);
  }
}
