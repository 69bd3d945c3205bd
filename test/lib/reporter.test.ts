/** @file The command printed for a failing test means this test: to the shell, and to vitest's `-t`. */

import { spawnSync } from "node:child_process";
import { expect, test } from "vitest";
import { commandOf, type TestName } from "./reporter.ts";

const names: readonly TestName[] = [
  { project: "gpu", file: "test/ops/rows/conv.ts", titles: ["conv", "conv/3d-stride2-pad1"] },
  { project: "full", file: "test/ops/rows/conv.ts", titles: ["conv", "conv/3d-stride2-pad1"] },
  { project: "gpu", file: "test/nn/losses/losses.test.ts", titles: ['DiceLoss/02 {"softmax":true,"weight":[1,0.5]}'] },
  {
    project: "host",
    file: "test/weights/hostile.test.ts",
    titles: ["pickles", "Python 2's eval", "a (b) $c ^d \\e | f? * + `g`"],
  },
  { project: "host", file: "test/host/a file.test.ts", titles: [] },
];

test("the command in plain words", () => {
  expect(names.slice(0, 3).map(commandOf)).toEqual([
    "npm test -- test/ops/rows/conv.ts -t '^conv conv/3d-stride2-pad1$'",
    "npm run test:full -- test/ops/rows/conv.ts -t '^conv conv/3d-stride2-pad1$'",
    String.raw`npm test -- test/nn/losses/losses.test.ts -t '^DiceLoss/02 \{"softmax":true,"weight":\[1,0\.5\]\}$'`,
  ]);
});

test.each(names)("$titles reaches vitest as it is", (name) => {
  const [script, args] = commandOf(name).split(" -- ");
  expect(script).toBe(name.project === "full" ? "npm run test:full" : "npm test");
  const { stdout } = spawnSync("sh", ["-c", String.raw`printf '%s\n' ${args}`], { encoding: "utf8" });
  const [file, option, pattern] = stdout.trimEnd().split("\n");
  expect(file).toBe(name.file);
  if (name.titles.length === 0) return expect(option).toBeUndefined();
  expect(option).toBe("-t");
  const whole = name.titles.join(" ");
  expect(new RegExp(pattern).test(whole)).toBe(true);
  expect([`${whole} 2`, `a ${whole}`].some((other) => new RegExp(pattern).test(other))).toBe(false);
});
