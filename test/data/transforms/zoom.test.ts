/** @file What makes an image smaller or larger computes no more than it keeps, and gives back no memory that somebody has. */

import { expect, test } from "vitest";
import * as T from "../../../src/data/transforms/index.ts";
import { makeVolume } from "../../../src/data/volume.ts";
import type { HostArray } from "../../../src/host/array.ts";

const array = (shape: number[], at: (i: number) => number = (i) => i): HostArray => ({
  data: Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => at(i)),
  shape,
});

test("Zoom is Resize, then a crop and a pad about the center, geometry too", () => {
  const x = makeVolume(array([2, 9, 12, 7], (i) => Math.sin(i)));
  const own = { data: x.data, shape: x.shape };
  for (const mode of ["area", "trilinear", "bicubic", "nearest", "nearest-exact"] as const) {
    for (const zoom of [
      [1.6, 1.6, 1.6],
      [1.3, 0.7, 1],
      [0.5, 1.9, 2.2],
    ]) {
      const spatialSize = [9, 12, 7].map((s, i) => Math.floor(s * zoom[i]));
      const steps = [new T.Resize({ spatialSize, mode }), new T.ResizeWithPadOrCrop({ spatialSize: [9, 12, 7], mode: "edge" })];
      const [zoomed, stepped] = [new T.Zoom({ zoom, mode }), new T.Compose(steps)].map((t) => t.apply(x) as typeof x);
      expect(zoomed.data).toEqual(stepped.data);
      zoomed.affine.flat().forEach((v, i) => expect(v).toBeCloseTo(stepped.affine.flat()[i], 12));
      expect(new T.Zoom({ zoom, mode }).apply(own).data).toEqual(stepped.data);
    }
  }
});

test("RandSimulateLowResolution leaves its input where nothing shrinks, and gives memory back only that nobody has", () => {
  const x = array([1, 32, 32, 32]);
  for (const zoomRange of [
    [1, 1],
    [0.7, 0.7],
  ] as const) {
    const t = new T.RandSimulateLowResolution({ prob: 1, zoomRange });
    t.setRandomState(1);
    expect(t.apply(x).data.length).toBe(32 ** 3);
    expect([x.data.length, x.data[5]]).toEqual([32 ** 3, 5]);
  }
});

test("null is none, where an option goes unused, as in options of a file", () => {
  const x = { data: Float32Array.from({ length: 25 }, (_, i) => i), shape: [1, 5, 5] };
  const none = { paddingMode: null, mode: null } as object;
  const mean = { filter: "mean", filterSize: 3 } as const;
  expect(new T.ImageFilter({ ...mean, ...none }).apply(x)).toEqual(new T.ImageFilter(mean).apply(x));
  const zoom = { zoom: 2, mode: "nearest", keepSize: false } as const;
  const paddingMode = null as unknown as undefined;
  expect(new T.Zoom({ ...zoom, paddingMode }).apply(x)).toEqual(new T.Zoom(zoom).apply(x));
  expect(() => new T.Zoom({ ...zoom, paddingMode: "mirror" as "edge" })).toThrow(/mirror/);
});
