/** @file nnU-Net's preprocessing of a case: transpose, crop, normalize, resample; and the places where its classes are. */

import { expectArguments, expectFields, expectKinds } from "../../host/kinds.ts";
import { expectOptions } from "../../host/options.ts";
import { type HostArray, sizeOf, type TypedArray } from "../../host/array.ts";
import { ShapeError } from "../../host/errors.ts";
import { RandomState } from "../../host/random/numpy.ts";
import { stridesOf } from "../../host/shape.ts";
import { copyView, reversedAxes } from "../../host/strided.ts";
import type { Volume } from "../volume.ts";
import { type BoundingBox, cropToNonzero } from "./crop.ts";
import { type IntensityProperties, normalizeIntensities, type NormalizationScheme } from "./normalize.ts";
import { computeNewShape } from "./resample.ts";
import { resampleByPlan } from "./resample_by_plan.ts";

/** What preprocessing needs of a plan; names are those of `nnUNetPlans.json`. */
export interface PreprocessPlan {
  /** Which axis of z, y, x comes first, second and third. */
  readonly transpose_forward: readonly number[];
  /** Intensities of the foreground by number of the channel; read for CT. */
  readonly foreground_intensity_properties_per_channel: Readonly<Record<string, Partial<IntensityProperties>>>;
}

/** What it needs of a configuration of the plan. */
export interface PreprocessConfiguration {
  /** In mm, of the transposed axes; two numbers leave the first axis as it is. */
  readonly spacing: readonly number[];
  /** nnU-Net's class of each channel, such as "ZScoreNormalization". */
  readonly normalization_schemes: readonly string[];
  /** Whether each channel is normalized within the mask of what is not zero. */
  readonly use_mask_for_norm: readonly boolean[];
  /** nnU-Net's function that resamples images. */
  readonly resampling_fn_data: string;
  /** Its options, by nnU-Net's names. */
  readonly resampling_fn_data_kwargs: Readonly<Record<string, unknown>>;
  /** nnU-Net's function that resamples label maps. */
  readonly resampling_fn_seg: string;
  /** Its options, by nnU-Net's names. */
  readonly resampling_fn_seg_kwargs: Readonly<Record<string, unknown>>;
}

/** An image and its labels with the axes z, y, x that nnU-Net's arrays have. */
export interface NnunetArrays {
  /** `[C, z, y, x]`. */
  readonly image: HostArray;
  /** In mm, of the axes z, y, x. */
  readonly spacing: readonly number[];
}

// What a header states and what follows from its directions differ by rounding; what differs by more was moved since.
const statedWithin = 1e-3;

/**
 * Voxel size along the axes of the array: what the file states, as nnU-Net's readers take it, where that still holds. The lengths of an oblique affine's
 * columns are a hair off, which decides where a size falls on a half or thick slices on the threshold.
 */
function statedSpacing({ spacing, meta: { spacing: stated } }: Volume): readonly number[] {
  const holds = stated?.length === 3 && spacing.every((s, a) => Math.abs(s - stated[a]) <= statedWithin * s);
  return holds ? stated : spacing;
}

// nnU-Net's readers give images of two axes a third one, along which voxels are so many times as long as the longest of the others.
const noDepth = 999;

/** Whether the image has two axes: as its file says; of one that came from no file, if it is a slice without a voxel size. */
const isPlanar = ({ shape, spacing, meta }: Volume): boolean =>
  shape[3] === 1 && (meta.planar ?? (meta.format === undefined && spacing.every((s) => s === 1)));

/** A volume as nnU-Net reads it: `[C, z, y, x]`, spacing in that order; of an image of two axes z is 999 times as long as the longer one. */
export function nnunetArray(volume: Volume): NnunetArrays {
  expectArguments("nnunetArray", "volume", { volume });
  const [x, y, z] = statedSpacing(volume);
  return { image: reversedAxes(volume), spacing: [isPlanar(volume) ? noDepth * Math.max(x, y) : z, y, x] };
}

/** What undoes the preprocessing of a case. */
export interface CaseProperties {
  /** In mm, of the axes before the transposition. */
  readonly spacing: readonly number[];
  /** Voxels per axis of the transposed image. */
  readonly shapeBeforeCropping: readonly number[];
  /** What was kept of it: first and last + 1 voxel per axis. */
  readonly bboxUsedForCropping: BoundingBox;
  /** Voxels per axis of that box. */
  readonly shapeAfterCroppingAndBeforeResampling: readonly number[];
}

