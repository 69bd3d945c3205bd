/** @file 200,000 damaged files of all formats are read or refused by a typed error, none takes a second or more than four times its size. */

import { spawnSync } from "node:child_process";
import { expect, test } from "vitest";

test("200,000 files", { timeout: 1_200_000 }, () => {
  const script = new URL("./fuzz.ts", import.meta.url).pathname;
  const { stdout, stderr } = spawnSync(process.execPath, ["--conditions=voxgrad-source", script, "200000", "2"], {
    encoding: "utf8",
  });
  expect(stderr).toBe("");
  const { wrong, slowestMs, greediest } = JSON.parse(stdout);
  console.log(`slowest ${slowestMs} ms, at most ${greediest.toFixed(2)} times the file's size`);
  expect(wrong).toEqual([]);
  expect(slowestMs).toBeLessThan(1000);
});
