/**
 * @file Norms whose groups are too few to fill a GPU: in slabs they give what one workgroup per group gives. Software adapters never choose slabs, so the
 * choice is made for them here; the whole table of rows runs both ways, and long groups are compared with float64.
 */

import { afterEach, describe, expect, test } from "vitest";
import {
  batchNorm,
  type Device,
  grad,
  instanceNorm,
  mul,
  openDevice,
  profile,
  scope,
  sum,
  type Tensor,
} from "../../src/index.ts";
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

/** Far from 0, with a mean that drifts from slab to slab. */
const drifting = (size: number) => Float32Array.from({ length: size }, (_, i) => 3000 + Math.sin(i * 0.37) + (4 * i) / size);

/** A group in float64: its result, and the gradient of Σ result · dy. */
function reference(x: Float32Array, dy: Float32Array, eps: number) {
  const meanOf = (values: Float64Array) => values.reduce((all, v) => all + v, 0) / values.length;
  const mean = meanOf(Float64Array.from(x));
  const scale = 1 / Math.sqrt(meanOf(Float64Array.from(x, (v) => (v - mean) ** 2)) + eps);
  const y = Float64Array.from(x, (v) => (v - mean) * scale);
  const [all, along] = [meanOf(Float64Array.from(dy)), meanOf(y.map((v, i) => v * dy[i]))];
  return { y, dx: y.map((v, i) => scale * (dy[i] - all - v * along)) };
}

// Four elements a thread or one, in slabs of more than a block of `norm_moments`.
test.each([70_001, 70_004, 300_001])("a group of %i elements far from 0 is that of float64", async (size) => {
  device.choices.set("norm", "slabs");
  const groups = [0, 1].map((g) => drifting(size).map((v) => v + 50 * g));
  const dy = Float32Array.from({ length: size }, (_, i) => Math.cos(i * 0.11) + i / size);
  const shape = [1, 2, size];
  const of = (arrays: readonly Float32Array[]) =>
    device.tensor({ data: Float32Array.from(arrays.flatMap((a) => [...a])), shape });
  const x = of(groups);
  x.requiresGrad = true;
  const weights = of([dy, dy]);
  const found = scope(() => {
    const y = instanceNorm(x);
    return [y, ...grad(sum(mul(y, weights)), [x])];
  });
  const [y, dx] = await Promise.all(found.map((t) => t.data()));
  const wanted = groups.map((g) => reference(g, dy, 1e-5));
  for (const [g, { y: whole, dx: gradient }] of wanted.entries()) {
    expectClose(`y ${g}`, y.subarray(g * size, (g + 1) * size), whole, 1e-6);
    expectClose(`dx ${g}`, dx.subarray(g * size, (g + 1) * size), gradient, 2e-6);
  }
  for (const t of [x, weights, ...found]) t.dispose();
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
