/** @file Files of the set-up that another one reads while they are written. */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { temporaryFolder } from "../lib/tiny.ts";

const module = new URL("../../scripts/setup/whole.mjs", import.meta.url).href;

test("a file that two processes write is whole whenever it is read", async () => {
  const { folder, remove } = temporaryFolder();
  const file = join(folder, "manifest.json");
  const writer = (letter: string) => `
    const { writeWhole } = await import(${JSON.stringify(module)});
    for (let i = 0; i < 300; i++) writeWhole(${JSON.stringify(file)}, JSON.stringify({ i, text: ${JSON.stringify(letter)}.repeat(100_000) }));
  `;
  const writers = ["a", "b"].map((letter) => spawn(process.execPath, ["--input-type=module", "-e", writer(letter)]));
  const ended = Promise.all(writers.map((child) => once(child, "exit")));
  let read = 0;
  while (writers.some((child) => child.exitCode === null && child.signalCode === null)) {
    await new Promise((resolve) => setImmediate(resolve));
    if (!existsSync(file)) continue;
    expect(JSON.parse(readFileSync(file, "utf8")).text).toHaveLength(100_000);
    read++;
  }
  expect((await ended).map(([code]) => code as number)).toEqual([0, 0]);
  expect(read).toBeGreaterThan(10);
  expect(readdirSync(folder)).toEqual(["manifest.json"]);
  remove();
});
