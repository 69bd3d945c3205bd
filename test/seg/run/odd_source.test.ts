/** @file What is said of an image that a run would segment wrong in silence. */

import { expect, test } from "vitest";
import { makeVolume, type Volume } from "../../../src/data/index.ts";
import { slices2d, type Segmentation } from "../../../src/seg/index.ts";
import { sourceNotes, storedAxes } from "../../../src/seg/run/odd_source.ts";

const image = (spacing: readonly number[], least: number): Volume => {
  const affine = [0, 1, 2, 3].map((r) => [0, 1, 2, 3].map((c) => (r === c ? (spacing[r] ?? 1) : 0)));
  return makeVolume({ data: Float32Array.of(least, 50, 100, 200), shape: [1, 2, 2, 1] }, affine);
};
const run = (config: object, more: object = {}, channels = ["CT"]) => {
  const context = { config, channels, spacing: [1, 1, 5], labels: [], outputs: {} };
  return { recipe: { ...slices2d, ...more }, context } as never;
};

test("voxels of another size than those that were trained on, where they count", () => {
  const [crop, resize] = [
    { fit: "crop", sliceAxis: 2 },
    { fit: "resize", sliceAxis: 2 },
  ];
  const [same, coarse, thick] = [image([1.5, 1, 5], -1000), image([4, 4, 5], -1000), image([1, 1, 1], -1000)];
  expect(sourceNotes([run(crop)], same)).toEqual([]);
  expect(sourceNotes([run(crop), run(crop)], coarse)).toEqual([
    "its voxels are [4,4,5] mm, those that were trained on [1,1,5]: recipe slices2d does not resample; bring the image to that size first",
  ]);
  expect(sourceNotes([run(crop)], thick)).toEqual([]);
  expect(sourceNotes([run({})], thick)).toHaveLength(1);
  expect(sourceNotes([run(resize)], coarse)).toEqual([]);
  expect(storedAxes({ ...slices2d, postprocess: (found: Segmentation) => found } as never, crop)).toEqual([]);
  const micrometers = { ...image([1000, 1000, 5000], -1000), units: "um" } as Volume;
  expect(sourceNotes([run({})], micrometers)).toEqual([]);
});

test("CT without values below 0, where the run takes Hounsfield units", () => {
  const [hounsfield, unsigned] = [image([1, 1, 5], -1000), image([1, 1, 5], 24)];
  const note = [expect.stringMatching(/no value below 0.*window -100 to 200.*its zero may be another/)];
  expect(sourceNotes([run({ window: [-100, 200] }, {}, ["image"])], unsigned)).toEqual(note);
  expect(sourceNotes([run({ window: [-100, 200] })], hounsfield)).toEqual([]);
  expect(sourceNotes([run({ window: [20, 200] })], unsigned)).toHaveLength(1);
  // Of MR a window may be anywhere, and a run of before has none.
  expect(sourceNotes([run({ window: [20, 200] }, {}, ["T1"])], unsigned)).toEqual([]);
  expect(sourceNotes([run({})], unsigned)).toEqual([]);
});
