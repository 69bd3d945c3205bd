/**
 * @file Transforms: results of MONAI on small inputs (test/fixtures/data/make_cases.py), then what MONAI has no say in: dictionary
 * form, chains, random state, label-safe defaults, geometry, error messages.
 */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import * as T from "../../../src/data/transforms/index.ts";
import { RandomState } from "../../../src/host/random/numpy.ts";
import type { HostArray } from "../../../src/host/array.ts";
import { makeVolume } from "../../../src/data/volume.ts";
import { adapters } from "../../conformance/adapters/data.ts";
import { adapters as intensity } from "../../conformance/adapters/intensity.ts";
import { adapters as spatialAdapters, families as spatialFamilies } from "../../conformance/adapters/spatial.ts";
import { families } from "../../conformance/adapters/post.ts";
import { decode, difference, isRefusal, type Case } from "../../conformance/format.ts";
import { finder } from "../../conformance/lookup.ts";

const stored = ["transforms", "post"].flatMap(
  (file) => JSON.parse(readFileSync(new URL(`../../fixtures/data/${file}.json`, import.meta.url), "utf8")).cases as Case[],
);

const find = finder({ ...adapters, ...intensity, ...spatialAdapters }, [...spatialFamilies, ...families]);

describe("as MONAI", () => {
  test.each(stored)("$id", async (raw) => {
    const c = decode(raw) as Case;
    let result: unknown;
    try {
      result = await find(c.op)!(c, { dir: "" });
    } catch (error) {
      if ("error" in c.expected && isRefusal(error)) return;
      throw error;
    }
    expect(difference(result, c.expected, c.tolerance)).toBeUndefined();
  });
});

const array = (shape: number[], at: (i: number) => number = (i) => i): HostArray => ({
  data: Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => at(i)),
  shape,
});

