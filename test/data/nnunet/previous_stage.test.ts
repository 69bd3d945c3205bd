/** @file What the second stage of a cascade sees of the first: masks of labels, and how they are roughened in training. */

import { expect, test } from "vitest";
import { splitPreviousStage, withLabelMasks, withoutLabelMasks } from "../../../src/data/nnunet/previous_stage.ts";
import { roughened } from "../../../src/data/nnunet/roughen.ts";
import type { HostArray } from "../../../src/host/array.ts";
import { ShapeError } from "../../../src/host/errors.ts";
import { RandomState } from "../../../src/host/random/numpy.ts";
import { type Draw, ReplaySource } from "../../lib/replay.ts";

const floats = (data: readonly number[], shape: readonly number[]): HostArray<Float32Array> => ({
  data: Float32Array.from(data),
  shape,
});

test("the last channel is the label map; its labels become masks, and numbers again", () => {
  const joined = floats([1, 2, 3, 4, 0, 4.9999, 2, 7], [2, 2, 2]);
  const { image, previous } = splitPreviousStage(joined);
  expect([[...image.data], [...previous.data]]).toEqual([
    [1, 2, 3, 4],
    [0, 5, 2, 7],
  ]);
  const seen = withLabelMasks(image, previous, [2, 5]);
  expect(seen.shape).toEqual([3, 2, 2]);
  expect([...seen.data]).toEqual([1, 2, 3, 4, 0, 0, 1, 0, 0, 1, 0, 0]);
  const back = withoutLabelMasks(seen, 2);
  expect([...back.image.data]).toEqual([1, 2, 3, 4]);
  expect([...back.previous.data]).toEqual([0, 2, 1, 0]);
  expect(() => splitPreviousStage(floats([1, 2], [1, 2]))).toThrow(ShapeError);
});

// Two boxes of label 1, one of label 2 that touches the first.
function boxes(): HostArray<Float32Array> {
  const n = 24;
  const map = floats(new Array<number>(n ** 3).fill(0), [1, n, n, n]);
  const fill = (label: number, low: readonly number[], high: readonly number[]) => {
    for (let x = low[0]; x < high[0]; x++)
      for (let y = low[1]; y < high[1]; y++) map.data.fill(label, (x * n + y) * n + low[2], (x * n + y) * n + high[2]);
  };
  fill(1, [4, 4, 4], [12, 12, 12]);
  fill(1, [18, 18, 18], [21, 21, 21]);
  fill(2, [12, 4, 4], [18, 12, 12]);
  return map;
}

test("maps are roughened in about half of the draws, the same for the same seed, and stay maps of the same labels", () => {
  const map = boxes();
  const before = map.data.slice();
  const draws = Array.from({ length: 60 }, (_, seed) => roughened(map, 2, new RandomState(seed)));
  expect(map.data).toEqual(before);
  const changed = draws.filter(({ data }) => data.some((v, i) => v !== before[i]));
  // 1 - 0.6 · 0.8 = 0.52, less where a closing changes nothing.
  expect(changed.length).toBeGreaterThan(18);
  expect(changed.length).toBeLessThan(45);
  for (const { data } of draws) expect([...new Set(data)].every((v) => v === 0 || v === 1 || v === 2)).toBe(true);
  expect(roughened(map, 2, new RandomState(3)).data).toEqual(draws[3].data);
  const grown = draws.filter(({ data }) => data.filter((v) => v > 0).length > before.filter((v) => v > 0).length);
  const shrunk = draws.filter(({ data }) => data.filter((v) => v > 0).length < before.filter((v) => v > 0).length);
  expect(Math.min(grown.length, shrunk.length)).toBeGreaterThan(4);
  const empty = floats(new Array<number>(64).fill(0), [1, 4, 4, 4]);
  for (let seed = 0; seed < 20; seed++) expect(roughened(empty, 2, new RandomState(seed)).data.every((v) => v === 0)).toBe(true);
});

test("where maps are roughened each label is with probability one half", () => {
  const map = boxes();
  const draws: Draw[] = [
    ["rand", [], 0.39],
    ["permutation", [2], [1, 0]],
    // Label 2 is left, label 1 eroded by one voxel.
    ["rand", [], 0.5],
    ["rand", [], 0.49],
    ["randint", [4], 1],
    ["randint", [1, 9], 1],
    ["rand", [], 0.19],
    ["permutation", [2], [0, 1]],
    ["rand", [], 0.5],
    // Label 2 loses its only component.
    ["rand", [], 0],
    ["randint", [1], 0],
  ];
  const source = new ReplaySource(draws);
  const { data } = roughened(map, 2, source);
  expect(source.remaining).toBe(0);
  const count = (label: number) => data.filter((v) => v === label).length;
  expect([count(1), count(2)]).toEqual([6 ** 3 + 1, 0]);
});
