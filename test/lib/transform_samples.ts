/** @file A sample of every public transform, made so that it acts, and what its comment says. */
import { globSync, readFileSync } from "node:fs";
import type { HostArray } from "../../src/host/array.ts";
import * as T from "../../src/data/transforms/index.ts";
import { makeVolume } from "../../src/data/volume.ts";

const root = new URL("../../src/data/transforms/", import.meta.url).pathname;
const sources = globSync("**/*.ts", { cwd: root }).map((file) => readFileSync(root + file, "utf8"));

/** The comment before a class, without its stars. */
export function docOf(name: string): string {
  const source = sources.find((text) => new RegExp(`^export class ${name}\\b`, "m").test(text))!;
  const before = source.slice(0, source.search(new RegExp(`^export class ${name}\\b`, "m"))).trimEnd();
  return before.endsWith("*/") ? before.slice(before.lastIndexOf("/**")).replaceAll(/^\s*\*\s?/gm, "") : "";
}

/** The line with a label, and those that go on with it. */
export const line = (doc: string, label: string) => new RegExp(`^${label}: ([^]*?)(?=^@|^\\w+: |$(?![^]))`, "m").exec(doc)?.[1];

/** A label map of three classes. */
export const label = { data: Uint8Array.from({ length: 120 }, (_, i) => i % 3), shape: [1, 4, 5, 6] };
/** An image. */
export const volume = makeVolume({
  data: Float32Array.from({ length: 120 }, (_, i) => ((i * 37) % 50) + 1),
  shape: [1, 4, 5, 6],
});
/** One of a single slice. */
export const cropped = { ...volume, data: volume.data.slice(0, 30), shape: [1, 1, 5, 6] };

const doubled = [
  [2, 0, 0, 0],
  [0, 2, 0, 0],
  [0, 0, 2, 0],
  [0, 0, 0, 1],
];

/** Two channels, for what takes no single one. */
export const twice = makeVolume({ data: Float32Array.from([...volume.data, ...volume.data]), shape: [2, 4, 5, 6] });

const field = { spatialSize: [4, 5, 6], randSize: [2, 2, 2] };
const points = { data: volume.data.slice(0, 12), shape: [2, 2, 3] };

