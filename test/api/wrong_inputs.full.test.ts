/** @file Every transform, made with right options and called with what it does not take: an error that is ours, in place of a bare one or nonsense. */

import { expect, test } from "vitest";
import { VoxgradError } from "../../src/index.ts";
import * as data from "../../src/data/index.ts";
import * as node from "../../src/data/index.node.ts";
import { device } from "../lib/device.ts";

const gpu = await device();
const tensor = gpu.tensor({ data: new Float32Array(64), shape: [1, 4, 4, 4] });
const image = { data: Float32Array.from({ length: 64 }, (_, i) => i % 3), shape: [1, 4, 4, 4] };
const wrong: Readonly<Record<string, unknown>> = {
  undefined,
  null: null,
  number: 3,
  boolean: true,
  text: "scan.nii.gz",
  numbers: [1, 2, 3],
  texts: ["a"],
  values: new Float32Array(64),
  record: {},
  "without shape": { data: new Float32Array(64) },
  "without data": { shape: [1, 4, 4, 4] },
  "a list as data": { data: [1, 2, 3, 4], shape: [1, 2, 2] },
  "too few values": { data: new Float32Array(63), shape: [1, 4, 4, 4] },
  "too many values": { data: new Float32Array(65), shape: [1, 4, 4, 4] },
  "sizes that are none": { data: new Float32Array(64), shape: [1, -4, -4, 4] },
  "64-bit integers": { data: new BigInt64Array(64), shape: [1, 4, 4, 4] },
  function: () => 1,
  tensor,
};

/** Options of the transforms that need some. */
const right: Readonly<Record<string, unknown>> = {
  AddCoordinateChannels: { spatialDims: [0] },
  AdjustContrast: { gamma: 2 },
  BorderPad: { spatialBorder: 1 },
  CenterScaleCrop: { roiScale: 0.5 },
  CenterSpatialCrop: { roiSize: 2 },
  ClipIntensityPercentiles: { lower: 1, upper: 99 },
  Compose: [new data.Flip()],
  ContrastTransform: { contrastRange: [0.5, 2] },
  CutMix: { batchSize: 1 },
  CutOut: { batchSize: 1 },
  DivisiblePad: { k: 3 },
  DrawAugmentation: { size: [4, 4, 4] },
  GammaTransform: { gamma: [0.5, 2] },
  GridDistortion: {
    numCells: 2,
    distortSteps: [
      [1, 1, 1],
      [1, 1, 1],
      [1, 1, 1],
    ],
  },
  GridPatch: { patchSize: [2, 2, 2] },
  HistogramStandardization: { landmarks: [0, 10, 20, 25, 30, 40, 50, 60, 70, 75, 80, 90, 100] },
  ImageFilter: { filter: "laplace", filterSize: 3 },
  IntensityStats: { ops: "mean", keyPrefix: "a" },
  KSpaceSpikeNoise: { loc: [0, 1, 1, 1] },
  LabelFilter: { appliedLabels: 1 },
  LabelToMask: { selectLabels: 1 },
  Lambda: { func: (x: unknown) => x },
  MapLabelValue: { origLabels: [1], targetLabels: [2] },
  MaskIntensity: { maskData: image },
  MixUp: { batchSize: 1 },
  MultiplicativeBrightnessTransform: { multiplierRange: [0.5, 2] },
  OneOf: [new data.Flip()],
  Orientation: { axcodes: "RAS" },
  Pad: {
    toPad: [
      [0, 0],
      [1, 1],
    ],
  },
  RandomOrder: [new data.Flip()],
  Rand2DElastic: { spacing: 2, magnitudeRange: [0, 1], prob: 1 },
  Rand3DElastic: { sigmaRange: [1, 2], magnitudeRange: [0, 1], prob: 1 },
  RandCoarseDropout: { holes: 1, spatialSize: 2 },
  RandCoarseShuffle: { holes: 1, spatialSize: 2 },
  RandCropByLabelClasses: { spatialSize: 2, numClasses: 3 },
  RandCropByPosNegLabel: { spatialSize: 2 },
  RandGridPatch: { patchSize: [2, 2, 2] },
  RandImageFilter: { filter: "laplace", filterSize: 3, prob: 1 },
  RandLambda: { func: (x: unknown) => x },
  RandScaleCrop: { roiScale: 0.5 },
  RandScaleIntensity: { factors: 0.5 },
  RandShiftIntensity: { offsets: 0.5 },
  RandSmoothDeform: { spatialSize: [4, 4, 4], randSize: [2, 2, 2] },
  RandSmoothFieldAdjustContrast: { spatialSize: [4, 4, 4], randSize: [2, 2, 2] },
  RandSmoothFieldAdjustIntensity: { spatialSize: [4, 4, 4], randSize: [2, 2, 2] },
  RandSpatialCrop: { roiSize: 2 },
  RandSpatialCropSamples: { roiSize: 2, numSamples: 2 },
  RandStdShiftIntensity: { factors: 0.5 },
  RandWeightedCrop: { spatialSize: 2 },
  RemoveRepeatedChannel: { repeats: 1 },
  RepeatChannel: { repeats: 2 },
  ResampleToMatch: { imgDst: image },
  Resize: { spatialSize: 3 },
  ResizeWithPadOrCrop: { spatialSize: 3 },
  Rotate: { angle: 0.3 },
  SavitzkyGolaySmooth: { windowLength: 3, order: 1 },
  ScaleIntensityRange: { aMin: 0, aMax: 1 },
  ScaleIntensityRangePercentiles: { lower: 0, upper: 100, bMin: 0, bMax: 1 },
  ShiftIntensity: { offset: 1 },
  SomeOf: [new data.Flip()],
  Spacing: { pixdim: 2 },
  SpatialCrop: { roiCenter: [2, 2, 2], roiSize: [2, 2, 2] },
  SpatialPad: { spatialSize: 5 },
  SplitDim: {},
  StdShiftIntensity: { factor: 1 },
  ThresholdIntensity: { threshold: 1 },
  Zoom: { zoom: 1.5 },
};
/** They take values of any kind. */
const anything = new Set(["EnsureType"]);
/** They take bytes too. */
const bytes = new Set(["LoadImage"]);

