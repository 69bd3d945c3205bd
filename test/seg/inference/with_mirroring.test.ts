/** @file Mirror images of windows: each is predicted as it is seen, turned back, and counts as much as the others. */

import { expect, test } from "vitest";
import type { HostArray } from "../../../src/host/array.ts";
import { ShapeError } from "../../../src/index.ts";
import { withMirroring } from "../../../src/seg/index.ts";

/** Two channels of a window: each voxel's own value, and where it stands in what is seen. */
const seen = async ({ data, shape }: HostArray<Float32Array>): Promise<HostArray<Float32Array>> => ({
  data: Float32Array.from([...data, ...data.map((_, i) => i)]),
  shape: [1, 2, ...shape.slice(2)],
});

const window = { data: Float32Array.of(5, 6, 7, 8, 9, 10), shape: [1, 1, 2, 3] };

test.each([
  [[], [0, 1, 2, 3, 4, 5]],
  [[0], [1.5, 2.5, 3.5, 1.5, 2.5, 3.5]],
  [[1], [1, 1, 1, 4, 4, 4]],
  [
    [0, 1],
    [2.5, 2.5, 2.5, 2.5, 2.5, 2.5],
  ],
])("axes %j", async (axes, places) => {
  const { data, shape } = await withMirroring(seen, axes)(window);
  expect(shape).toEqual([1, 2, 2, 3]);
  expect([...data]).toEqual([...window.data, ...places]);
});

test("an axis that windows do not have", async () => {
  await expect(withMirroring(seen, [2])(window)).rejects.toThrow(ShapeError);
});
