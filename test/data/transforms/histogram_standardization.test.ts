/** @file `HistogramStandardization` and its landmarks, against TorchIO's. */

import { expect, test } from "vitest";
import recorded from "../../fixtures/data/histogram_standardization.json" with { type: "json" };
import { histogramLandmarks, HistogramStandardization } from "../../../src/data/index.ts";
import type { HostArray } from "../../../src/host/array.ts";
import { ConfigError, DataError, ShapeError } from "../../../src/host/errors.ts";

const wave = (k: number): HostArray => ({
  data: Float32Array.from({ length: 600 }, (_, i) => 50 * Math.sin(0.37 * (i + 1) * (k + 1) + k) + 60 + i * 0.05 * k),
  shape: [1, 600],
});
const maskOf = (above: number | null) =>
  above === null ? null : (x: HostArray) => ({ data: Uint8Array.from(x.data, (v) => Number(v > above)), shape: x.shape });

test.each(recorded.cases)("as TorchIO: quantiles $cutoff of voxels above $above", async ({ cutoff, above, landmarks, out }) => {
  const maskingMethod = maskOf(above);
  const found = await histogramLandmarks([0, 1, 2].map(wave), { cutoff: cutoff as [number, number], maskingMethod });
  expect(found).toHaveLength(13);
  for (const [i, v] of found.entries()) expect(v).toBeCloseTo(landmarks[i], 4);
  const image = wave(5);
  image.data.fill(7, 0, 100);
  const { data, shape } = new HistogramStandardization({ landmarks, maskingMethod }).apply(image);
  expect([data.constructor, shape]).toEqual([Float32Array, image.shape]);
  for (const [i, v] of out.entries()) expect(Math.abs(data[7 * i] - v)).toBeLessThan(1e-3);
});

test("images that come one after the other; those of two scales become one", async () => {
  const scaled = (factor: number): HostArray => ({ ...wave(1), data: wave(1).data.map((v: number) => factor * v + 3) });
  async function* images() {
    yield* [scaled(1), scaled(7)];
  }
  const landmarks = await histogramLandmarks(images());
  const t = new HistogramStandardization({ landmarks });
  const [a, b] = [t.apply(scaled(2)).data, t.apply(scaled(50)).data];
  expect(Math.max(...a.map((v: number, i: number) => Math.abs(v - b[i])))).toBeLessThan(1e-3);
  expect([landmarks[0], landmarks[12]]).toEqual([0, 100]);
});

test("what cannot be measured", async () => {
  const landmarks = await histogramLandmarks([wave(0)]);
  const bad = wave(0);
  bad.data[3] = NaN;
  await expect(histogramLandmarks([])).rejects.toThrow(DataError);
  await expect(histogramLandmarks([bad])).rejects.toThrow(/measured voxel 3 is NaN/);
  await expect(histogramLandmarks([{ data: new Float32Array(9), shape: [9] }])).rejects.toThrow(/image 0 has one value, 0,/);
  await expect(histogramLandmarks(5 as never)).rejects.toThrow(ConfigError);
  await expect(histogramLandmarks([wave(0)], { cutoff: [0.2, 0.99] })).rejects.toThrow(/cutoff must be two quantiles/);
  await expect(histogramLandmarks([wave(0)], { maskingMethod: maskOf(1e9) })).rejects.toThrow(/the mask is empty/);
  expect(() => new HistogramStandardization({ landmarks: landmarks.slice(1) })).toThrow(ConfigError);
  expect(() => new HistogramStandardization({ landmarks: landmarks.toReversed() })).toThrow(/13 ascending values/);
  expect(() => new HistogramStandardization({ landmarks }).apply(bad)).toThrow(DataError);
  bad.data.fill(-Infinity, 0, 20);
  bad.data[3] = 0;
  expect(() => new HistogramStandardization({ landmarks }).apply(bad)).toThrow(/percentile 1 is not finite/);
  const short = () => ({ data: new Uint8Array(3), shape: [3] });
  expect(() => new HistogramStandardization({ landmarks, maskingMethod: short }).apply(wave(0))).toThrow(ShapeError);
});
