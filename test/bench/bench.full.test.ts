/** @file The ceiling of the adapter is measured, and no kernel is above it. */

import { expect, test } from "vitest";
import { bench, benchCases } from "../../src/bench/index.ts";
import { device } from "../lib/device.ts";

test("multiply-adds and copies have a rate, and convolutions stay below it", async () => {
  const { ceiling, results } = await bench(await device(), benchCases, { filter: "conv 2-D 16x128", time: 1 });
  expect(ceiling.gflops).toBeGreaterThan(0.1);
  expect(ceiling.gbps).toBeGreaterThan(0.01);
  expect(results).toHaveLength(1);
  expect(results[0].share).toBeGreaterThan(0);
  expect(results[0].share).toBeLessThan(1.5);
});
