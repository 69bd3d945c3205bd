/**
 * @file Spatial transforms keep a volume's affine true, by MONAI's conventions, and can be taken back: any chain gives the source's shape and affine,
 * and a label map that was nowhere shrunk comes back voxel by voxel.
 */
import { describe, expect, test } from "vitest";
import type { HostArray } from "../../../src/host/array.ts";
import { ConfigError } from "../../../src/host/errors.ts";
import { RandomState } from "../../../src/host/random/numpy.ts";
import * as T from "../../../src/data/transforms/index.ts";
import { makeVolume, type Affine, type Volume, withGeometryOf } from "../../../src/data/volume.ts";

const affine: Affine = [
  [-1.5, 0.1, 0, 40],
  [0.12, 2, 0.2, -30],
  [0, -0.3, 3, 12],
  [0, 0, 0, 1],
];
const size = [9, 11, 7];
/** A label map in which every voxel has a number of its own. */
const source = makeVolume({ data: Int32Array.from({ length: 9 * 11 * 7 }, (_, i) => i + 1), shape: [1, ...size] }, affine, {
  kind: "label",
  source: "case.nii.gz",
});

const apply = (x: Volume, chain: readonly T.Transform[]): Volume =>
  chain.reduce<HostArray>(
    (v, t) => ("forLabels" in t ? (t as T.Transform & T.LabelSafe).forLabels() : t).apply(v) as HostArray,
    x,
  ) as Volume;

/** Nothing is lost in them: voxels are moved, or there are more of them. */
const lossless: Record<string, () => T.Transform> = {
  flip: () => new T.Flip({ spatialAxis: [0, 2] }),
  orientation: () => new T.Orientation({ axcodes: "SPL" }),
  rotate90: () => new T.Rotate90({ k: 3, spatialAxes: [2, 0] }),
  pad: () => new T.SpatialPad({ spatialSize: [14, 12, 15] }),
  "border, reflected": () => new T.BorderPad({ spatialBorder: [1, 0, 2], mode: "reflect" }),
  divisible: () => new T.DivisiblePad({ k: 4, method: "end" }),
  "finer spacing": () => new T.Spacing({ pixdim: [0.9, 1.1, 1.3] }),
  "larger size": () => new T.Resize({ spatialSize: [23, 24, 25] }),
  "zoomed in, larger": () => new T.Zoom({ zoom: 1.7, keepSize: false }),
};

const lossy: Record<string, () => T.Transform> = {
  crop: () => new T.CenterSpatialCrop({ roiSize: [5, 4, 6] }),
  foreground: () => new T.CropForeground({ selectFn: (v) => v > 300, margin: 1 }),
  "pad or crop": () => new T.ResizeWithPadOrCrop({ spatialSize: [4, 20, 7] }),
  "coarser spacing": () => new T.Spacing({ pixdim: [3, 3, 4], diagonal: true }),
  "smaller size": () => new T.Resize({ spatialSize: [4, 5, 6] }),
  rotate: () => new T.Rotate({ angle: [0.2, 0.4, -0.3], keepSize: false }),
  affine: () => new T.Affine({ rotateParams: [0.2], scaleParams: [1.1, 0.9, 1] }),
  zoom: () => new T.Zoom({ zoom: 0.7 }),
};

test("the decision on a network's logits keeps their place, and comes back as whole classes", () => {
  const image = makeVolume({ data: new Float32Array(9 * 11 * 7), shape: [1, ...size] }, affine);
  // As an image is: `apply` would have all from the nearest voxel, whatever a volume says of itself.
  const there = new T.Spacing({ pixdim: [0.9, 1.1, 1.3] }).apply(image) as Volume;
  const voxels = there.data.length;
  const data = Float32Array.from({ length: 3 * voxels }, (_, i) => Math.sin(i * i));
  const logits = withGeometryOf(there, { data, shape: [3, ...there.shape.slice(1)] });
  const scores = new T.Activations({ softmax: true }).apply(logits) as Volume;
  expect([scores.affine, scores.meta.kind]).toEqual([there.affine, undefined]);
  const rounded = { rounding: "torchrounding" } as const;
  for (const decide of [{ argmax: true }, { threshold: 0.4 }, { argmax: true, toOnehot: 3 }, rounded]) {
    const back = new T.Compose([new T.AsDiscrete(decide)]).inverse(new T.AsDiscrete(decide).apply(scores)) as Volume;
    expect([back.affine, back.shape.slice(1)]).toEqual([affine, size]);
    expect([...new Set(back.data)].every(Number.isInteger)).toBe(true);
  }
  const along = new T.AsDiscrete({ argmax: true, dim: 1 }).apply(scores);
  expect(Object.keys(along)).toEqual(["data", "shape"]);
});

