/**
 * @file Intensities as networks see them, for recipes that train on volumes as they are stored: the options, what they do to a case, and what suits data.
 * Of CT a window is taken: what tells soft tissues apart are some 50 HU, and air and bone, by which whole volumes would be scaled, span 2,000.
 */

import { foregroundOf } from "../../data/labels.ts";
import { NormalizeIntensity, ScaleIntensity, ScaleIntensityRange } from "../../data/transforms/index.ts";
import type { HostArray } from "../../host/array.ts";
import { extent, quantiles } from "../../host/stats.ts";
import { type Option, oneOf, type OptionTable } from "./options.ts";
import type { DataFacts } from "./recipe.ts";

/** How intensities become what a network sees. Options of `slices2d`, `patches3d`. */
export interface IntensityOptions {
  /** Values below the first and above the second become these; none for volumes as they are. In the unit of the images, such as HU. */
  readonly window?: readonly number[] | undefined;
  /** To [0, 1], the window if there is one; or to zero mean and unit variance, of all channels of a volume together, or of each channel ("channels"). */
  readonly normalize: "scale" | "zscore" | "channels";
}

const windowOption: Option<readonly number[]> = {
  expects: "two numbers, the lower first, or none",
  fits: (v) => Array.isArray(v) && v.every(Number.isFinite) && (v.length === 0 || (v.length === 2 && v[0] < v[1])),
  help: "low,high: values that intensities are clipped to, such as HU; or none",
  read: (text) => (/^\s*(none)?\s*$/.test(text) ? [] : text.split(",").map((word) => (word.trim() === "" ? NaN : Number(word)))),
  // Runs of before have none.
  standard: [],
};

export const intensityOptions: OptionTable<IntensityOptions> = {
  window: windowOption,
  normalize: oneOf(
    ["scale", "zscore", "channels"],
    "intensities per volume: scale (the window to 0 … 1), zscore, or channels (zscore of each channel)",
  ),
};

/** The image of a case as the options say. `[C, x, y, z]`. */
export function normalized(image: HostArray<Float32Array>, { window = [], normalize }: IntensityOptions): HostArray {
  const [aMin, aMax] = window;
  const clip = window.length > 0 && new ScaleIntensityRange({ aMin, aMax, bMin: 0, bMax: 1, clip: true });
  if (normalize === "scale") return (clip || new ScaleIntensity()).apply(image);
  return new NormalizeIntensity({ channelWise: normalize === "channels" }).apply(clip ? clip.apply(image) : image);
}

// Cases that are looked at, and labeled voxels of each.
const cases = 10;
const voxels = 10_000;
// Nothing but CT stores such values: air is at -1000 HU, and other images are not negative, or by a few deviations.
const air = -500;
// Of labeled voxels lie between, as nnU-Net clips CT.
const between = [0.005, 0.995];

/**
 * What suits data: of CT, known by channels of that name or by its air, the window of what is labeled, as nnU-Net takes it (Isensee et al. 2021), to [0, 1],
 * as a window that is given; of others each channel by its own mean and variance.
 * @param given options that the user has chosen
 */
export async function suggestIntensities(facts: DataFacts, given: Readonly<Record<string, unknown>>): Promise<IntensityOptions> {
  const normalize = facts.channels.length > 1 ? "channels" : "zscore";
  const window = (given.window as readonly number[] | undefined) ?? (await windowOf(facts));
  return { window, normalize: window.length > 0 ? "scale" : normalize };
}

// Phases of MR go as low.
const otherModality = /^(mr|t[12]|flair|dwi|adc|pd|swi|phase|pet|us)/i;

async function windowOf({ cases: all, labels, channels, read, say }: DataFacts): Promise<readonly number[]> {
  if (channels.some((name) => otherModality.test(name))) return [];
  const named = channels.every((name) => name.toLowerCase() === "ct");
  const values = new Set(foregroundOf(labels).flatMap((l) => l.values));
  const step = Math.max(1, Math.ceil(all.length / cases));
  const labeled: number[] = [];
  for (let i = 0; i < all.length; i += step) {
    const { image, label } = await read(all[i]);
    const size = image.data.length / image.shape[0];
    for (let c = 0; c < image.shape[0]; c++)
      if (!named && !(extent(image.data.subarray(c * size, (c + 1) * size)).min <= air)) return [];
    if (label) for (const value of sampled(image, label.data, values)) labeled.push(value);
  }
  const [lower, upper] = quantiles(labeled, between);
  // Outwards: what is named CT may be scaled already, to 0 … 1 or by its deviation.
  const [low, high] = [Math.floor(lower), Math.ceil(upper)];
  if (!(low < high)) return [];
  say(
    `intensities are taken for Hounsfield units (${named ? "the channel is named CT" : "below -500"}): ${low} to ${high} of what is labeled become 0 to 1; the option window has others, or none`,
  );
  return [low, high];
}

/** Intensities of some labeled voxels, evenly chosen, of all channels. */
function sampled({ data }: HostArray, label: ArrayLike<number>, values: ReadonlySet<number>): number[] {
  const labeled = (i: number): boolean => label[i] !== 0 && values.has(label[i]);
  let count = 0;
  for (let i = 0; i < label.length; i++) if (labeled(i)) count++;
  // A list of all of them would be too long for a list where a body is labeled.
  const step = Math.max(1, Math.ceil(count / voxels));
  const at: number[] = [];
  for (let i = 0, seen = 0; i < label.length; i++) if (labeled(i) && seen++ % step === 0) at.push(i);
  const out: number[] = [];
  for (let start = 0; start < data.length; start += label.length) for (const i of at) out.push(data[start + i]);
  return out;
}