interface Called {
  apply(x: unknown): unknown;
  applyAsync?(x: unknown): Promise<unknown>;
}
type Class = new (options?: unknown) => Called;

const isTransform = (f: unknown): f is Class =>
  typeof f === "function" &&
  f.toString().startsWith("class") &&
  typeof (f.prototype as Partial<Called>).apply === "function" &&
  f !== data.AsyncTransform;

const classes = Object.entries<unknown>({ ...data, ...node }).filter((entry): entry is [string, Class] => isTransform(entry[1]));

/** What a call ends in: nothing if the error is ours. */
async function outcome(call: () => unknown): Promise<string | undefined> {
  try {
    await call();
    return "goes through";
  } catch (e) {
    return e instanceof VoxgradError ? undefined : String(e).slice(0, 120);
  }
}

test("every transform refuses what it does not take", async () => {
  const bad: string[] = [];
  for (const [name, T] of classes) {
    if (anything.has(name)) continue;
    const t = new T(right[name]);
    for (const [kind, x] of Object.entries(wrong)) {
      if (bytes.has(name) && kind === "values") continue;
      const found = await outcome(() => (t.applyAsync ? t.applyAsync(x) : t.apply(x)));
      if (found !== undefined) bad.push(`${name}: ${kind}: ${found}`);
    }
  }
  expect(bad).toEqual([]);
});

test("so does its dictionary form", async () => {
  const bad: string[] = [];
  for (const [name, T] of classes) {
    if (anything.has(name) || ["Compose", "DrawAugmentation"].includes(name)) continue;
    const t = data.onKeys(["image"], new T(right[name]) as never) as Called;
    for (const [kind, value] of Object.entries(wrong)) {
      for (const [place, item] of Object.entries({ item: value, entry: { image: value } })) {
        if (bytes.has(name) && kind === "values") continue;
        const found = await outcome(() => (t.applyAsync ? t.applyAsync(item) : t.apply(item)));
        if (found !== undefined) bad.push(`${name}: ${kind} as ${place}: ${found}`);
      }
    }
  }
  expect(bad).toEqual([]);
});

/** The names of a class's options, which the error for an unknown one tells. */
function optionNames(T: Class): readonly string[] {
  const make = () => new T({ "": 1 });
  try {
    make();
  } catch (e) {
    return /known are (.*)$/.exec(String(e))?.[1].split(", ") ?? [];
  }
  return [];
}

/** Options that take functions, or records of values that are checked on their own. */
const free = new Set(["ForegroundMask threshold", "ForegroundMask hsvThreshold"]);
const functions = /^(func|log|other|selectFn|additionalInfo|maskingMethod|ops)$/;
const ofOptions = { text: "x", boolean: true, texts: ["a"], values: new Float32Array(4), record: {}, function: () => 1, NaN };

test("every option of another kind is refused, when it is given or when it is used", async () => {
  const bad: string[] = [];
  for (const [name, T] of classes) {
    if (["Compose", "MeanEnsemble", "VoteEnsemble", "EnsureType", "LoadImage", "LoadImageFile", "SaveImageFile"].includes(name))
      continue;
    const names = optionNames(T);
    for (const key of names) {
      for (const [kind, value] of Object.entries(ofOptions)) {
        const options = { ...(names.includes("prob") ? { prob: 1 } : {}), ...(right[name] as object | undefined), [key]: value };
        const found = await outcome(() => new T(options).apply(name === "DrawAugmentation" ? { image } : image));
        const nonsense = kind === "record" || (kind === "function" && !functions.test(key));
        if (found !== undefined && (found !== "goes through" || (nonsense && !free.has(`${name} ${key}`))))
          bad.push(`${name}: ${key} is ${kind}: ${found}`);
      }
    }
  }
  expect(bad).toEqual([]);
});
