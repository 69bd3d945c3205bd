/** @file What the viewer is given: an image as it is, or fewer of its voxels, which lie where they lay and of which it is said. */

import { expect, test } from "vitest";
import { pictureOf } from "../../app/worker/display.ts";
import { makeVolume, readImage, type Volume } from "../../src/data/index.ts";

/** Voxel [x, y, z] has the value x + y + z. */
function ramp(shape: readonly [number, number, number]): Volume {
  const [nx, ny, nz] = shape;
  const data = new Int16Array(nx * ny * nz);
  for (let x = 0, i = 0; x < nx; x++) for (let y = 0; y < ny; y++) for (let z = 0; z < nz; z++) data[i++] = x + y + z;
  const affine = [
    [0.5, 0, 0, -10],
    [0, 0.5, 0, -20],
    [0, 0, 2, 30],
    [0, 0, 0, 1],
  ];
  return makeVolume({ data, shape: [1, ...shape] }, affine);
}

test("an image of some hundred voxels along each axis is drawn as it is", async () => {
  const picture = pictureOf(ramp([40, 50, 60]));
  expect(picture.reduced).toBeUndefined();
  const drawn = await readImage(picture.nifti, { name: "picture.nii" });
  expect(drawn.shape).toEqual([1, 40, 50, 60]);
  expect(drawn.data[123] * picture.scale + picture.offset).toBe(2 + 3);
});

test("whole numbers are told to the last digit, also where metal is in a CT; others to one part in 65,000 of their range", async () => {
  const drawn = async (data: Int16Array | Float32Array) => {
    const picture = pictureOf(makeVolume({ data, shape: [1, data.length, 1, 1] }));
    const { data: stored } = await readImage(picture.nifti, { name: "picture.nii" });
    return Array.from(stored, (v) => v * picture.scale + picture.offset);
  };
  const ct = [-1024, -3, 0, 41, 42, 3071, 30_000];
  expect(await drawn(Int16Array.from(ct))).toEqual(ct);
  const real = [0.25, 17.125, 1000];
  for (const [i, v] of (await drawn(Float32Array.from(real))).entries())
    expect(Math.abs(v - real[i])).toBeLessThan(1000 / 65_000);
});

test("voxels that are infinite or no number leave the others their values", async () => {
  const data = Float32Array.from({ length: 5000 }, (_, i) => (i < 2000 ? -1000 : i - 2000));
  data.set([Infinity, -Infinity, NaN]);
  const picture = pictureOf(makeVolume({ data, shape: [1, 5000, 1, 1] }));
  const drawn = await readImage(picture.nifti, { name: "picture.nii" });
  for (const i of [3, 2500, 4999]) expect(drawn.data[i] * picture.scale + picture.offset).toBeCloseTo(data[i], 0);
});

test("a larger one is drawn with every second voxel of an axis, in its place, and it is said", async () => {
  const picture = pictureOf(ramp([512, 300, 301]));
  expect(picture.reduced).toEqual({ to: [256, 300, 301], from: [512, 300, 301] });
  const drawn = await readImage(picture.nifti, { name: "picture.nii" });
  expect(drawn.shape).toEqual([1, 256, 300, 301]);
  expect(drawn.affine[0]).toEqual([1, 0, 0, -10]);
  expect(drawn.affine[2]).toEqual([0, 0, 2, 30]);
  // Voxel [7, 5, 3] there is [14, 5, 3] here.
  expect(drawn.data[(7 * 300 + 5) * 301 + 3] * picture.scale + picture.offset).toBeCloseTo(22, 0);
});
