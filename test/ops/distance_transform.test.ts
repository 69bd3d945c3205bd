/** @file Distances where there is nothing to be near to: infinity in images without a zero, and in these alone. */

import { expect, test } from "vitest";
import { distanceTransform } from "../../src/index.ts";
import { device } from "../lib/device.ts";

test.each([[[5]], [[3, 4]], [[2, 3, 4]]])("images of %s voxels", async (size) => {
  const gpu = await device();
  const count = size.reduce((n, s) => n * s, 1);
  // The second of three images has one zero, its first voxel.
  const data = Float32Array.from({ length: 3 * count }, (_, i) => (i === count ? 0 : 7));
  const y = await distanceTransform(gpu.tensor({ data, shape: [3, 1, ...size] })).data();
  const places = Array.from({ length: count }, (_, i) => size.toReversed().map((n, a, all) => Math.floor(i / all.slice(0, a).reduce((x, y) => x * y, 1)) % n)); // prettier-ignore
  const near = places.map((at) => Math.fround(Math.hypot(...at)));
  const none = places.map(() => Infinity);
  expect([...y]).toEqual([...none, ...near, ...none].map((v) => (v === Infinity ? v : expect.closeTo(v, 6))));
});