/** A preprocessed case. */
export interface PreprocessedCase {
  /** `[C, …]` float32 */
  readonly data: HostArray<Float32Array>;
  /** `[1, …]`, or as many label maps as were given; −1 outside of what is not zero. */
  readonly seg: HostArray<Int8Array | Int16Array>;
  /** What takes a prediction back to the image. */
  readonly properties: CaseProperties;
}

function transposed<A extends TypedArray>(x: HostArray<A>, forward: readonly number[]): HostArray<A> {
  if (forward.length !== x.shape.length - 1)
    throw new ShapeError(`preprocessCase: the array is [${x.shape}]; expected [C] and ${forward.length} spatial axes`);
  const axes = [0, ...forward.map((a) => a + 1)];
  const strides = stridesOf(x.shape);
  return copyView(
    x.data,
    axes.map((a) => x.shape[a]),
    axes.map((a) => strides[a]),
    0,
  );
}

// Elements of float32 that an engine has arrays for.
const largestArray = 2 ** 31;

/**
 * A case as a network of the plan takes it: nnU-Net's `DefaultPreprocessor.run_case_npy`.
 * @param image `[C, z, y, x]`; @param seg `[1, z, y, x]`, if there is one, or several label maps; @param spacing of the same axes
 * @throws ShapeError, ConfigError for what does not fit the plan
 */
export function preprocessCase(
  arrays: NnunetArrays & { readonly seg?: HostArray | undefined },
  plan: PreprocessPlan,
  configuration: PreprocessConfiguration,
): PreprocessedCase {
  expectFields("preprocessCase", "arrays", arrays, { image: "array", seg: "array?", spacing: "numbers" });
  expectFields("preprocessCase", "plan", plan, { transpose_forward: "numbers" });
  expectFields("preprocessCase", "configuration", configuration, { spacing: "numbers", normalization_schemes: "texts" });
  const { image, seg, spacing } = arrays;
  const forward = plan.transpose_forward;
  const turned = transposed({ data: Float32Array.from(image.data), shape: image.shape }, forward);
  const original = forward.map((a) => spacing[a]);
  const { data, seg: labels, bbox } = cropToNonzero(turned, seg && transposed(seg, forward));
  const target =
    configuration.spacing.length < original.length ? [original[0], ...configuration.spacing] : [...configuration.spacing];
  const cropped = data.shape.slice(1);
  const newShape = computeNewShape(cropped, original, target);
  if (newShape.includes(0) || data.shape[0] * sizeOf(newShape) > largestArray)
    throw new ShapeError(
      `preprocessCase: [${cropped}] voxels of [${original}] mm would be [${newShape}] of the plan's [${target}] mm; are both spacings in mm?`,
    );
  const normalized = normalizeChannels(data, labels, plan, configuration);
  const c = configuration;
  const resampled = resampleByPlan(c.resampling_fn_data, c.resampling_fn_data_kwargs, normalized, newShape, original, target);
  const resampledSeg = resampleByPlan(c.resampling_fn_seg, c.resampling_fn_seg_kwargs, labels, newShape, original, target);
  return {
    data: resampled as HostArray<Float32Array>,
    seg: smallSigned(resampledSeg),
    properties: {
      spacing: [...spacing],
      shapeBeforeCropping: turned.shape.slice(1),
      bboxUsedForCropping: bbox,
      shapeAfterCroppingAndBeforeResampling: cropped,
    },
  };
}

function normalizeChannels(
  data: HostArray,
  seg: HostArray,
  plan: PreprocessPlan,
  c: PreprocessConfiguration,
): HostArray<Float32Array> {
  const [channels, ...size] = data.shape;
  if (c.normalization_schemes.length !== channels)
    throw new ShapeError(`preprocessCase: the image has ${channels} channels, the plan ${c.normalization_schemes.length}`);
  const out = new Float32Array(data.data.length);
  const voxels = sizeOf(size);
  for (let k = 0; k < channels; k++) {
    const channel = { data: data.data.subarray(k * voxels, (k + 1) * voxels), shape: size };
    const normalized = normalizeIntensities(c.normalization_schemes[k] as NormalizationScheme, channel, {
      useMaskForNorm: c.use_mask_for_norm[k],
      intensityProperties: plan.foreground_intensity_properties_per_channel[String(k)] ?? {},
      seg: { data: seg.data.subarray(0, voxels), shape: size },
    });
    out.set(normalized.data, k * voxels);
  }
  return { data: out, shape: [...data.shape] };
}

