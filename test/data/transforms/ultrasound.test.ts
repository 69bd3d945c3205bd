/** @file Confidence maps of ultrasound: that the equations are solved, by conjugate gradients with a limit too, and what is refused. MONAI's numbers are in test/conformance/more. */
import { expect, test } from "vitest";
import { UltrasoundConfidenceMapTransform } from "../../../src/data/transforms/index.ts";
import { ConfigError, DataError, ShapeError } from "../../../src/host/errors.ts";
import { RandomState } from "../../../src/host/random/numpy.ts";

const [height, width] = [60, 50];
const image = { data: Float32Array.from(new RandomState(1).rand(height * width)), shape: [1, height, width] };

test("no chance is above the greatest or below the least of its neighbors, sources and sinks are what they are", () => {
  const { data, shape } = new UltrasoundConfidenceMapTransform({ sinkMode: "mid" }).apply(image);
  expect(shape).toEqual([1, height, width]);
  for (let y = 1; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const around: number[] = [];
      for (let v = y - 1; v <= Math.min(height - 1, y + 1); v++)
        for (let u = Math.max(0, x - 1); u <= Math.min(width - 1, x + 1); u++)
          if (u !== x || v !== y) around.push(data[v * width + u]);
      const here = data[y * width + x];
      if (y === height - 1 && x === width / 2) expect(here).toBe(0);
      else expect(here >= Math.min(...around) - 1e-12 && here <= Math.max(...around) + 1e-12).toBe(true);
    }
  }
  expect(data.subarray(0, width).every((v) => v === 1)).toBe(true);
});

test("useCg stops at its tolerance, or after so many steps", () => {
  const exact = new UltrasoundConfidenceMapTransform().apply(image).data;
  const far = (options: object): number => {
    const { data } = new UltrasoundConfidenceMapTransform({ useCg: true, ...options }).apply(image);
    return Math.max(...data.map((v, i) => Math.abs(v - exact[i])));
  };
  expect(far({})).toBeLessThan(1e-3);
  expect(far({ cgTol: 1e-11 })).toBeLessThan(1e-7);
  expect(far({ cgMaxiter: 3 })).toBeGreaterThan(1e-3);
});

test.each<[string, () => unknown, new (m: string) => Error, RegExp]>([
  [
    "an unknown mode",
    () => new UltrasoundConfidenceMapTransform({ mode: "A" as never }),
    ConfigError,
    /mode "A"; known are B, RF/,
  ],
  [
    "an image without channel",
    () => new UltrasoundConfidenceMapTransform().apply({ ...image, shape: [height, width] }),
    ShapeError,
    /\[1, H, W\]/,
  ],
  ["no mask", () => new UltrasoundConfidenceMapTransform({ sinkMode: "mask" }).apply(image), ConfigError, /needs a mask/],
  [
    "a mask of another shape",
    () => new UltrasoundConfidenceMapTransform({ sinkMode: "mask" }).apply(image, { data: new Uint8Array(4), shape: [1, 2, 2] }),
    ShapeError,
    /expected \[1, 60, 50\]/,
  ],
  [
    "too few columns for a least one",
    () => new UltrasoundConfidenceMapTransform({ sinkMode: "min" }).apply({ data: new Float32Array(27), shape: [1, 3, 9] }),
    ShapeError,
    /at least 10 columns/,
  ],
  [
    "values that are not finite",
    () => new UltrasoundConfidenceMapTransform().apply({ data: Float32Array.of(1, NaN, 2, 3), shape: [1, 2, 2] }),
    DataError,
    /not finite/,
  ],
])("refuses %s", (_, run, kind, why) => {
  expect(run).toThrow(kind);
  expect(run).toThrow(why);
});
