/** @file How often which nodules come: by their diameter, the same in every run, and as ever without a power. */

import { expect, test } from "vitest";
import { RandomState } from "../../../src/data/index.ts";
import { cropPlan } from "../../../src/data/nodules/crop_place.ts";
import { NoduleCrops } from "../../../src/seg/recipes/nodules/crops.ts";
import { drawEntries, sharesOf } from "../../../src/seg/recipes/nodules/draw.ts";
import type { PreparedDataset } from "../../../src/seg/recipes/recipe.ts";

const counted = (drawn: readonly number[], n: number) => Array.from({ length: n }, (_, i) => drawn.filter((e) => e === i).length);

test("each entry once without shares, the order being numpy's permutation", () => {
  expect(drawEntries(20, new RandomState([7, 3, 20]))).toEqual(new RandomState([7, 3, 20]).permutation(20));
});

test("n times its share, rounded up or down, and nothing lost over many epochs", () => {
  const diameters = [3, 4, 6, 6, 10, 30];
  const shares = sharesOf(diameters, 2);
  expect(shares.reduce((a, b) => a + b)).toBeCloseTo(1, 12);
  expect(shares[0] / shares[5]).toBeCloseTo(100, 9);
  const totals = diameters.map(() => 0);
  const epochs = 600;
  for (let epoch = 0; epoch < epochs; epoch++) {
    const drawn = drawEntries(6, new RandomState([1, epoch]), shares);
    expect(drawn).toHaveLength(6);
    counted(drawn, 6).forEach((n, i) => {
      expect(Math.abs(n - 6 * shares[i])).toBeLessThan(1);
      totals[i] += n;
    });
  }
  totals.forEach((n, i) => expect(Math.abs(n / epochs - 6 * shares[i])).toBeLessThan(0.06));
});

test("crops follow it, epoch by epoch, whatever came before", async () => {
  const box = (at: number, radius: number) => ({
    center: [at, at, at] as const,
    radius,
    box: [0, 1, 2].map(() => [at, at + 1] as const),
  });
  const listed = (diameters: readonly number[]) => diameters.map((diameter) => ({ center: [0, 0, 0] as const, diameter }));
  const sources = [
    { id: "a", nodules: listed([4, 20]) },
    { id: "b", nodules: listed([8]) },
    { id: "none", nodules: [] },
    { id: "mask" },
  ];
  const volume = { data: new Uint8Array(4096), shape: [1, 16, 16, 16] };
  const scan = { image: volume, label: volume, boxes: [box(2, 2), box(11, 10)] };
  const cases = { sources, get: async () => scan } as unknown as PreparedDataset;
  const plan = cropPlan({ size: [4, 4, 4], probabilities: [1, 0, 0] });
  const drawn = async (sizePower: number, epochs: readonly number[]) => {
    const crops = new NoduleCrops(cases, plan, { perNodule: 16, seed: 5, sizePower });
    const names: string[][] = [];
    const places: number[] = [];
    for (const epoch of epochs) {
      const items = await Promise.all(
        Array.from({ length: crops.length }, (_, i) => crops.get(i, new RandomState([5, epoch, i]), epoch)),
      );
      names.push(items.map((item) => item["name"] as string));
      places.push(...items.filter((item) => item["name"] === "mask").map((item) => (item["start"] as number[])[0]));
    }
    return { names, places };
  };
  const [two] = (await drawn(3, [2])).names;
  expect((await drawn(3, [0, 1, 2])).names[2]).toEqual(two);
  const count = (names: readonly string[], name: string) => names.filter((n) => n === name).length;
  expect(two).toHaveLength(64);
  // In 512ths: 8 and 0.064 of a, 1 of b, and 1 of the one that nobody has listed, as of middle size.
  expect(Math.abs(count(two, "b") - 64 / 10.064)).toBeLessThan(2);
  expect(count(two, "a")).toBeGreaterThan(48);
  const even = await drawn(0, [0]);
  expect(["a", "b", "mask"].map((name) => count(even.names[0], name))).toEqual([32, 16, 16]);
  // Within a scan of the mask: the small one, at 2, where sizes matter.
  expect((await drawn(6, [0, 1])).places.every((x) => x <= 2)).toBe(true);
  expect(even.places.some((x) => x > 2)).toBe(true);
});