describe("onKeys", () => {
  const item = () => ({ image: array([1, 4, 4]), label: array([1, 4, 4], (i) => i % 2), name: "a" });

  test("applies one draw to all keys and passes other entries on", () => {
    const t = T.onKeys(["image", "label"], new T.RandRotate90({ prob: 1 })) as T.Transform<T.Item> & T.Randomizable;
    for (let seed = 0; seed < 4; seed++) {
      t.setRandomState(seed);
      const k = (() => {
        const r = new RandomState(seed);
        r.rand();
        return r.randint(3) + 1;
      })();
      const turn = new T.Rotate90({ k });
      expect(t.apply(item())).toEqual({ image: turn.apply(item().image), label: turn.apply(item().label), name: "a" });
    }
  });

  test("a multi-sample transform gives a list of items, cropped alike", () => {
    const crops = T.onKeys(["image", "label"], new T.RandSpatialCropSamples({ roiSize: [2, -1], numSamples: 3 })).apply({
      image: array([1, 6, 2]),
      label: array([1, 6, 2]),
      name: "a",
    }) as T.Item[];
    expect(crops).toHaveLength(3);
    for (const c of crops) {
      expect(c.name).toBe("a");
      expect(c.image).toEqual(c.label);
      expect((c.image as HostArray).shape).toEqual([1, 2, 2]);
    }
  });

  test("a label crop draws from the label entry", () => {
    const t = T.onKeys(["image", "label"], new T.RandCropByPosNegLabel({ spatialSize: [1, 1], pos: 1, neg: 0, numSamples: 5 }));
    for (const c of t.apply(item()) as T.Item[]) expect((c.label as HostArray).data[0]).toBe(1);
    expect(() => t.apply({ image: array([1, 2, 2]), label: undefined })).toThrow(/no array under "label"/);
  });

  test("Resize takes nearest-exact for labels, whatever the mode for images, unless MONAI's behavior is asked for", () => {
    const options = { spatialSize: [3, 3] };
    const named = { labels: ["label"] };
    const fractional = (out: T.Item | T.Item[]) => ((out as T.Item).label as HostArray).data.some((v) => v % 1 !== 0);
    expect(fractional(T.onKeys(["image", "label"], new T.Resize(options), named).apply(item()))).toBe(false);
    expect(fractional(T.onKeys(["image", "label"], new T.Resize(options), { ...named, compat: "monai" }).apply(item()))).toBe(
      true,
    );
    const linear = new T.Resize({ ...options, mode: "bilinear" });
    expect(fractional(T.onKeys(["image", "label"], linear, named).apply(item()))).toBe(false);
    expect(fractional(T.onKeys(["image", "label"], linear, { ...named, compat: "monai" }).apply(item()))).toBe(true);
    // A key's spelling says nothing.
    expect(fractional(T.onKeys(["image", "label"], new T.Resize(options)).apply(item()))).toBe(true);
    expect(() => T.onKeys(["image"], new T.Resize(options), { labels: ["mask"] })).toThrow(/label "mask" is not among the keys/);
    expect(() => T.onKeys(["image"], new T.Resize(options), { compat: "MONAI" as "monai" })).toThrow(/compat must be "monai"/);
    expect((T.onKeys(["image", "label"], new T.Resize(options)).apply(item()) as T.Item).image).toEqual(
      new T.Resize(options).apply(item().image),
    );
  });

  test("a label is resized about its image's centers: a disc keeps its place", () => {
    const disc = (n: number) =>
      array([1, n, n], (i) => (Math.hypot(((i % n) + 0.5) / n - 0.45, (Math.floor(i / n) + 0.5) / n - 0.45) < 0.3 ? 1 : 0));
    const out = T.onKeys(["image", "label"], new T.Resize({ spatialSize: [48, 48] }), { labels: ["label"] }).apply({
      image: disc(100),
      label: disc(100),
    });
    const [image, label] = [(out as T.Item).image, (out as T.Item).label] as HostArray[];
    const half = Array.from(image.data, (v) => (v > 0.5 ? 1 : 0));
    const both = half.reduce<number>((n, v, i) => n + (v && label.data[i] ? 1 : 0), 0);
    const sum = half.reduce<number>((n, v, i) => n + v + label.data[i], 0);
    expect((2 * both) / sum).toBeGreaterThan(0.995);
  });

  test("CropForeground cuts one box, that of the first key, from all", () => {
    const image = array([1, 5, 6], (i) => (Math.floor(i / 6) >= 1 && Math.floor(i / 6) <= 3 && i % 6 >= 2 ? i : 0));
    const label = array([1, 5, 6], (i) => (i === 20 ? 1 : 0));
    const out = T.onKeys(["image", "label"], new T.CropForeground({ margin: 1 })).apply({ image, label }) as Record<
      string,
      HostArray
    >;
    expect(out.image).toEqual(new T.CropForeground({ margin: 1 }).apply(image));
    expect([out.image.shape, out.label.shape]).toEqual([
      [1, 5, 6],
      [1, 5, 6],
    ]);
    // Where image and label are one array, so are the results.
    const same = T.onKeys(["image", "label"], new T.CropForeground()).apply({ image, label: image }) as Record<string, HostArray>;
    expect(same.image).toEqual(same.label);
    const marked = T.onKeys(["image", "label"], new T.CropForeground()).apply({ image, label }) as Record<string, HostArray>;
    expect(marked.label.shape).toEqual([1, 3, 4]);
    expect([...marked.label.data].indexOf(1)).toBe([...marked.image.data].indexOf(20));
    const bySource = T.onKeys(["image", "label"], new T.CropForeground({ sourceKey: "label" })).apply({
      image,
      label,
    }) as typeof marked;
    expect([bySource.image.shape, [...bySource.image.data]]).toEqual([[1, 1, 1], [20]]);
    expect(() => T.onKeys(["image", "label"], new T.CropForeground()).apply({ image, label: array([1, 6, 5]) })).toThrow(
      /size \[5,6\] and cannot crop one of shape \[1,6,5\]/,
    );
  });

  test("a missing key is an error that lists the keys, or left out on request", () => {
    const t = new T.Flip();
    expect(() => T.onKeys("seg", t).apply(item())).toThrow(
      /Flip: the item has no array under "seg" \(its keys: image, label, name\)/,
    );
    expect(T.onKeys(["seg", "image"], t, { allowMissingKeys: true }).apply(item())).toEqual({
      ...item(),
      image: t.apply(item().image),
    });
    expect(() => T.onKeys([], t)).toThrow(/keys is empty/);
  });
});

