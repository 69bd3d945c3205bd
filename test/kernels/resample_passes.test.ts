/** @file Maps along several axes go axis by axis or in one pass, whichever touches fewer elements; what is a plain sum is one. */

import { expect, test } from "vitest";
import { adaptiveAvgPool, avgPool, full, interpolate, type Tensor } from "../../src/index.ts";
import { device } from "../lib/device.ts";

/** The results of what is dispatched, by their shapes, in turn. */
async function passes(shape: readonly number[], fn: (x: Tensor) => Tensor): Promise<string[]> {
  const gpu = await device();
  const x = full(gpu, shape, 1);
  const { run } = gpu;
  const seen: string[] = [];
  gpu.run = (call) => {
    const { tensor } = call.bindings.find(({ access }) => access !== "read")!;
    seen.push(`${call.program.key.split(" ")[0]} [${tensor.shape.join()}]`);
    return run.call(gpu, call);
  };
  try {
    fn(x).dispose();
  } finally {
    gpu.run = run;
    x.dispose();
  }
  return seen;
}

test("linear interpolation goes axis by axis, what shrinks most first", async () => {
  expect(await passes([1, 2, 8, 8, 8], (x) => interpolate(x, { size: [16, 4, 8], mode: "trilinear" }))).toEqual([
    "resample.apply [2,8,4,8]",
    "resample.apply [2,16,4,8]",
  ]);
});

test("nearest neighbors and small averages take one pass", async () => {
  expect(await passes([1, 2, 8, 8, 8], (x) => interpolate(x, { scaleFactor: 2, mode: "nearest" }))).toHaveLength(1);
  expect(await passes([1, 2, 8, 8, 8], (x) => avgPool(x, { kernelSize: 2 }))).toEqual(["resample.apply [2,4,4,4]"]);
});

test("an average of all is a sum", async () => {
  const [first, ...more] = await passes([1, 2, 8, 8, 8], (x) => adaptiveAvgPool(x, 1));
  expect(first).toMatch(/^reduce\./);
  expect(more.filter((key) => key.startsWith("resample"))).toEqual([]);
});
