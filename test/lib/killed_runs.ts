/** @file Runs that are killed at random moments and go on: they must end with the weights of one that was not. */

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "vitest";
import { RandomState } from "../../src/data/index.ts";
import { startCli, succeed } from "./tiny.ts";

/** Commands that are killed at random moments. */
class Killing {
  private readonly random: RandomState;
  private readonly kills: number;
  private readonly duration: number;
  private killed = 0;

  /** `duration`: milliseconds that a command takes in peace. */
  constructor(seed: number, kills: number, duration: number) {
    this.random = new RandomState(seed);
    this.kills = kills;
    this.duration = duration;
  }

  get done(): boolean {
    return this.killed >= this.kills;
  }

  /** Runs what `next` gives again and again, until it ends by itself. */
  async untilFinished(next: () => readonly string[]): Promise<void> {
    for (;;) {
      const { child, ended } = startCli(next());
      const wait = this.random.uniform(0.3, 1) * this.duration;
      const stop = this.done ? undefined : sleep(wait).then(() => child.kill("SIGKILL"));
      const { code, killed, stderr } = await ended;
      await stop;
      if (killed === "SIGKILL") this.killed++;
      else expect(code, stderr).toBe(0);
      if (code === 0) return;
    }
  }
}

async function timed(args: readonly string[]): Promise<number> {
  const begun = performance.now();
  await succeed(args);
  return performance.now() - begun;
}

/**
 * Trains once in peace, then again and again under SIGKILL.
 * @param train arguments of `voxgrad` without --out and --workers
 * @param folder where the runs go
 * @param kills how many SIGKILLs in all
 */
export async function expectSurvival(train: readonly string[], folder: string, kills: number): Promise<void> {
  const run = [...train, "--checkpoint-seconds", "0.2"];
  const whole = join(folder, "whole");
  const killing = new Killing(11, kills, await timed([...run, "--out", whole, "--workers", "0"]));
  const weights = readFileSync(join(whole, "weights.safetensors"));
  for (let round = 0; !killing.done; round++) {
    const out = join(folder, `killed${round}`);
    await killing.untilFinished(() =>
      existsSync(join(out, "checkpoint.safetensors")) ? ["train", "--resume", out] : [...run, "--out", out, "--workers", "1"],
    );
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
  const killing = new Killing(12, kills, await timed(fill(whole)));
  const names = readdirSync(whole);
  expect(names.length).toBeGreaterThan(0);
  for (let round = 0; !killing.done; round++) {
    const out = join(folder, `killed${round}`);
    await killing.untilFinished(() => fill(out));
    for (const name of names) expect(readFileSync(join(out, name)).equals(readFileSync(join(whole, name))), name).toBe(true);
  }
}
