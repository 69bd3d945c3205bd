/** @file `voxgrad/bench`: cases of one's own are timed and stand beside the ceiling. */

import { expect, test } from "vitest";
import { bench, type BenchCase, benchTable } from "../../src/bench/index.ts";
import { matmul, relu } from "../../src/index.ts";
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
