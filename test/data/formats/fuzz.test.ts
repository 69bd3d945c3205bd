/** @file Damaged files of all formats are read or refused by a typed error, soon, and in little memory. */

import { spawnSync } from "node:child_process";
import { expect, test } from "vitest";

/** Runs `fuzz.ts` in a process of its own. */
function fuzz(
  count: number,
  seed: number,
): { wrong: string[]; slowestMs: number; greediest: number; read: number; refused: number } {
  const script = new URL("./fuzz.ts", import.meta.url).pathname;
  const { stdout, stderr } = spawnSync(process.execPath, ["--conditions=voxgrad-source", script, String(count), String(seed)], {
    encoding: "utf8",
  });
  if (stdout === "") throw new Error(`the fuzzer died: ${stderr}`);
  return JSON.parse(stdout);
}

test("some hundreds; the full tier has 200,000", () => {
  const { wrong, read, refused } = fuzz(700, 1);
  expect(wrong).toEqual([]);
  // That damage is neither too small to matter nor so large that nothing is reached.
  expect(Math.min(read, refused)).toBeGreaterThan(100);
});
