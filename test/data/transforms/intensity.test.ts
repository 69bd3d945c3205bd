/**
 * @file Intensity and utility transforms: results of MONAI on small inputs (test/fixtures/data/make_intensity_cases.py), then what has no fixture:
 * nnU-Net's and TorchIO's augmentations against their formulas, brightness and contrast, options that do not exist.
 */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import * as T from "../../../src/data/transforms/index.ts";
import type { HostArray, TypedArray } from "../../../src/host/array.ts";
import { ConfigError, DataError } from "../../../src/host/errors.ts";
import { RandomState } from "../../../src/host/random/numpy.ts";
import { adapters } from "../../conformance/adapters/intensity.ts";
import { decode, difference, isRefusal, type Case } from "../../conformance/format.ts";

const fixture = JSON.parse(readFileSync(new URL("../../fixtures/data/intensity.json", import.meta.url), "utf8"));

describe("as MONAI", () => {
  test.each(fixture.cases as Case[])("$id", async (raw) => {
    const c = decode(raw) as Case;
    let result: unknown;
    try {
      result = await adapters[c.op](c, { dir: "" });
    } catch (error) {
      if ("error" in c.expected && isRefusal(error)) return;
      throw error;
    }
    expect(difference(result, c.expected, c.tolerance)).toBeUndefined();
  });
});

const image = (shape: number[], seed = 1): HostArray<Float32Array> => ({
  data: new Float32Array(
    new RandomState(seed).normal(
      1,
      2,
      shape.reduce((a, b) => a * b, 1),
    ),
  ),
  shape,
});
const seeded = <R extends T.Transform & T.Randomizable>(t: R, seed = 3): R => {
  t.setRandomState(seed);
  return t;
};
const mean = (v: ArrayLike<number>): number => Array.from(v).reduce((a, b) => a + b, 0) / v.length;
const std = (v: ArrayLike<number>): number => {
  const m = mean(v);
  return Math.sqrt(Array.from(v).reduce((a, b) => a + (b - m) ** 2, 0) / (v.length - 1));
};

describe("as nnU-Net", () => {
  const x = image([2, 5, 6, 4]);
  const only = (out: HostArray, channel: number) => out.data.slice(channel * 120, (channel + 1) * 120);

  test("GammaTransform keeps the statistics, inverted or not", () => {
    for (const pInvertImage of [0, 1]) {
      const out = seeded(new T.GammaTransform({ gamma: [0.7, 1.5], pInvertImage })).apply(x);
      for (const c of [0, 1]) {
        expect(mean(only(out, c))).toBeCloseTo(mean(only(x, c)), 4);
        expect(std(only(out, c))).toBeCloseTo(std(only(x, c)), 4);
      }
      expect(out.data).not.toEqual(x.data);
    }
  });

  test("GammaTransform without them is the curve over the channel's range", () => {
    const t = seeded(new T.GammaTransform({ gamma: [0.7, 1.5], pRetainStats: 0 }));
    const r = new RandomState(3);
    for (let skip = 0; skip < 5; skip++) r.rand(); // prob, two channels, statistics, inversion
    const gamma = r.rand() < 0.5 ? r.uniform(0.7, 1) : r.uniform(1, 1.5);
    const part = only(x, 0);
    const [min, max] = [Math.min(...part), Math.max(...part)];
    const out = t.apply(x);
    for (let i = 0; i < 120; i++)
      expect(out.data[i]).toBeCloseTo(((part[i] - min) / (max - min)) ** gamma * (max - min) + min, 4);
  });

  test("ContrastTransform keeps the range, which it leaves when told to", () => {
    const leaves = (preserveRange: boolean): boolean[] =>
      Array.from({ length: 20 }, (_, seed) => {
        const out = seeded(new T.ContrastTransform({ contrastRange: [0.75, 1.25], preserveRange }), seed).apply(x);
        expect(out.data).not.toEqual(x.data);
        return [0, 1].some(
          (c) => Math.min(...only(out, c)) < Math.min(...only(x, c)) || Math.max(...only(out, c)) > Math.max(...only(x, c)),
        );
      });
    expect(leaves(true)).not.toContain(true);
    expect(leaves(false)).toContain(true);
  });

  test("channels are chosen one by one, and share a draw when told to", () => {
    const ratio = (options: Partial<T.ChannelOptions>, c: number, seed: number) =>
      seeded(new T.MultiplicativeBrightnessTransform({ multiplierRange: [0.5, 2], ...options }), seed).apply(x).data[120 * c] /
      x.data[120 * c];
    expect(ratio({}, 0, 1)).not.toBeCloseTo(ratio({}, 1, 1), 3);
    expect(ratio({ synchronizeChannels: true }, 0, 1)).toBeCloseTo(ratio({ synchronizeChannels: true }, 1, 1), 5);
    const changed = Array.from({ length: 200 }, (_, seed) => ratio({ pPerChannel: 0.5 }, 1, seed) !== 1);
    expect(mean(changed.map(Number))).toBeGreaterThan(0.35);
    expect(mean(changed.map(Number))).toBeLessThan(0.65);
  });

  test("GaussianBlurTransform leaves a flat image as it is", () => {
    const flat = { data: new Float32Array(120).fill(3), shape: [1, 5, 6, 4] };
    const out = seeded(new T.GaussianBlurTransform({ blurSigma: [0.5, 1] })).apply(flat);
    for (const v of out.data) expect(v).toBeCloseTo(3, 5);
  });
});

