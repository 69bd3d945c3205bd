/** @file A mode that mixes voxels is for images: labels under the same transform take each value from a voxel. */
import { expect, test } from "vitest";
import * as T from "../../../src/data/transforms/index.ts";
import type { HostArray } from "../../../src/host/array.ts";

test.each<[string, T.Transform]>([
  ["Spacing", new T.Spacing({ pixdim: 0.7, mode: "bilinear" })],
  ["SpatialResample", new T.SpatialResample({ spatialSize: [7, 9], mode: 3 })],
  ["Affine", new T.Affine({ rotateParams: [0.4], mode: "bicubic" })],
  ["Rotate", new T.Rotate({ angle: 0.4, mode: "bilinear" })],
  ["Zoom", new T.Zoom({ zoom: 1.3, mode: "bilinear", alignCorners: true })],
  ["GridDistortion", new T.GridDistortion({ numCells: 2, distortSteps: [[1.3, 1, 1], [0.8, 1, 1]], mode: "bilinear" })], // prettier-ignore
  ["RandAffine", new T.RandAffine({ prob: 1, rotateRange: 1, mode: 3 })],
  ["RandRotate", new T.RandRotate({ prob: 1, rangeX: 1, mode: "bilinear" })],
  ["RandZoom", new T.RandZoom({ prob: 1, minZoom: 1.2, maxZoom: 1.3, mode: "bicubic" })],
  ["RandGridDistortion", new T.RandGridDistortion({ prob: 1, distortLimit: 0.4, mode: "bilinear" })],
  ["Rand2DElastic", new T.Rand2DElastic({ prob: 1, spacing: 3, magnitudeRange: [1, 2], mode: "bilinear" })],
  ["RandSmoothDeform", new T.RandSmoothDeform({ prob: 1, spatialSize: [8, 9], randSize: [2, 3], gridMode: "bilinear" })],
  [
    "RandSimulateLowResolution",
    new T.RandSimulateLowResolution({ prob: 1, zoomRange: [0.5, 0.6], downsampleMode: "area", upsampleMode: "bilinear" }),
  ],
])("%s mixes an image's voxels and none of a label's", (_, transform) => {
  const mixed = (x: HostArray): boolean => x.data.some((v) => v !== 0 && v !== 7);
  const x = { data: Float32Array.from({ length: 72 }, (_, i) => (i % 5 < 2 ? 7 : 0)), shape: [1, 8, 9] };
  const out = T.onKeys(["image", "label"], transform, { labels: ["label"] }).apply({ image: x, label: x }) as T.Item;
  expect([mixed(out.image as HostArray), mixed(out.label as HostArray)]).toEqual([true, false]);
});
