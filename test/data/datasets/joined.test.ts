/** @file Datasets that stand around others: parts, several as one, their names, and what has no place inside of them. */

import { expect, test } from "vitest";
import { SmartCacheDataset } from "../../../src/data/datasets/cache_dataset.ts";
import { itemRandom } from "../../../src/data/datasets/dataset.ts";
import { GridPatchDataset, PatchIterd } from "../../../src/data/datasets/grid_patch_dataset.ts";
import { ConcatDataset, MapDataset, Subset, ZipDataset } from "../../../src/data/datasets/map_dataset.ts";
import { PatchDataset } from "../../../src/data/datasets/patch_dataset.ts";
import { ShuffleBuffer } from "../../../src/data/datasets/shuffle_buffer.ts";
import type { Item } from "../../../src/data/transforms/transform.ts";
import { ConfigError } from "../../../src/host/errors.ts";

const random = () => itemRandom(0, 0, 0);

test("parts of datasets and several as one", async () => {
  const subset = new Subset<number>([10, 11, 12], [2, 0, 2]);
  expect(await Promise.all([0, 1, 2].map((i) => subset.get(i, random())))).toEqual([12, 10, 12]);
  const both = new ConcatDataset<number>([[1, 2], subset]);
  expect([both.length, await both.get(3, random())]).toEqual([5, 10]);
  const zip = new ZipDataset([[{ a: 1 }, { a: 2 }], [{ b: 3 }]]);
  expect([zip.length, await zip.get(0, random())]).toEqual([1, { a: 1, b: 3 }]);
  expect(() => new Subset([1], [1])).toThrow(ConfigError);
});

test("whatever stands around a source, its items keep their names", () => {
  const [a, b] = [[{ id: "a0" }, { id: "a1" }, { id: "a2" }], [{ id: "b0" }]];
  const both = new ConcatDataset<Item>([a, b]);
  expect([0, 2, 3].map((i) => new MapDataset(both).nameOf(i))).toEqual(["a0", "a2", "b0"]);
  expect(new ZipDataset([[{ image: 1 }], b]).nameOf(0)).toBe("b0");
  const window = new SmartCacheDataset<Item>(a, [], { cacheNum: 2, shuffle: false });
  const names = [0, 1, 2].map((epoch) => [0, 1].map((i) => new Subset(window, [1, 0]).nameOf(i, epoch)));
  expect(names).toEqual([["a1", "a0"], ["a2", "a1"], ["a0", "a2"]]); // prettier-ignore
});

test("a ShuffleBuffer that would not mix is an error", () => {
  const mixed = new ShuffleBuffer<Item>([{ id: 0 }, { id: 1 }]);
  const patchIter = new PatchIterd({ keys: ["image"], patchSize: [1] });
  for (const around of [
    () => new PatchDataset<Item>(mixed, { patchFunc: (item) => item }),
    () => new GridPatchDataset(mixed, { patchIter }),
    () => new ZipDataset([mixed, [{ a: 1 }, { a: 2 }]]),
    () => new ConcatDataset([mixed]),
  ])
    expect(around).toThrow(/a source is a ShuffleBuffer; put one around the \w+ instead/);
});