describe("Compose", () => {
  const chain = () =>
    new T.Compose<T.Item>([
      T.onKeys("image", new T.ScaleIntensity()),
      T.onKeys("image", new T.RandRotate90({ prob: 0.5 })),
      T.onKeys("image", new T.RandSpatialCropSamples({ roiSize: [3, 3], numSamples: 2 })),
      T.onKeys("image", new T.RandGaussianNoise({ prob: 0.9 })),
    ]);
  const input = { image: array([1, 6, 6]) };

  test("seeds its random transforms in order, as MONAI", () => {
    const r = new RandomState(3);
    const flip = new T.RandFlip({ prob: 0.5 }).setRandomState(r.randint(2 ** 32));
    const axis = new T.RandAxisFlip({ prob: 0.5 }).setRandomState(r.randint(2 ** 32));
    const composed = new T.Compose([
      new T.RandFlip({ prob: 0.5 }),
      new T.Flip(),
      new T.RandAxisFlip({ prob: 0.5 }),
    ]).setRandomState(3);
    for (let i = 0; i < 8; i++) {
      expect(composed.apply(input.image)).toEqual(axis.apply(new T.Flip().apply(flip.apply(input.image))));
    }
  });

  test("maps what follows a multi-sample transform over the samples", () => {
    expect(chain().apply(input)).toHaveLength(2);
  });

  test("the same seed gives the same bits; a state through JSON continues them", () => {
    const [a, b] = [chain().setRandomState(5), chain().setRandomState(5)];
    expect(a.apply(input)).toEqual(b.apply(input));
    const c = chain();
    c.setState(JSON.parse(JSON.stringify(a.getState())));
    for (let i = 0; i < 3; i++) expect(c.apply(input)).toEqual(a.apply(input));
    expect(() => new T.Compose([]).setState(a.getState())).toThrow(/list of 0 states/);
  });

  test("tells which transforms are random", () => {
    expect(chain().transforms.map(T.isRandomizable)).toEqual([false, true, true, true]);
  });
});

describe("values", () => {
  test("inputs are never changed", () => {
    const make = () => array([2, 3, 4], (i) => i - 5);
    const all = [
      new T.ScaleIntensity(),
      new T.NormalizeIntensity(),
      new T.ScaleIntensityRange({ aMin: 0, aMax: 2, bMin: 0, bMax: 1, clip: true }),
      new T.AdjustContrast({ gamma: 2, invertImage: true }),
      new T.RandScaleIntensity({ factors: 0.5, prob: 1 }),
      new T.RandShiftIntensity({ offsets: 2, prob: 1 }),
      new T.RandGaussianNoise({ prob: 1 }),
      new T.Activations({ softmax: true }),
      new T.AsDiscrete({ threshold: 0 }),
      new T.Resize({ spatialSize: [3, 3] }),
    ];
    for (const t of all) {
      const x = make();
      t.apply(x);
      expect(x).toEqual(make());
    }
  });

  test("an option that a transform does not have is an error", () => {
    expect(() => new T.Rotate({ angle: 1, keepsize: true } as T.RotateOptions)).toThrow(
      /Rotate: there is no option "keepsize"; did you mean keepSize\? known are angle/,
    );
  });

  test("area resizing keeps the mean when sizes divide; linear keeps a ramp", () => {
    const mean = (x: HostArray) => Array.from(x.data).reduce((a, b) => a + b, 0) / x.data.length;
    const x = array([1, 8, 6], (i) => Math.sin(i));
    expect(mean(new T.Resize({ spatialSize: [4, 2] }).apply(x))).toBeCloseTo(mean(x), 6);
    expect([...new T.Resize({ spatialSize: [5], mode: "linear", alignCorners: true }).apply(array([1, 3])).data]).toEqual([
      0, 0.5, 1, 1.5, 2,
    ]);
  });

  test("smoothing keeps a constant inside and fades to the border", () => {
    const { data } = new T.GaussianSmooth({ sigma: 1 }).apply(array([1, 21], () => 1));
    expect(data[10]).toBeCloseTo(1, 4);
    expect(data[0]).toBeLessThan(0.8);
  });
});

