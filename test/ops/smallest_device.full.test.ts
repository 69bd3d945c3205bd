/**
 * @file The op table, the optimizers and the recipes on the smallest device that WebGPU allows: the specification's own limits (8 storage buffers a stage, 16 KiB of shared memory, 256 threads,
 * 128 MiB a binding) and no optional feature, with the kernels that hardware gets. What needs more would fail on somebody's phone alone.
 */

import { afterAll, expect, test } from "vitest";
import { add, type Device, mean, openDevice, parameter, square } from "../../src/index.ts";
import { loadGPU } from "../../src/tensor/gpu.node.ts";
import * as nn from "../../src/nn/index.ts";
import { rowTests } from "../../src/testing/index.ts";
import { lossesOf } from "../browser/recipe_steps.ts";
import { device } from "../lib/device.ts";
import { optimizers } from "../lib/optim.ts";
import { allRows } from "../lib/table.ts";
import { tinyRecipes } from "../lib/tiny_recipes.ts";

const adapter = await (await loadGPU([])).requestAdapter();
const gpu = await adapter!.requestDevice();
const smallest: Device = await openDevice({ device: gpu });
Object.defineProperty(smallest, "software", { value: false });
afterAll(() => {
  smallest.close();
  gpu.destroy();
});

test("it is the smallest", () => {
  const { maxStorageBuffersPerShaderStage, maxComputeWorkgroupStorageSize, maxComputeInvocationsPerWorkgroup } = gpu.limits;
  const limits = [maxStorageBuffersPerShaderStage, maxComputeWorkgroupStorageSize, maxComputeInvocationsPerWorkgroup];
  expect(limits).toEqual([8, 16_384, 256]);
  expect([...gpu.features].filter((name) => name !== "core-features-and-limits")).toEqual([]);
});

// Every third sample: kernels and their variants come again and again, all of them take a minute.
const tests = allRows.flatMap((row) =>
  rowTests(row, { whole: false, errors: false })
    .filter((_, i) => i % 3 === 0)
    .map((one) => ({ row, ...one })),
);
test.each(tests)("smallest/$row.name $title", ({ run }) => run(smallest));

/** Two weights of one value and of many, after three steps with all that an optimizer can do. */
async function optimized(name: string, on: Device): Promise<number[]> {
  const weights = [[1], [257]].map((shape) => {
    return parameter(on.tensor({ shape, data: Float32Array.from({ length: shape[0] }, (_, i) => Math.sin(i)) }));
  });
  const options = { lr: 0.01, weightDecay: 0.01 };
  const optimizer = new optimizers[name](weights, options);
  const ema = new nn.EMA(optimizer, 0.9);
  for (let step = 0; step < 3; step++) {
    optimizer.minimize(add(mean(square(weights[0])), mean(square(weights[1]))), { clipNorm: 1 });
    ema.update();
  }
  const values = await Promise.all(weights.map((w) => w.data()));
  return values.flatMap((list) => [...list]);
}

test.each(Object.keys(optimizers))("smallest/%s", async (name) => {
  const expected = await optimized(name, await device());
  const found = await optimized(name, smallest);
  found.forEach((v, i) => expect(v).toBeCloseTo(expected[i], 6));
});

// nnU-Net's has the kernels of the others, and measures what the device can do for longer than all of this takes.
test.each(Object.keys(tinyRecipes).filter((name) => name !== "nnunet"))("smallest/recipe %s", async (name) => {
  const expected = await lossesOf(name, await device());
  const found = await lossesOf(name, smallest);
  expect(found).toHaveLength(expected.length);
  found.forEach((v, i) => expect(Math.abs(v - expected[i])).toBeLessThan(1e-4 * Math.max(1, Math.abs(expected[i]))));
});
