/**
 * @file What the doc comment of every public transform promises: it says shapes, geometry, draws and MONAI's name, and what it says of the
 * geometry and the draws is so.
 */
import { globSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { HostArray } from "../../../src/host/array.ts";
import { RandomState } from "../../../src/host/random/numpy.ts";
import * as T from "../../../src/data/transforms/index.ts";
import { makeVolume } from "../../../src/data/volume.ts";

const root = new URL("../../../src/data/transforms/", import.meta.url).pathname;
const sources = globSync("**/*.ts", { cwd: root }).map((file) => readFileSync(root + file, "utf8"));

/** The comment before a class, without its stars. */
function docOf(name: string): string {
  const source = sources.find((text) => new RegExp(`^export class ${name}\\b`, "m").test(text))!;
  const before = source.slice(0, source.search(new RegExp(`^export class ${name}\\b`, "m"))).trimEnd();
  return before.endsWith("*/") ? before.slice(before.lastIndexOf("/**")).replaceAll(/^\s*\*\s?/gm, "") : "";
}

/** The line with a label, and those that go on with it. */
const line = (doc: string, label: string) => new RegExp(`^${label}: ([^]*?)(?=^@|^\\w+: |$(?![^]))`, "m").exec(doc)?.[1];

const label = { data: Uint8Array.from({ length: 120 }, (_, i) => i % 3), shape: [1, 4, 5, 6] };
const volume = makeVolume({ data: Float32Array.from({ length: 120 }, (_, i) => ((i * 37) % 50) + 1), shape: [1, 4, 5, 6] });
const cropped = { ...volume, data: volume.data.slice(0, 30), shape: [1, 1, 5, 6] };

/** Each transform, made so that it acts, or not (`prob: 0`). */
const samples: Record<string, (prob: number) => T.Transform> = {
  Activations: () => new T.Activations({ sigmoid: true }),
  AdjustContrast: () => new T.AdjustContrast({ gamma: 2 }),
  AsChannelLast: () => new T.AsChannelLast(),
  AsDiscrete: () => new T.AsDiscrete({ threshold: 3 }),
  BorderPad: () => new T.BorderPad({ spatialBorder: 1 }),
  CastToType: () => new T.CastToType({ dtype: "uint8" }),
  CenterScaleCrop: () => new T.CenterScaleCrop({ roiScale: 0.5 }),
  CenterSpatialCrop: () => new T.CenterSpatialCrop({ roiSize: 2 }),
  ClipIntensityPercentiles: () => new T.ClipIntensityPercentiles({ lower: 5, upper: 95 }),
  Compose: () => new T.Compose([new T.RandFlip(), new T.ShiftIntensity({ offset: 1 }), new T.RandGaussianNoise()]),
  CropForeground: () => new T.CropForeground(),
  DistanceTransformEDT: () => new T.DistanceTransformEDT(),
  DivisiblePad: () => new T.DivisiblePad({ k: 4 }),
  EnsureChannelFirst: () => new T.EnsureChannelFirst({ channelDim: 1 }),
  FillHoles: () => new T.FillHoles(),
  Flip: () => new T.Flip(),
  GaussianSmooth: () => new T.GaussianSmooth(),
  KeepLargestConnectedComponent: () => new T.KeepLargestConnectedComponent(),
  LabelFilter: () => new T.LabelFilter({ appliedLabels: [1, 2] }),
  LabelToContour: () => new T.LabelToContour(),
  MeanEnsemble: () => ofModels(new T.MeanEnsemble()),
  NormalizeIntensity: () => new T.NormalizeIntensity(),
  ProbNMS: () => ({ apply: (x: HostArray) => new T.ProbNMS({ spatialDims: 4, boxSize: 9 }).apply(x) }) as unknown as T.Transform,
  RandAdjustContrast: (prob) => new T.RandAdjustContrast({ prob }),
  RandAxisFlip: (prob) => new T.RandAxisFlip({ prob }),
  RandCropByLabelClasses: () => labeled(new T.RandCropByLabelClasses({ spatialSize: 2, numSamples: 2, numClasses: 3 })),
  RandCropByPosNegLabel: () => labeled(new T.RandCropByPosNegLabel({ spatialSize: 2, numSamples: 2 })),
  RandFlip: (prob) => new T.RandFlip({ prob }),
  RandGaussianNoise: (prob) => new T.RandGaussianNoise({ prob }),
  RandRotate90: (prob) => new T.RandRotate90({ prob }),
  RandScaleIntensity: (prob) => new T.RandScaleIntensity({ prob, factors: 0.5 }),
  RandShiftIntensity: (prob) => new T.RandShiftIntensity({ prob, offsets: 2 }),
  RandSpatialCrop: () => new T.RandSpatialCrop({ roiSize: 2, randomSize: true }),
  RandSpatialCropSamples: () => new T.RandSpatialCropSamples({ roiSize: 2, numSamples: 2 }),
  RemoveSmallObjects: () => new T.RemoveSmallObjects(),
  Resize: () => new T.Resize({ spatialSize: 3 }),
  ResizeWithPadOrCrop: () => new T.ResizeWithPadOrCrop({ spatialSize: 5 }),
  Rotate90: () => new T.Rotate90(),
  ScaleIntensity: () => new T.ScaleIntensity(),
  ScaleIntensityRange: () => new T.ScaleIntensityRange({ aMin: 0, aMax: 9 }),
  ScaleIntensityRangePercentiles: () => new T.ScaleIntensityRangePercentiles({ lower: 5, upper: 95, bMin: 0, bMax: 1 }),
  ShiftIntensity: () => new T.ShiftIntensity({ offset: 1 }),
  SobelGradients: () => new T.SobelGradients(),
  SpatialCrop: () => new T.SpatialCrop({ roiStart: 0, roiEnd: 2 }),
  SpatialPad: () => new T.SpatialPad({ spatialSize: 7 }),
  SplitDim: () => new T.SplitDim({ dim: 1 }),
  SqueezeDim: () => new T.SqueezeDim({ dim: 1 }),
  ThresholdIntensity: () => new T.ThresholdIntensity({ threshold: 9 }),
  Transpose: () => new T.Transpose(),
  VoteEnsemble: () => ofModels(new T.VoteEnsemble()),
};

/** Two models that say the same. */
const ofModels = (ensemble: T.MeanEnsemble | T.VoteEnsemble): T.Transform => ({ apply: (x) => ensemble.apply([x, x]) });

/** Draws from a label map of its own, so that it can be used like any other array transform. */
function labeled(inner: T.RandCropByPosNegLabel | T.RandCropByLabelClasses): T.Transform {
  const apply = (x: HostArray) => {
    inner.randomize(label);
    return inner.applyDrawn(x);
  };
  return Object.assign(inner, { apply });
}

const isTransform = (v: unknown): v is { name: string; prototype: object } =>
  typeof v === "function" && "apply" in ((v as { prototype?: object }).prototype ?? {});

test("every public transform has a sample here", () => {
  const names = Object.values(T)
    .filter(isTransform)
    .map(({ name }) => name);
  expect(Object.keys(samples)).toEqual(names.sort());
});

describe.each(Object.entries(samples))("%s", (name, make) => {
  const doc = docOf(name);
  test("says shapes, geometry and MONAI's name", () => {
    expect(line(doc, "Shapes")).toBeDefined();
    expect(line(doc, "Geometry")).toBeDefined();
    expect(doc).toContain(`MONAI's`);
    expect(doc).toContain(`\`${name}\``);
  });

  test("keeps or drops the geometry as it says", () => {
    const says = line(doc, "Geometry")!;
    const keeps = (t: T.Transform) => {
      const out = t.apply(name === "SqueezeDim" ? cropped : volume);
      return [out].flat().every((x) => "affine" in x);
    };
    if (name === "Compose") {
      expect(says).toContain("that of its transforms");
      return;
    }
    expect(keeps(make(1))).toBe(says.startsWith("kept"));
    if (says.includes("kept where it does not")) expect(keeps(make(0))).toBe(true);
  });

  test("draws what it says", () => {
    const says = line(doc, "Draws");
    const transform = make(1);
    expect(says !== undefined).toBe(T.isRandomizable(transform));
    if (!T.isRandomizable(transform) || name === "Compose") return;
    const drawn = new Set<string>();
    const source = new Proxy(new RandomState(1), {
      get(target, method: keyof RandomState) {
        const value = target[method] as unknown;
        if (typeof value !== "function") return value;
        return (...args: unknown[]) => {
          drawn.add(method);
          return (value as (...a: unknown[]) => unknown).apply(target, args);
        };
      },
    });
    transform.setRandomState(source);
    transform.apply(volume);
    const named = new Set([...says!.matchAll(/(\w+)\(/g)].map((m) => m[1]));
    expect([...drawn].sort()).toEqual([...named].sort());
  });
});
