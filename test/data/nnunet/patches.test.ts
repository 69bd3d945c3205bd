/** @file nnU-Net's training patches: sizes as its `get_patch_size` gives them, places, and boxes that reach over the border. */

import { expect, test } from "vitest";
import { ConfigError } from "../../../src/index.ts";
import { cropAndPad, drawPatchStart, patchGeometry, RandomState, sampleForegroundOffsets } from "../../../src/data/index.ts";

// From nnU-Net's own function.
test.each([
  [[40, 56, 40], [73, 80, 64], 30, false],
  [[128, 128, 128], [205, 205, 205], 30, false],
  [[20, 160, 256], [20, 301, 301], 180, true],
  [[96, 160, 160], [191, 257, 219], 30, false],
  [[56, 40], [65, 65], 180, false],
  [[512, 256], [659, 301], 15, false],
])("patch %j is cut as %j", (patch, initial, degrees, dummy2d) => {
  const geometry = patchGeometry(patch);
  expect(geometry.initialPatchSize).toEqual(initial);
  expect(geometry.dummy2d).toBe(dummy2d);
  expect(geometry.rotation[1]).toBeCloseTo((degrees * Math.PI) / 180, 12);
  expect(geometry.mirrorAxes).toEqual(patch.map((_, a) => a));
});

test("a patch of another number of axes is refused", () => {
  expect(() => patchGeometry([8])).toThrow(ConfigError);
});

const seg = { data: new Int8Array(6 * 8 * 10), shape: [1, 6, 8, 10] };
seg.data[(5 * 8 + 7) * 10 + 9] = 1;
seg.data[(2 * 8 + 4) * 10 + 5] = 2;

test("patches lie anywhere in the padded case, or about a class", () => {
  const random = new RandomState(3);
  const request = { shape: [6, 8, 10], patchSize: [8, 6, 4], finalPatchSize: [6, 6, 4] };
  const starts = Array.from({ length: 300 }, () => drawPatchStart(request, random));
  // Two voxels of padding along the first axis, none elsewhere.
  expect([0, 1, 2].map((a) => Math.min(...starts.map((s) => s[a])))).toEqual([-1, 0, 0]);
  expect([0, 1, 2].map((a) => Math.max(...starts.map((s) => s[a])))).toEqual([-1, 2, 6]);
  const foreground = sampleForegroundOffsets(seg, [1, 2, 3]);
  expect(foreground.map((f) => f.length)).toEqual([1, 1, 0]);
  const about = Array.from({ length: 50 }, () => drawPatchStart({ ...request, foreground }, random).join());
  // Only the lower border holds a patch back, as upstream.
  expect([...new Set(about)].sort()).toEqual(["-1,1,3", "1,4,7"]);
});

test("boxes over the border are filled", () => {
  const x = { data: Int16Array.from({ length: 8 }, (_, i) => i + 1), shape: [1, 2, 2, 2] };
  expect(cropAndPad(x, [-1, 1, 0], [2, 2, 3], 9)).toEqual({
    data: Float32Array.of(9, 9, 9, 9, 9, 9, 3, 4, 9, 9, 9, 9),
    shape: [1, 2, 2, 3],
  });
  expect(cropAndPad(x, [0, 0, 5], [1, 1, 2], 0).data).toEqual(Float32Array.of(0, 0));
});