/** Each transform, made so that it acts, or not (`prob: 0`). */
export const samples: Record<string, (prob: number) => T.Transform> = {
  Activations: () => new T.Activations({ sigmoid: true }),
  AddCoordinateChannels: () => new T.AddCoordinateChannels({ spatialDims: [0] }),
  AddExtremePointsChannel: () => labeled(new T.AddExtremePointsChannel()),
  AdjustContrast: () => new T.AdjustContrast({ gamma: 2 }),
  Affine: () => new T.Affine({ rotateParams: [0.1, 0.2, 0.3] }),
  ApplyTransformToPoints: () => on(points, new T.ApplyTransformToPoints({ affine: doubled })),
  AsChannelLast: () => new T.AsChannelLast(),
  AsDiscrete: () => new T.AsDiscrete({ threshold: 3 }),
  BorderPad: () => new T.BorderPad({ spatialBorder: 1 }),
  BoundingRect: () => new T.BoundingRect(),
  CastToType: () => new T.CastToType({ dtype: "uint8" }),
  CenterScaleCrop: () => new T.CenterScaleCrop({ roiScale: 0.5 }),
  CenterSpatialCrop: () => new T.CenterSpatialCrop({ roiSize: 2 }),
  ClassesToIndices: () => new T.ClassesToIndices({ numClasses: 2 }),
  ClipIntensityPercentiles: () => new T.ClipIntensityPercentiles({ lower: 5, upper: 95 }),
  Compose: () => new T.Compose([new T.RandFlip(), new T.ShiftIntensity({ offset: 1 }), new T.RandGaussianNoise()]),
  ComputeHoVerMaps: () => ({ apply: () => new T.ComputeHoVerMaps().apply({ data: new Uint8Array(9), shape: [1, 3, 3] }) }),
  ContrastTransform: () => new T.ContrastTransform({ contrastRange: [0.75, 1.25] }),
  ConvertBoxToPoints: () => on({ data: volume.data.slice(0, 12), shape: [2, 6] }, new T.ConvertBoxToPoints()),
  ConvertPointsToBoxes: () => on(points, new T.ConvertPointsToBoxes()),
  ConvertToMultiChannelBasedOnBratsClasses: () => new T.ConvertToMultiChannelBasedOnBratsClasses(),
  CropForeground: () => new T.CropForeground(),
  CutMix: () => new T.CutMix({ batchSize: 1 }),
  CutOut: () => new T.CutOut({ batchSize: 1 }),
  DataStats: () => new T.DataStats(),
  DetectEnvelope: () => new T.DetectEnvelope(),
  DivisiblePad: () => new T.DivisiblePad({ k: 4 }),
  EnsureChannelFirst: () => new T.EnsureChannelFirst(),
  EnsureType: () => new T.EnsureType(),
  FgBgToIndices: () => new T.FgBgToIndices(),
  DistanceTransformEDT: () => new T.DistanceTransformEDT(),
  FillHoles: () => new T.FillHoles(),
  Flip: () => new T.Flip(),
  ForegroundMask: () => new T.ForegroundMask({ threshold: 3 }),
  GammaTransform: () => new T.GammaTransform({ gamma: [0.7, 1.5] }),
  GaussianBlurTransform: () => new T.GaussianBlurTransform({ blurSigma: [0.5, 1] }),
  GaussianNoiseTransform: () => new T.GaussianNoiseTransform(),
  GaussianSharpen: () => new T.GaussianSharpen(),
  GaussianSmooth: () => new T.GaussianSmooth(),
  GridDistortion: () => new T.GridDistortion({ numCells: 2, distortSteps: [0, 1, 2].map(() => [1.1, 0.9, 1]) }),
  GridPatch: () => new T.GridPatch({ patchSize: [2, 2, 2] }),
  GridSplit: () => new T.GridSplit({ grid: [2, 2, 2] }),
  GibbsNoise: () => new T.GibbsNoise(),
  HistogramNormalize: () => new T.HistogramNormalize(),
  HistogramStandardization: () =>
    new T.HistogramStandardization({ landmarks: [0, 10, 20, 25, 30, 40, 50, 60, 70, 75, 80, 90, 100] }),
  Identity: () => new T.Identity(),
  ImageFilter: () => new T.ImageFilter({ filter: "mean", filterSize: 3 }),
  IntensityRemap: () => new T.IntensityRemap(),
  IntensityStats: () => new T.IntensityStats({ ops: "mean", keyPrefix: "x" }),
  KSpaceSpikeNoise: () => new T.KSpaceSpikeNoise({ loc: [0, 0, 0], kIntensity: 1 }),
  LabelToMask: () => new T.LabelToMask({ selectLabels: 1 }),
  Lambda: () => new T.Lambda({ func: (x) => x }),
  MapLabelValue: () => new T.MapLabelValue({ origLabels: [1], targetLabels: [2] }),
  MaskIntensity: () => new T.MaskIntensity({ maskData: label }),
  MedianSmooth: () => new T.MedianSmooth(),
  MixUp: () => new T.MixUp({ batchSize: 1 }),
  MultiplicativeBrightnessTransform: () => new T.MultiplicativeBrightnessTransform({ multiplierRange: [0.75, 1.25] }),
  NormalizeIntensity: () => new T.NormalizeIntensity(),
  OneOf: () => new T.OneOf([new T.Flip(), new T.ShiftIntensity({ offset: 1 })]),
  Orientation: () => new T.Orientation({ axcodes: "PIR" }),
  Pad: () =>
    new T.Pad({
      toPad: [
        [0, 0],
        [1, 2],
      ],
    }),
  Rand2DElastic: () => on2d(new T.Rand2DElastic({ spacing: 2, magnitudeRange: [0, 1], prob: 1 })),
  Rand3DElastic: (prob) => new T.Rand3DElastic({ sigmaRange: [1, 2], magnitudeRange: [0, 1], prob }),
  KeepLargestConnectedComponent: () => new T.KeepLargestConnectedComponent(),
  LabelFilter: () => new T.LabelFilter({ appliedLabels: [1, 2] }),
  LabelToContour: () => new T.LabelToContour(),
  MeanEnsemble: () => ofModels(new T.MeanEnsemble()),
  ProbNMS: () => ({ apply: (x: HostArray) => new T.ProbNMS({ spatialDims: 4, boxSize: 9 }).apply(x) }) as unknown as T.Transform,
  RandAdjustContrast: (prob) => new T.RandAdjustContrast({ prob }),
  RandAffine: (prob) => new T.RandAffine({ prob, rotateRange: [0.1, 0.1, 0.1], scaleRange: 0.1 }),
  RandAxisFlip: (prob) => new T.RandAxisFlip({ prob }),
  RandBiasField: (prob) => new T.RandBiasField({ prob }),
  RandCoarseDropout: (prob) => new T.RandCoarseDropout({ holes: 1, maxHoles: 2, spatialSize: 1, maxSpatialSize: 2, prob }),
  RandCoarseShuffle: (prob) => new T.RandCoarseShuffle({ holes: 1, maxHoles: 2, spatialSize: 1, maxSpatialSize: 2, prob }),
  RandCropByLabelClasses: () => labeled(new T.RandCropByLabelClasses({ spatialSize: 2, numSamples: 2, numClasses: 3 })),
  RandCropByPosNegLabel: () => labeled(new T.RandCropByPosNegLabel({ spatialSize: 2, numSamples: 2 })),
  RandFlip: (prob) => new T.RandFlip({ prob }),
  RandGaussianNoise: (prob) => new T.RandGaussianNoise({ prob }),
  RandGridDistortion: (prob) => new T.RandGridDistortion({ prob, numCells: 2 }),
  RandGridPatch: () => new T.RandGridPatch({ patchSize: [2, 2, 2] }),
  RandRotate: (prob) => new T.RandRotate({ prob, rangeX: 0.5 }),
  RandGaussianSharpen: (prob) => new T.RandGaussianSharpen({ prob }),
  RandGaussianSmooth: (prob) => new T.RandGaussianSmooth({ prob }),
  RandGibbsNoise: (prob) => new T.RandGibbsNoise({ prob }),
  RandHistogramShift: (prob) => new T.RandHistogramShift({ prob }),
  RandIdentity: () => new T.RandIdentity(),
  RandImageFilter: (prob) => new T.RandImageFilter({ filter: "mean", filterSize: 3, prob }),
  RandIntensityRemap: (prob) => new T.RandIntensityRemap({ prob }),
  RandKSpaceSpikeNoise: (prob) => new T.RandKSpaceSpikeNoise({ prob }),
  RandLambda: (prob) => new T.RandLambda({ func: (x) => x, prob }),
  RandRicianNoise: (prob) => new T.RandRicianNoise({ prob }),
  RandRotate90: (prob) => new T.RandRotate90({ prob }),
  RandScaleCrop: () => new T.RandScaleCrop({ roiScale: 0.5, randomSize: true }),
  RandScaleIntensity: (prob) => new T.RandScaleIntensity({ prob, factors: 0.5 }),
  RandScaleIntensityFixedMean: (prob) => new T.RandScaleIntensityFixedMean({ prob, factors: 0.5 }),
  RandShiftIntensity: (prob) => new T.RandShiftIntensity({ prob, offsets: 2 }),
  RandSimulateLowResolution: (prob) => new T.RandSimulateLowResolution({ prob }),
  RandSmoothDeform: (prob) => new T.RandSmoothDeform({ ...field, prob }),
  RandSmoothFieldAdjustContrast: (prob) => new T.RandSmoothFieldAdjustContrast({ ...field, prob }),
  RandSmoothFieldAdjustIntensity: (prob) => new T.RandSmoothFieldAdjustIntensity({ ...field, prob }),
  RandSpatialCrop: () => new T.RandSpatialCrop({ roiSize: 2, randomSize: true }),
  RandSpatialCropSamples: () => new T.RandSpatialCropSamples({ roiSize: 2, numSamples: 2 }),
  RandTranspose: (prob) => new T.RandTranspose({ prob }),
  RandWeightedCrop: () => new T.RandWeightedCrop({ spatialSize: 2, weightMap: volume }),
  RandZoom: (prob) => new T.RandZoom({ prob }),
  RemoveRepeatedChannel: () => new T.RemoveRepeatedChannel({ repeats: 2 }),
  RepeatChannel: () => new T.RepeatChannel({ repeats: 2 }),
  ResampleToMatch: () => new T.ResampleToMatch({ imgDst: makeVolume(cropped, doubled) }),
  RandStdShiftIntensity: (prob) => new T.RandStdShiftIntensity({ prob, factors: 0.5 }),
  RandomBlur: (prob) => new T.RandomBlur({ prob }),
  RandomBrightnessContrast: (prob) => new T.RandomBrightnessContrast({ prob }),
  RandomGamma: (prob) => new T.RandomGamma({ prob }),
  RandomGhosting: (prob) => new T.RandomGhosting({ prob }),
  RandomNoise: (prob) => new T.RandomNoise({ prob }),
  RandomOrder: () => new T.RandomOrder([new T.Flip(), new T.ShiftIntensity({ offset: 1 })]),
  RandomSpike: (prob) => new T.RandomSpike({ prob }),
  RescaleIntensity: () => new T.RescaleIntensity(),
  RemoveSmallObjects: () => new T.RemoveSmallObjects(),
  Resize: () => new T.Resize({ spatialSize: 3 }),
  ResizeWithPadOrCrop: () => new T.ResizeWithPadOrCrop({ spatialSize: 5 }),
  Rotate: () => new T.Rotate({ angle: 0.3 }),
  Rotate90: () => new T.Rotate90(),
  SavitzkyGolaySmooth: () => new T.SavitzkyGolaySmooth({ windowLength: 3, order: 1 }),
  ScaleIntensity: () => new T.ScaleIntensity(),
  ScaleIntensityFixedMean: () => new T.ScaleIntensityFixedMean(),
  ScaleIntensityRange: () => new T.ScaleIntensityRange({ aMin: 0, aMax: 9 }),
  ScaleIntensityRangePercentiles: () => new T.ScaleIntensityRangePercentiles({ lower: 5, upper: 95, bMin: 0, bMax: 1 }),
  ShiftIntensity: () => new T.ShiftIntensity({ offset: 1 }),
  SomeOf: () => new T.SomeOf([new T.Flip(), new T.ShiftIntensity({ offset: 1 })]),
  Spacing: () => new T.Spacing({ pixdim: 2 }),
  SobelGradients: () => new T.SobelGradients(),
  SpatialCrop: () => new T.SpatialCrop({ roiStart: 0, roiEnd: 2 }),
  SpatialPad: () => new T.SpatialPad({ spatialSize: 7 }),
  SpatialResample: () => new T.SpatialResample({ dstAffine: doubled }),
  SplitDim: () => new T.SplitDim({ dim: 1 }),
  SqueezeDim: () => new T.SqueezeDim({ dim: 1 }),
  StdShiftIntensity: () => new T.StdShiftIntensity({ factor: 1 }),
  ThresholdIntensity: () => new T.ThresholdIntensity({ threshold: 9 }),
  Transpose: () => new T.Transpose(),
  UltrasoundConfidenceMapTransform: () => new T.UltrasoundConfidenceMapTransform(),
  VoteEnsemble: () => ofModels(new T.VoteEnsemble()),
  Zoom: () => new T.Zoom({ zoom: 1.5 }),
  ZNormalization: () => new T.ZNormalization(),
};

