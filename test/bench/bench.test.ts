/** @file `voxgrad/bench`: cases of one's own are timed and stand beside the ceiling. */

import { expect, test } from "vitest";
import { bench, type BenchCase, benchTable } from "../../src/bench/index.ts";
import { conv, matmul, relu } from "../../src/index.ts";
import { hasLanes } from "../../src/kernels/lib/subgroups.ts";
import { device } from "../lib/device.ts";

test("times what it is given, and says its share of the ceiling", async () => {
  const dev = await device();
  const before = dev.memoryReport().tensors;
  const cases: BenchCase[] = [
    { name: "matmul 8³", inputs: { a: [8, 8], b: [8, 8] }, run: ({ a, b }) => matmul(a, b) },
    { name: "relu 64", inputs: { x: [64] }, run: ({ x }) => relu(x), differentiable: [], bytes: 512 },
    { name: "left out", inputs: {}, run: () => expect.unreachable() },
  ];
  const seen: string[] = [];
  const ceiling = { gflops: 10, halfGflops: undefined, gbps: 2 };
  const report = await bench(dev, cases.slice(0, 2), { time: 1, ceiling, onResult: ({ name }) => seen.push(name) });
  expect(seen).toEqual(["matmul 8³", "relu 64"]);
  const [product, pointwise] = report.results;
  expect(product.gflops).toBeCloseTo((2 * 8 ** 3) / product.forwardMs / 1e6, 10);
  expect(product.totalMs).toBeGreaterThan(0);
  expect([pointwise.totalMs, pointwise.gflops]).toEqual([undefined, 0]);
  expect(pointwise.gbps).toBeCloseTo(512 / pointwise.forwardMs / 1e6, 10);
  expect(pointwise.share).toBeCloseTo(pointwise.gbps / report.ceiling.gbps, 10);
  expect(report.ceiling).toEqual(ceiling);
  expect(benchTable(report)).toMatch(/measured ceiling: [\d.]+ GFLOP\/s[^]*\nmatmul 8³ .* %   with gradients .* ms/);
  await expect(bench(dev, cases, { filter: "nothing" })).rejects.toThrow('no case has "nothing" in its name');
  expect(dev.memoryReport().tensors).toBeLessThanOrEqual(before);
});

test.runIf(hasLanes(await device()))(
  "each call does all of the work, also what a plan would keep since its inputs are the same",
  async () => {
    const inputs = { x: [4, 16, 64, 64], w: [16, 16, 3, 3] };
    const layer: BenchCase = {
      name: "layer",
      inputs,
      run: ({ x, w }) => conv(x, w, undefined, { padding: 1 }),
      differentiable: [],
    };
    const ceiling = { gflops: 10, halfGflops: undefined, gbps: 2 };
    const { results } = await bench(await device(), [layer], { time: 5, ceiling });
    expect(results[0].kernels.map(({ key }) => key.split(" ")[0]).sort()).toEqual(["conv.pack_rows", "conv.rows"]);
  },
);