function smallSigned({ data, shape }: HostArray): HostArray<Int8Array | Int16Array> {
  let most = 0;
  for (let i = 0; i < data.length; i++) if (data[i] > most) most = data[i];
  return { data: most > 127 ? Int16Array.from(data) : Int8Array.from(data), shape };
}

/** How `sampleForegroundLocations` samples. */
export interface LocationOptions {
  /** Default 1234. */
  readonly seed?: number;
  /** At least so many voxels of a class, if it has them; default 10,000. */
  readonly minNumSamples?: number;
  /** At least this part of them; default 0.01. */
  readonly minPercentCoverage?: number;
}

/** Voxels of a class or region: indices per axis of the label map, channel axis first. */
export interface ClassLocations {
  /** The label, or the labels of the region. */
  readonly classOrRegion: number | readonly number[];
  /** A list of indices, channel axis first, for each voxel. */
  readonly locations: readonly (readonly number[])[];
}

/**
 * Voxels at random, in a label map `[1, …]`, of each class, or of each region (several labels): where training patches will be centered. `classesOrRegions`
 * has a class, or the labels of a region, per entry.
 */
export function sampleForegroundLocations(
  seg: HostArray,
  classesOrRegions: readonly (number | readonly number[])[],
  options: LocationOptions = {},
): ClassLocations[] {
  expectOptions("sampleForegroundLocations", options, "seed:number minNumSamples:number minPercentCoverage:number");
  expectKinds("sampleForegroundLocations", { array: { seg }, list: { classesOrRegions } });
  const strides = stridesOf(seg.shape);
  return sampleForegroundOffsets(seg, classesOrRegions, options).map((offsets, i) => ({
    classOrRegion: classesOrRegions[i],
    locations: Array.from(offsets, (at) => strides.map((stride, a) => Math.floor(at / stride) % seg.shape[a])),
  }));
}

/** The voxels of `sampleForegroundLocations` by their offsets in the label map `[1, …]`, a list for each class or region. `classesOrRegions` as there. */
export function sampleForegroundOffsets(
  seg: HostArray,
  classesOrRegions: readonly (number | readonly number[])[],
  options: LocationOptions = {},
): Uint32Array[] {
  expectOptions("sampleForegroundOffsets", options, "seed:number minNumSamples:number minPercentCoverage:number");
  expectKinds("sampleForegroundOffsets", { array: { seg }, list: { classesOrRegions } });
  const { seed = 1234, minNumSamples = 10_000, minPercentCoverage = 0.01 } = options;
  const random = new RandomState(seed);
  const places = voxelsByLabel(seg, new Set(classesOrRegions.flat()));
  return classesOrRegions.map((classOrRegion) => {
    const lists = (typeof classOrRegion === "number" ? [classOrRegion] : classOrRegion).flatMap(
      (label) => places.get(label) ?? [],
    );
    const total = lists.reduce((n, list) => n + list.length, 0);
    if (total === 0) return new Uint32Array(0);
    const wanted = Math.max(Math.min(minNumSamples, total), Math.ceil(total * minPercentCoverage));
    return Uint32Array.from(random.choice(total, wanted, { replace: false }), (offset) => {
      let rest = offset;
      let k = 0;
      while (rest >= lists[k].length) rest -= lists[k++].length;
      return lists[k][rest];
    });
  });
}

/** Positions of the voxels of each label, in order. */
function voxelsByLabel({ data }: HostArray, labels: ReadonlySet<number>): Map<number, Uint32Array> {
  const counts = new Map<number, number>();
  for (let i = 0; i < data.length; i++) if (labels.has(data[i])) counts.set(data[i], (counts.get(data[i]) ?? 0) + 1);
  const lists = new Map([...counts].map(([label, n]) => [label, { list: new Uint32Array(n), next: 0 }]));
  for (let i = 0; i < data.length; i++) {
    const found = lists.get(data[i]);
    if (found) found.list[found.next++] = i;
  }
  return new Map([...lists].map(([label, { list }]) => [label, list]));
}
