/**
 * @file Norms whose groups are too few to fill a GPU: in slabs they give what one workgroup per group gives. Software adapters never choose slabs, so the
 * choice is made for them here; the whole table of rows runs both ways.
 */

import { afterEach, describe, expect, test } from "vitest";
import { batchNorm, type Device, grad, mul, openDevice, profile, scope, sum, type Tensor } from "../../src/index.ts";
import { expectClose, readAll } from "../lib/compare.ts";
import { device as open } from "../lib/device.ts";
import { rows as layerRows } from "./rows/norm_layer.ts";
import { rows as normRows } from "./rows/norm.ts";
import { rows as batchRows } from "./rows/norm_batch.ts";
import type { Row } from "../lib/row.ts";
import { sampleResults } from "../lib/sample.ts";

const device = await open();
afterEach(() => void device.choices.delete("norm"));

const samples = [...normRows, ...batchRows, ...layerRows].flatMap((row: Row<any>) =>
  row.samples.map((sample) => ({ id: sample.id, row, sample })),
);

test.each(samples)("slabs/$id", async ({ row, sample }) => {
  const whole = await sampleResults(row, sample, device);
  device.choices.set("norm", "slabs");
  const before = device.memory.live;
  const slabs = await sampleResults(row, sample, device);
  // Gradients that cancel to almost nothing differ by what is left of them.
  const floor = Math.max(1e-2, row.tolerance?.floor ?? 0, sample.tolerance?.floor ?? 0);
  for (const [name, values] of Object.entries(whole)) expectClose(name, slabs[name], values, 2e-5, floor);
  expect(device.memory.live, "bytes left behind").toBe(before);
});

const names = async (on: Device, fn: () => void): Promise<string[]> =>
  (await profile(on, fn)).map((k) => k.key.replace(/ LANES\d+| subgroups/g, "")).filter((key) => key.startsWith("norm"));

describe.runIf(device.gpu.features.has("timestamp-query"))("slabs", () => {
  const slabs = [
    "norm.affine_gradient",
    "norm.forward slabs x4",
    "norm.gradient given x4",
    "norm.slab_moments x4",
    "norm.slab_sums x4",
  ];

  test("are what ran", async () => {
    device.choices.set("norm", "slabs");
    const x = device.tensor({ data: new Float32Array(2 * 2 * 64), shape: [2, 2, 64] });
    x.requiresGrad = true;
    const kernels = await names(device, () => scope(() => void grad(sum(batchNorm(x)), [x])));
    expect(kernels.sort()).toEqual(slabs.slice(1));
    x.dispose();
  });

  test("are chosen by hardware for few large groups, and only for these", async () => {
    const hardware = await openDevice();
    Object.defineProperty(hardware, "software", { value: false });
    const run = async (on: Device, shape: number[]) => {
      const tensor = (count: number, by: number, size: number[]) =>
        on.tensor({ data: Float32Array.from({ length: count }, (_, i) => 3 + Math.sin(i * by)), shape: size });
      const results: Record<string, Tensor> = {};
      const kernels = await names(on, () => {
        const x = tensor(shape[0] * shape[1] * shape[2], 0.37, shape);
        const inputs = [x, ...[0.5, 2, 5].map((by) => tensor(shape[1], by, [shape[1]]))];
        for (const t of inputs) t.requiresGrad = true;
        const [, weight, bias, prelu] = inputs;
        scope(() => {
          const y = batchNorm(x, weight, bias, undefined, { activation: { prelu } });
          const gradients = grad(sum(mul(y, tensor(x.size, 0.11, shape))), inputs);
          return [y, ...gradients].map((t, i) => (results[`result ${i}`] = t));
        });
        for (const t of inputs) t.dispose();
      });
      const values = await readAll(results);
      for (const t of Object.values(results)) t.dispose();
      return { values, kernels: kernels.sort() };
    };
    const [here, there] = [await run(device, [1, 2, 131_072]), await run(hardware, [1, 2, 131_072])];
    expect(here.kernels).toEqual(["norm.affine_gradient", "norm.forward x4", "norm.gradient x4"]);
    expect(there.kernels).toEqual(slabs);
    for (const [name, values] of Object.entries(here.values)) expectClose(name, there.values[name], values, 1e-5, 1e-2);
    expect((await run(hardware, [1, 2, 4096])).kernels).toEqual(here.kernels);
    hardware.close();
  });
});