describe("as TorchIO", () => {
  test("RandomSpike adds one wave", () => {
    const x = image([1, 8, 6]);
    const out = seeded(new T.RandomSpike({ numSpikes: 1, intensity: 2 })).apply(x);
    const wave = out.data.map((v, i) => v - x.data[i]);
    const amplitude = Math.max(...wave.map(Math.abs));
    const spectrum = Array.from({ length: 48 }, (_, k) => {
      let [re, im] = [0, 0];
      for (let i = 0; i < 48; i++) {
        const turn = 2 * Math.PI * ((Math.floor(k / 6) * Math.floor(i / 6)) / 8 + ((k % 6) * (i % 6)) / 6);
        re += wave[i] * Math.cos(turn);
        im += wave[i] * Math.sin(turn);
      }
      return Math.hypot(re, im);
    });
    expect(amplitude).toBeGreaterThan(0);
    expect(spectrum.filter((v) => v > 1e-2 * Math.max(...spectrum)).length).toBeLessThanOrEqual(2);
  });

  test("ZNormalization measures where the mask is, and refuses a flat image", () => {
    const x = image([1, 4, 5]);
    const mask = { data: Uint8Array.from(x.data, (v) => (v > 1 ? 1 : 0)), shape: x.shape };
    const out = new T.ZNormalization({ maskingMethod: () => mask }).apply(x);
    const inside = Array.from(out.data).filter((_, i) => mask.data[i] === 1);
    expect(mean(inside)).toBeCloseTo(0, 5);
    expect(std(inside)).toBeCloseTo(1, 5);
    expect(() => new T.ZNormalization().apply({ data: new Float32Array(4).fill(2), shape: [1, 4] })).toThrow(DataError);
  });
});

test("RandomBrightnessContrast counts in the greatest value of the type, and clips integers to it", () => {
  const bytes = { data: Uint8Array.of(0, 100, 200, 255), shape: [1, 4] };
  const t = seeded(new T.RandomBrightnessContrast({ contrastLimit: [0.5, 0.5], brightnessLimit: [0.1, 0.1], prob: 1 }));
  expect([...t.apply(bytes).data]).toEqual([25, 175, 255, 255]);
});

test("an option that does not exist is an error with those that do", () => {
  const options = { sigma: 1, sgima: 2 } as T.GaussianSmoothOptions;
  expect(() => new T.GaussianSmooth(options)).toThrow(ConfigError);
  expect(() => new T.GaussianSmooth(options)).toThrow('there is no option "sgima"; did you mean sigma? known are sigma, approx');
});

test("a transform never changes what it gets", () => {
  const x = image([1, 4, 5]);
  const before = x.data.slice();
  for (const t of [
    new T.AdjustContrast({ gamma: 2 }),
    new T.RandCoarseDropout({ holes: 2, spatialSize: 2, prob: 1 }),
    new T.GibbsNoise({ alpha: 0.5 }),
    new T.RandRicianNoise({ prob: 1 }),
    new T.MapLabelValue({ origLabels: [1], targetLabels: [2] }),
    new T.HistogramNormalize(),
  ]) {
    t.apply(x);
    expect(x.data).toEqual(before);
  }
});

test("Gaussian noise on integers is cut before it is added, and starts over at a type's end, as MONAI's", () => {
  const noisy = (data: TypedArray, dtype: "int16" | "int32" | null) => {
    const noise = new T.RandGaussianNoise({ prob: 1, mean: 0.3, std: 5, sampleStd: false, dtype });
    noise.setRandomState(new RandomState(3));
    return noise.apply({ data, shape: [1, 8] }).data;
  };
  const ends = [0, 1, -1, 5, 10, -10, 32767, -32768];
  // What MONAI gives.
  expect(noisy(Int16Array.from(ends), null)).toEqual(Int16Array.of(-4, 6, 4, 5, 8, -10, -32759, 32766));
  expect(noisy(Int16Array.from(ends), "int32")).toEqual(Int32Array.of(-4, 6, 4, 5, 8, -10, 32777, -32770));
  const floats = Float32Array.of(0.6, 1.6, -1.6, 5, 10, -10, 30000, -30000);
  expect(noisy(floats, "int16")).toEqual(Int16Array.of(-4, 6, 4, 5, 8, -10, 30010, -30002));
  const large = Int32Array.of(0, 1, 2, 5, 10, 200, 250, 2 ** 30);
  expect(noisy(large, null)).toEqual(Int32Array.of(-4, 6, 7, 5, 8, 200, 260, 2 ** 30 - 2));
});
