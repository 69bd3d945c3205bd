/** @file QuickNAT's thinning of stacks and numbering of structures. */
import { expect, test } from "vitest";
import {
  labeledSlices,
  medianFrequencyWeights,
  sliceWeights,
  structureClasses,
  takeSlices,
  thinnedSlices,
} from "../../src/data/index.ts";
import { ConfigError, DataError, ShapeError } from "../../src/index.ts";

const stack = (data: number[], shape: number[]) => ({ data: Int32Array.from(data), shape });

test("every second slice without the ends", () => {
  expect(thinnedSlices(12, { skip: 3 })).toEqual([4, 6, 8]);
  expect(thinnedSlices(13, { skip: 3 })).toEqual([4, 6, 8]);
  expect(thinnedSlices(5, { skip: 0 })).toEqual([0, 2, 4]);
  expect(thinnedSlices(60)).toEqual([]);
  expect(thinnedSlices(256)).toHaveLength(88);
  expect(() => thinnedSlices(5, { skip: -1 })).toThrow(ConfigError);
});

test("the original keeps the last slice where its number is even, and without a skip nothing else", () => {
  expect(thinnedSlices(13, { skip: 3, compat: "quicknat" })).toEqual([4, 6, 8, 12]);
  expect(thinnedSlices(12, { skip: 3, compat: "quicknat" })).toEqual([4, 6, 8]);
  expect(thinnedSlices(5, { skip: 0, compat: "quicknat" })).toEqual([4]);
  expect(thinnedSlices(3, { skip: 3, compat: "quicknat" })).toEqual([]);
  for (const compat of ["QuickNAT", ""] as unknown as "quicknat"[]) {
    expect(() => thinnedSlices(3, { compat })).toThrow(/compat must be "quicknat"/);
    expect(() => medianFrequencyWeights(stack([0, 1], [1, 2]), { compat })).toThrow(/compat must be "quicknat"/);
  }
});

test("slices that are nearly all of their lowest label are left out", () => {
  const slice = (labels: number) => Array.from({ length: 100 }, (_, i) => (i < labels ? 3 : 1));
  const labels = stack([slice(0), slice(1), slice(2), slice(99), slice(100)].flat(), [5, 10, 10]);
  expect(labeledSlices(labels)).toEqual([2, 3]);
  expect(labeledSlices(labels, { share: 0.5 })).toEqual([3]);
  expect(() => labeledSlices(stack([1, 2], [1, 2]))).toThrow(ShapeError);
});

test("slices are taken in the order given", () => {
  const taken = takeSlices(stack([1, 2, 3, 4, 5, 6], [3, 1, 2]), [2, 0]);
  expect(taken).toEqual(stack([5, 6, 1, 2], [2, 1, 2]));
  expect(() => takeSlices(stack([1, 2], [1, 1, 2]), [1])).toThrow(ShapeError);
});

test("atlas labels become classes, unknown ones background", () => {
  expect(structureClasses(stack([0, 2, 3, 60, 24, 1, 200], [7]), "FS").data).toEqual(Int32Array.of(0, 1, 2, 32, 16, 0, 0));
  expect(structureClasses(stack([45, 100, 101, 210, 211, 61, 99], [7]), "Neo").data).toEqual(
    Int32Array.of(1, 20, 2, 20, 2, 32, 0),
  );
  expect(() => structureClasses(stack([1], [1]), "MALC" as never)).toThrow(ConfigError);
});

test("labels that are no class have no weight: an error, not NaN", () => {
  const weights = Float32Array.of(1, 2);
  expect(sliceWeights(stack([0, 1], [1, 2]), weights, 0).data).toEqual(weights);
  for (const label of [2, -1]) expect(() => sliceWeights(stack([0, label], [1, 2]), weights)).toThrow(DataError);
});