/** Takes what it is for, and not an image. */
const on = (x: HostArray, inner: T.Transform): T.Transform => ({ apply: () => inner.apply(x) });

/** Takes a slice of what it is given. */
function on2d(inner: T.Rand2DElastic): T.Transform {
  const apply = (x: HostArray) => {
    const slice = { data: x.data.slice(0, 30), shape: [1, 5, 6] };
    inner.randomize(slice);
    return inner.applyDrawn(slice);
  };
  return Object.assign(inner, { apply });
}

/** Two models that say the same. */
const ofModels = (ensemble: T.MeanEnsemble | T.VoteEnsemble): T.Transform => ({ apply: (x) => ensemble.apply([x, x]) });

/** Draws from a label map of its own, so that it can be used like any other array transform. */
function labeled(inner: T.RandCropByPosNegLabel | T.RandCropByLabelClasses | T.AddExtremePointsChannel): T.Transform {
  const apply = (x: HostArray) => {
    inner.randomize(label);
    return inner.applyDrawn(x);
  };
  return Object.assign(inner, { apply });
}

/** Whether an export is the class of one. */
export const isTransform = (v: unknown): v is { name: string; prototype: object } =>
  typeof v === "function" && v !== T.AsyncTransform && "apply" in ((v as { prototype?: object }).prototype ?? {});