test("each channel is repeated beside itself", () => {
  const x = array([2, 1, 2], (i) => i);
  const y = new T.RepeatChannel({ repeats: 3 }).apply(x);
  expect([y.shape, [...y.data]]).toEqual([
    [6, 1, 2],
    [0, 1, 0, 1, 0, 1, 2, 3, 2, 3, 2, 3],
  ]);
});

test("one value of a list is that of every axis", () => {
  const x = array([1, 4, 6], (i) => i % 7);
  expect(new T.Zoom({ zoom: [2], keepSize: false }).apply(x)).toEqual(new T.Zoom({ zoom: 2, keepSize: false }).apply(x));
  expect(new T.Zoom({ zoom: [2], keepSize: false }).apply(x).shape).toEqual([1, 8, 12]);
});

test("a volume is channel-first, whatever its file was", () => {
  const x = makeVolume(array([2, 4, 4, 2]));
  for (const channelDim of [undefined, 0, -1] as const)
    expect(new T.EnsureChannelFirst(channelDim === undefined ? {} : { channelDim }).apply(x)).toBe(x);
  const one = makeVolume(array([1, 4, 4, 2]));
  expect(new T.EnsureChannelFirst({ channelDim: "no_channel" }).apply(one)).toBe(one);
});

describe("refusals name the operation and what to do", () => {
  const x = array([1, 4, 4]);
  const nan = array([1, 2], () => NaN);
  test.each([
    [() => new T.Flip({ spatialAxis: 2 }).apply(x), /Flip: spatial axis 2 is outside the 2 spatial axes of shape \[1, 4, 4\]/],
    [() => new T.Rotate90({ spatialAxes: [0, -2] }).apply(x), /two different axes/],
    [() => new T.RandRotate90({ prob: 2 }), /prob must be from 0 to 1, got 2/],
    [() => new T.ScaleIntensity().apply(nan), /holds NaN at element 0; replace/],
    [() => new T.SqueezeDim({ dim: 1 }).apply(x), /has size 4, expected 1/],
    [() => new T.EnsureChannelFirst().apply(x), /set channelDim/],
    [() => new T.EnsureChannelFirst({ channelDim: -1 }).apply(makeVolume(array([1, 4, 4, 2]))), /channel-first already/],
    [() => new T.EnsureChannelFirst({ channelDim: "no_channel" }).apply(makeVolume(array([2, 4, 4, 2]))), /leave channelDim out/],
    [() => new T.CenterSpatialCrop({ roiSize: [1, 2, 3] }).apply(x), /one size per spatial axis \(2\)/],
    [() => new T.SpatialCrop({} as T.SpatialCropOptions), /give roiCenter and roiSize/],
    [() => new T.SpatialPad({ spatialSize: 8, mode: "odd" as T.NumpyPadMode }).apply(x), /unknown padding mode "odd"/],
    [() => new T.Resize({ spatialSize: [2, 2], mode: "cubic" as T.ResizeMode }), /unknown mode "cubic"/],
    [
      () => new T.RandCropByPosNegLabel({ spatialSize: [9, 9] }).randomize(x),
      /crop \[9, 9\] is larger than the image \[4, 4\]; pad/,
    ],
    [() => new T.AsDiscrete({ toOnehot: 2 }).apply(x), /class 2 is outside/],
    [() => new T.CropForeground({ channelIndices: 1 }).apply(x), /channel 1 is outside the 1 channels of the image/],
    [() => new T.CropForeground({ channelIndices: [0, -2] }).apply(x), /channel -2 is outside/],
    [
      () => new T.SpatialPad({ spatialSize: [4, 4], mode: "edge" }).apply(array([1, 0, 4])),
      /axis 1 of shape \[1, 0, 4\] is empty; only mode "constant" can pad it/,
    ],
    [() => new T.Zoom({ zoom: [1, 2, 3] }).apply(x), /zoom has 3 values for 2 spatial axes; give one or 2/],
    [() => new T.CastToType({ dtype: "int64" as T.DTypeName }).apply(x), /unknown dtype "int64"/],
  ])("%o", (call, message) => expect(call).toThrow(message));
});
