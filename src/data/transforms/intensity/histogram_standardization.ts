/**
 * @file One scale of intensities for MR images of several scanners: landmarks of many histograms averaged, and images mapped to them piece by piece. Nyúl,
 * Udupa and Zhang, "New variants of a method of MRI scale standardization", IEEE TMI 2000, as TorchIO 0.20 has it.
 */
import { expectArguments, refused } from "../../../host/kinds.ts";
import { ConfigError, DataError } from "../../../host/errors.ts";
import type { HostArray } from "../../../host/array.ts";
import { unfilledFloats } from "../../../host/unfilled.ts";
import { extent, quantiles } from "../../../host/stats.ts";
import { allOptions, checkedOptions } from "../options.ts";
import type { Transform } from "../transform.ts";
import { measured, type MaskingMethod } from "./measured.ts";

/** Percent between the ends of the histogram. */
const between = [10, 20, 25, 30, 40, 50, 60, 70, 75, 80, 90];
/** Of these two the images are not mapped by. */
const quartiles = [25, 75];
/** Where landmarks lie nearer than this, as those of a background do, voxels become the lower one's. */
const least = 1e-5;
const ends = [0.01, 0.99] as const;

const percentilesOf = ([low, high]: readonly [number, number]): number[] =>
  [100 * low, ...between, 100 * high].toSorted((a, b) => a - b);

/** Which voxels the landmarks are taken of, and between which quantiles. */
export interface HistogramLandmarksOptions {
  /** The quantiles that become 0 and 100. Default [0.01, 0.99]. */
  readonly cutoff?: readonly [number, number];
  /** Voxels that are measured, such as those of the head. Default null, all. */
  readonly maskingMethod?: MaskingMethod;
}

/**
 * The landmarks of some images for `HistogramStandardization`: their percentiles, each image's ends brought to 0 and 100, averaged. TorchIO's `HistogramStandardization.train`.
 *
 * @param images one modality, an image each, of any shape; they are looked at one after the other
 * @returns 13 values: of the lower end, the percentiles 10, 20, 25, 30, 40, 50, 60, 70, 75, 80, 90, and the upper end
 * @throws DataError for no image, NaN, an empty mask and an image of one value; ConfigError for ends that leave no room for the percentiles between and an unknown option
 */
export async function histogramLandmarks(
  images: Iterable<HostArray> | AsyncIterable<HostArray>,
  options: HistogramLandmarksOptions = {},
): Promise<number[]> {
  const op = "histogramLandmarks";
  const { cutoff, maskingMethod } = allOptions(op, options, "cutoff:numbers maskingMethod:function", {
    cutoff: ends,
    maskingMethod: null,
  });
  if (!(Symbol.iterator in Object(images) || Symbol.asyncIterator in Object(images)))
    refused(op, "images", "a list of arrays", images);
  if (!(cutoff.length === 2 && cutoff[0] >= 0 && cutoff[0] < 0.1 && cutoff[1] > 0.9 && cutoff[1] <= 1))
    throw new ConfigError(`${op}: cutoff must be two quantiles below 0.1 and above 0.9, got [${cutoff.join(", ")}]`);
  const percentiles = percentilesOf(cutoff);
  const sums = percentiles.map(() => 0);
  let count = 0;
  for await (const image of images) {
    const found = landmarksOf(op, image, maskingMethod, percentiles);
    const [low, high] = [found[0], found.at(-1)!];
    if (!(high > low))
      throw new DataError(`${op}: image ${count} has one value, ${low}, between its ends; measure other voxels by maskingMethod`);
    for (const [i, value] of found.entries()) sums[i] += ((value - low) / (high - low)) * 100;
    count++;
  }
  if (count === 0) throw new DataError(`${op}: there is no image`);
  return sums.map((sum) => sum / count);
}

function landmarksOf(op: string, x: HostArray, method: MaskingMethod, percentiles: readonly number[]): number[] {
  expectArguments(op, "array", { x });
  const values = measured(op, x, new Float32Array(x.data as ArrayLike<number>), method);
  if (values.length === 0) throw new DataError(`${op}: the mask is empty; there is nothing to take percentiles of`);
  const bad = extent(values).firstNaN;
  if (bad >= 0) throw new DataError(`${op}: measured voxel ${bad} is NaN; replace NaN first`);
  const found = quantiles(
    values,
    percentiles.map((p) => p / 100),
  );
  const infinite = found.findIndex((value) => !Number.isFinite(value));
  if (infinite >= 0) throw new DataError(`${op}: percentile ${percentiles[infinite]} is not finite; replace infinities first`);
  return found;
}

/** What `HistogramStandardization` maps to. */
export interface HistogramStandardizationOptions {
  /** The 13 values of `histogramLandmarks`, or of TorchIO's `train`. */
  readonly landmarks: readonly number[];
  /** Voxels that the percentiles are taken of; all are mapped. Default null, all. */
  readonly maskingMethod?: MaskingMethod;
}

/**
 * Maps the percentiles 1, 10, 20, 30, 40, 50, 60, 70, 80, 90 and 99 of an image to landmarks, in straight lines between them and beyond the ends, so that tissues of one modality get the same
 * intensities whatever the scanner. Float32. TorchIO's `HistogramStandardization`; MONAI's nearest is `HistogramNormalize`.
 *
 * Shapes: any, unchanged.
 * Geometry: kept.
 * @throws ConfigError for other than 13 ascending landmarks and an unknown option, DataError for NaN and an empty mask, ShapeError for a mask of another shape
 */
export class HistogramStandardization implements Transform {
  private readonly landmarks: readonly number[];
  private readonly maskingMethod: MaskingMethod;

  constructor(options: HistogramStandardizationOptions) {
    const { landmarks, maskingMethod = null } = checkedOptions(
      "HistogramStandardization",
      options,
      "landmarks:numbers! maskingMethod:function",
    );
    const ascend = landmarks.every((v, i) => Number.isFinite(v) && (i === 0 || v >= landmarks[i - 1]));
    if (landmarks.length !== between.length + 2 || !ascend)
      throw new ConfigError(
        `HistogramStandardization: landmarks must be the ${between.length + 2} ascending values of histogramLandmarks, got [${landmarks.join(", ")}]`,
      );
    this.landmarks = landmarks;
    this.maskingMethod = maskingMethod;
  }

  apply(x: HostArray): HostArray {
    const percentiles = percentilesOf(ends);
    const found = landmarksOf("HistogramStandardization", x, this.maskingMethod, percentiles);
    const used = percentiles.flatMap((p, i) => (quartiles.includes(p) ? [] : [i]));
    const [from, to] = [used.map((i) => found[i]), used.map((i) => this.landmarks[i])];
    const slopes = used.slice(1).map((_, i) => {
      const step = from[i + 1] - from[i];
      return step < least ? 0 : (to[i + 1] - to[i]) / step;
    });
    const offsets = slopes.map((slope, i) => to[i] - slope * from[i]);
    const inner = Float64Array.from(from.slice(1, -1));
    const data = unfilledFloats(x.data.length);
    for (let i = 0; i < data.length; i++) {
      const v = Math.fround(x.data[i]);
      let piece = 0;
      while (piece < inner.length && v >= inner[piece]) piece++;
      data[i] = slopes[piece] * v + offsets[piece];
    }
    return { ...x, data };
  }
}
