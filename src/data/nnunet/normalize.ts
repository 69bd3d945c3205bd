/** @file nnU-Net's intensity normalizations of one channel, and which of them a channel's name asks for. All give float32. */

import { expectArguments } from "../../host/kinds.ts";
import { expectOptions } from "../../host/options.ts";
import type { HostArray } from "../../host/array.ts";
import { ConfigError, DataError, ShapeError } from "../../host/errors.ts";
import { extent } from "../../host/stats.ts";

/** Intensities of the foreground of a data set, one channel; names are nnU-Net's. */
export interface IntensityProperties {
  /** Average intensity. */
  readonly mean: number;
  /** Intensity that half of the voxels are below. */
  readonly median: number;
  /** Standard deviation. */
  readonly std: number;
  /** Least intensity. */
  readonly min: number;
  /** Greatest intensity. */
  readonly max: number;
  /** Half a percent are below: where CT is clipped. */
  readonly percentile_00_5: number;
  /** Half a percent are above: where CT is clipped. */
  readonly percentile_99_5: number;
}

/** What a normalization looks at beside the image. */
export interface NormalizeOptions {
  /** Count and change only voxels where `seg` is not negative; only z-scores look at it. Default false. */
  readonly useMaskForNorm?: boolean;
  /** The data set's intensities, for CT. */
  readonly intensityProperties?: Partial<IntensityProperties>;
  /** Labels, −1 outside of what is not zero; of the image's size. `[1, …]` or without the channel axis. */
  readonly seg?: HostArray | undefined;
}

const least = 1e-8;

type Scheme = (op: string, image: Float32Array, options: NormalizeOptions) => void;

function zScore(op: string, image: Float32Array, { useMaskForNorm = false, seg }: NormalizeOptions): void {
  if (useMaskForNorm && !seg)
    throw new ConfigError(`${op}: useMaskForNorm needs seg, which is negative outside; cropToNonzero gives one`);
  const mask = useMaskForNorm ? seg!.data : undefined;
  if (mask && mask.length !== image.length)
    throw new ShapeError(`${op}: the image has ${image.length} voxels, seg ${mask.length}`);
  const counts = (i: number) => !mask || mask[i] >= 0;
  let [sum, n] = [0, 0];
  for (let i = 0; i < image.length; i++) {
    if (!counts(i)) continue;
    sum += image[i];
    n++;
  }
  const mean = sum / n;
  let squares = 0;
  for (let i = 0; i < image.length; i++) if (counts(i)) squares += (image[i] - mean) ** 2;
  const std = Math.max(Math.sqrt(squares / n), least);
  for (let i = 0; i < image.length; i++) if (counts(i)) image[i] = (image[i] - mean) / std;
}

function ct(op: string, image: Float32Array, { intensityProperties: p }: NormalizeOptions): void {
  const needed = ["mean", "std", "percentile_00_5", "percentile_99_5"] as const;
  const missing = needed.find((key) => typeof p?.[key] !== "number");
  if (missing) throw new ConfigError(`${op}: intensityProperties has no ${missing}; the data set's fingerprint has it`);
  const { mean, std, percentile_00_5: low, percentile_99_5: high } = p as IntensityProperties;
  const scale = Math.max(std, least);
  for (let i = 0; i < image.length; i++) image[i] = (Math.min(high, Math.max(low, image[i])) - mean) / scale;
}

function rescale(_op: string, image: Float32Array): void {
  const { min, max, firstNaN } = extent(image);
  // As of any statistics: with one NaN, all are.
  if (firstNaN >= 0) image.fill(NaN);
  const range = Math.max(max - min, least);
  for (let i = 0; i < image.length; i++) image[i] = (image[i] - min) / range;
}

function rgb(op: string, image: Float32Array): void {
  const { min, max, firstNaN } = extent(image);
  if (firstNaN >= 0 || min < 0 || max > 255) {
    const nan = firstNaN >= 0 ? " and NaN" : "";
    throw new DataError(`${op}: values go from ${min} to ${max}${nan}; RGB images have 0 to 255`);
  }
  for (let i = 0; i < image.length; i++) image[i] /= 255;
}

const schemes = {
  ZScoreNormalization: { run: zScore, masked: true },
  CTNormalization: { run: ct, masked: false },
  NoNormalization: { run: (): void => undefined, masked: false },
  RescaleTo01Normalization: { run: rescale, masked: false },
  RGBTo01Normalization: { run: rgb, masked: false },
} as const satisfies Readonly<Record<string, { readonly run: Scheme; readonly masked: boolean }>>;

/** A normalization by nnU-Net's name of its class. */
export type NormalizationScheme = keyof typeof schemes;

const byChannel: Readonly<Record<string, NormalizationScheme>> = {
  ct: "CTNormalization",
  nonorm: "NoNormalization",
  zscore: "ZScoreNormalization",
  rescale_to_0_1: "RescaleTo01Normalization",
  rgb_to_0_1: "RGBTo01Normalization",
};

/** The scheme for a channel's name in `dataset.json`, upper or lower case; z-scores for all that are not known. `channelName` is that name. */
export function getNormalizationScheme(channelName: string): NormalizationScheme {
  expectArguments("getNormalizationScheme", "text", { channelName });
  const name = channelName.toLowerCase();
  return Object.hasOwn(byChannel, name) ? byChannel[name] : "ZScoreNormalization";
}

function expectScheme(op: string, scheme: NormalizationScheme): void {
  if (!Object.hasOwn(schemes, scheme))
    throw new ConfigError(`${op}: unknown scheme "${String(scheme)}"; known are ${Object.keys(schemes).join(", ")}`);
}

/** Whether a scheme leaves what lies outside the mask at zero, so that a mask may be used with it. */
export function usesMask(scheme: NormalizationScheme): boolean {
  expectScheme("usesMask", scheme);
  return schemes[scheme].masked;
}

/**
 * One channel of any shape normalized, in float32. ZScore: (x − mean) / max(std, 1e-8) of the image, or of its mask alone; CT: held within the data set's 0.5 and 99.5
 * percentiles, less its mean, by its std; RescaleTo01: to 0…1; RGBTo01: by 255; No: as it is.
 * @throws ConfigError for an unknown scheme and for missing options; DataError for RGB values outside 0…255
 */
export function normalizeIntensities(
  scheme: NormalizationScheme,
  image: HostArray,
  options: NormalizeOptions = {},
): HostArray<Float32Array> {
  expectOptions("normalizeIntensities", options, "useMaskForNorm:boolean? intensityProperties:object? seg:array?");
  expectArguments("normalizeIntensities", "array", { image });
  expectScheme("normalizeIntensities", scheme);
  const data = Float32Array.from(image.data);
  (schemes[scheme].run as Scheme)(scheme, data, options);
  return { data, shape: [...image.shape] };
}