describe("a chain and back", () => {
  test.each(Object.keys({ ...lossless, ...lossy }))("%s: shape, affine and source", (name) => {
    const there = apply(source, [{ ...lossless, ...lossy }[name]()]);
    expect(there.meta.applied).toHaveLength(1);
    const back = T.invert(there);
    expect([back.shape, back.affine, back.meta]).toEqual([source.shape, affine, source.meta]);
    if (name in lossless) expect(back.data).toEqual(source.data);
  });

  test("random chains", () => {
    const random = new RandomState(7);
    const all = { ...lossless, ...lossy };
    for (let k = 0; k < 40; k++) {
      const exact = k % 2 === 0;
      const names = Object.keys(exact ? lossless : all);
      // What makes voxels smaller comes first: after other steps the same spacing or size may be a coarser one.
      const first = exact ? ["finer spacing", "larger size"].filter(() => random.rand() < 0.5) : [];
      const rest = names.filter((name) => !exact || !["finer spacing", "larger size"].includes(name));
      const chain = [...first, ...Array.from({ length: 3 }, () => rest[random.randint(rest.length)])];
      const back = T.invert(
        apply(
          source,
          chain.map((name) => all[name]()),
        ),
      );
      expect([chain, back.shape, back.affine]).toEqual([chain, source.shape, affine]);
      if (exact) expect([chain, back.data]).toEqual([chain, source.data]);
    }
  });

  test("a prediction returns on the source's voxels, and Compose takes items back", () => {
    const chain = new T.Compose<T.Item>([
      T.onKeys(["image", "label"], new T.Spacing({ pixdim: 1 })),
      T.onKeys(["image", "label"], new T.CropForeground({ sourceKey: "label" })),
      T.onKeys(["image", "label"], new T.DivisiblePad({ k: 8 })),
    ]);
    const { label, ...rest } = chain.apply({ image: { ...source, meta: {} }, label: source, name: "a" }) as Record<
      string,
      Volume
    >;
    const prediction = withGeometryOf(label, { data: Float32Array.from(label.data), shape: label.shape });
    expect(T.invert(prediction, { mode: "nearest" }).data).toEqual(Float32Array.from(source.data));
    const back = chain.inverse({ label, ...rest }) as Record<string, Volume>;
    expect(back).toMatchObject({ label: { data: source.data, affine }, image: { shape: source.shape, affine }, name: "a" });
  });

  test("an elastic deformation has no way back, and says so", () => {
    const bent = new T.Rand3DElastic({ sigmaRange: [1, 1], magnitudeRange: [1, 1], prob: 1 }).apply(source) as Volume;
    expect(() => T.invert(bent)).toThrow(/Rand3DElastic deforms the image and cannot be taken back/);
  });
});

test("random transforms act on labels as on the image, and take them over voxel by voxel", () => {
  const t = T.onKeys(["image", "label"], new T.RandAffine({ prob: 1, rotateRange: [0.5, 0.5, 0.5] }), { labels: ["label"] });
  const image = { data: Float32Array.from(source.data), shape: source.shape };
  const out = t.apply({ image, label: { data: source.data, shape: source.shape } }) as Record<string, HostArray>;
  expect(out.label.data.every((v) => Number.isInteger(v))).toBe(true);
  expect(out.image.data.some((v) => !Number.isInteger(v))).toBe(true);
});

describe("async chains", () => {
  class Load extends T.AsyncTransform {
    applyAsync(x: HostArray): Promise<HostArray> {
      return Promise.resolve({ ...source, data: Int32Array.from([...source.data], (v) => v * Number(x)) } as HostArray);
    }
  }
  test("applyAsync waits, apply refuses; volumes of named keys are labels from then on", async () => {
    const chain = new T.Compose<T.Item>([
      T.onKeys(["image", "label"], new Load(), { labels: ["label"] }),
      T.onKeys(["label"], new T.Flip()),
    ]);
    const out = (await chain.applyAsync({ image: 2, label: 3 })) as Record<string, Volume>;
    expect([out.image.data[0], out.label.data[0], out.label.meta.kind]).toEqual([2, source.data.length * 3, "label"]);
    expect(() => chain.apply({ image: 2, label: 3 })).toThrow(/Load: works asynchronously; use applyAsync/);
  });
});

test.each([
  ["Resize", new T.Resize({ spatialSize: [13, 16, 9], mode: "trilinear", alignCorners: true })],
  ["Zoom", new T.Zoom({ zoom: [1.4, 1, 0.8], mode: "trilinear", alignCorners: true, keepSize: false })],
  ["RandZoom", new T.RandZoom({ prob: 1, minZoom: 0.7, maxZoom: 0.9, mode: "trilinear", alignCorners: true })],
])("%s with corners aligned comes back with them", (_, transform) => {
  const ramp = makeVolume({ data: Float32Array.from(source.data), shape: source.shape }, affine);
  const back = T.invert(transform.apply(ramp) as Volume);
  ramp.data.forEach((v, i) => expect(Math.abs(back.data[i] - v)).toBeLessThan(1e-3));
});

test("what was outside on the way there is outside on the way back", () => {
  const x = makeVolume({ data: Float32Array.of(1, 2, 3, 4, 5, 6), shape: [1, 6, 1, 1] });
  const back = (paddingMode: T.SamplePadding) =>
    Array.from(T.invert(new T.Affine({ translateParams: [2, 0, 0], paddingMode }).apply(x) as Volume).data, (v) => Math.round(v));
  expect(back("reflection")).toEqual([4, 3, 3, 4, 5, 6]);
  expect(back("border")).toEqual([3, 3, 3, 4, 5, 6]);
  expect(back("zeros")).toEqual([0, 0, 3, 4, 5, 6]);
});

test("what fills is what was asked for, or an error: bytes would keep −1 as 255", () => {
  const cropped = (data: Uint8Array | Float32Array) =>
    new T.CenterSpatialCrop({ roiSize: [1, 1, 1] }).apply(makeVolume({ data, shape: [1, 3, 1, 1] }, affine)) as Volume;
  const bytes = cropped(Uint8Array.of(1, 2, 3));
  expect(T.invert(bytes, { fill: 255 }).data).toEqual(Uint8Array.of(255, 2, 255));
  for (const fill of [-1, 256, 0.5, NaN]) expect(() => T.invert(bytes, { fill })).toThrow(ConfigError);
  expect(T.invert(cropped(Float32Array.of(1, 2, 3)), { fill: NaN }).data).toEqual(Float32Array.of(NaN, 2, NaN));
});
