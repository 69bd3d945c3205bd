/** @file What `tune` times beside the convolutions: every variant of a trial runs, is another program where it should be, and leaves nothing behind. */

import { afterEach, expect, test } from "vitest";
import { matmulTrials } from "../../src/kernels/matmul.ts";
import { normTrials } from "../../src/kernels/norm/trials.ts";
import type { KernelCall } from "../../src/tensor/kernel.ts";
import { device as open } from "../lib/device.ts";

const device = await open();
const { run } = device;
afterEach(() => {
  device.run = run;
  device.choices.clear();
});

const families = { matmul: matmulTrials, norm: normTrials };
const trials = Object.entries(families).flatMap(([family, of]) => of(device, false).map((trial) => ({ ...trial, family })));

test("classes of problems differ and begin with the name of their family", () => {
  expect(new Set(trials.map((t) => t.problem)).size).toBe(trials.length);
  for (const { family, problem, variants, rule } of trials) {
    expect(problem.split(" ")[0]).toBe(family);
    expect(variants).toContain(rule);
  }
});

test.each(trials)("$problem", async ({ problem, variants, prepare }) => {
  const before = device.memory.live;
  const trial = prepare();
  const programs = variants.map((variant) => {
    const keys: string[] = [];
    device.run = (call: KernelCall) => {
      keys.push(call.program.key);
      run.call(device, call);
    };
    device.choices.set(problem, variant);
    trial.run();
    return keys.join();
  });
  expect(new Set(programs).size).toBe(variants.length);
  trial.dispose();
  await device.settle();
  expect(device.memory.live, "bytes left behind").toBeLessThanOrEqual(before); // less if something was collected meanwhile
});

test("a choice may be noted for a whole family; one for the class comes first", () => {
  const { problem, prepare } = trials.find((t) => t.family === "matmul")!;
  const trial = prepare();
  const heads: string[] = [];
  device.run = (call: KernelCall) => void heads.push(call.program.key.split(" ")[0]);
  device.choices.set("matmul", "tile 64x64");
  trial.run();
  device.choices.set(problem, "registers");
  trial.run();
  expect(heads.filter((head) => head.startsWith("matmul"))).toEqual(["matmul.tile", "matmul.registers"]);
  trial.dispose();
});
