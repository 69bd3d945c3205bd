/** @file The augmentation of the CHAOS recipe: positions of a slice come equally often, scaling is linear, labels stay class numbers. */

import { expect, test } from "vitest";
import { chaosAugmentation } from "../../../src/data/transforms/index.ts";
import type { HostArray } from "../../../src/host/array.ts";

const n = 16;
const slice = (value: (a: number, b: number) => number): HostArray => ({
  data: Float32Array.from({ length: n * n }, (_, i) => value(Math.floor(i / n), i % n)),
  shape: [1, n, n],
});

test("all eight positions of a slice come equally often; enlarged or reduced, a ramp stays one and its label quarters", () => {
  const image = slice((a, b) => 10 * a + 100 * b);
  const label = slice((a, b) => 1 + Number(a >= n / 2) + 2 * Number(b >= n / 2));
  const chain = chaosAugmentation(["image", "label"], { labels: ["label"] });
  const runs = 2000;
  const positions = new Map<string, number>();
  let scaled = 0;
  for (let seed = 0; seed < runs; seed++) {
    chain.setRandomState(seed);
    const out = chain.apply({ image, label }) as { image: HostArray; label: HostArray };
    expect(new Set(out.label.data)).toEqual(new Set([1, 2, 3, 4]));
    // Pixels of the four quarters, at each scale.
    const quarters = [4, 12].flatMap((a) => [4, 12].map((b) => out.label.data[a * n + b])).join("");
    positions.set(quarters, (positions.get(quarters) ?? 0) + 1);
    const row = Array.from({ length: 8 }, (_, k) => out.image.data[(n / 2) * n + 4 + k]);
    const steps = row.slice(1).map((v, k) => v - row[k]);
    expect(Math.max(...steps) - Math.min(...steps)).toBeLessThan(1e-3);
    const slope = Math.abs(steps[0]) / (Math.abs(steps[0]) > 50 ? 100 : 10);
    if (Math.abs(slope - 1) > 1e-3) scaled++;
    expect(slope).toBeGreaterThan(1 / 1.13);
    expect(slope).toBeLessThan(1 / 0.87);
  }
  expect(positions.size).toBe(8);
  for (const count of positions.values()) expect(Math.abs(count / runs - 1 / 8)).toBeLessThan(0.03);
  // Factors close to 1 keep the size of so small a slice.
  expect(scaled / runs).toBeGreaterThan(0.2);
  expect(scaled / runs).toBeLessThan(0.5);
});
