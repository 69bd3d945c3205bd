/** @file Voxels that are drawn from are those of the lists, without the lists. */
import { expect, test } from "vitest";
import { binaryVoxels, mapBinaryToIndices } from "../../../src/data/transforms/crop/label_indices.ts";
import type { HostArray } from "../../../src/host/array.ts";
import { RandomState } from "../../../src/host/random/numpy.ts";

const random = new RandomState(3);
const image = (channels: number): HostArray => ({
  data: Float32Array.from(random.normal(0, 1, channels * 1300)),
  shape: [channels, 13, 100],
});
const labels = (channels: number): HostArray => ({
  data: Uint8Array.from(random.randint(0, 3, channels * 1300), (v) => Math.max(0, v - 1)),
  shape: [channels, 13, 100],
});
const none: HostArray = { data: new Int32Array(1300), shape: [1, 13, 100] };

test.each([
  ["one channel", labels(1), undefined],
  ["one-hot", labels(3), undefined],
  ["where an image is above", labels(1), image(2)],
  ["without foreground", none, undefined],
])("%s", (_, label, above) => {
  const lists = mapBinaryToIndices(label, above, 0.5);
  const voxels = binaryVoxels(label, above, 0.5);
  for (const kind of ["fg", "bg"] as const) {
    expect(voxels[kind].length).toBe(lists[kind].length);
    expect(Array.from(lists[kind], (_, k) => voxels[kind].at(k))).toEqual([...lists[kind]]);
  }
});
