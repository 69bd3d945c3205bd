/** @file The options of the recipe "organs of the abdomen", and what suits data that nobody has tuned yet. */

import {
  chaosAcquisitionNames,
  type ChaosAcquisitions,
  chaosPhaseNames,
  type ChaosPhases,
} from "../../../data/folders/chaos_dataset.ts";
import { ConfigError } from "../../../host/errors.ts";
import { medianLow } from "../../../host/stats.ts";
import { between, integer, integers, oneOf, type Option, type OptionTable, positive } from "../options.ts";
import type { DataFacts, RunConfig, SuggestedOptions } from "../recipe.ts";

/** Options of `chaos`. */
export interface ChaosOptions {
  /** Which acquisitions of a CHAOS folder are cases; it has no effect on other data, as have phases and organs. */
  readonly sequence: ChaosAcquisitions;
  /** What of T1DUAL is an image. */
  readonly phases: ChaosPhases;
  /** Names of CHAOS's organs, "all", or ranges of gray values "name=low-high". */
  readonly organs: readonly string[];
  /** Slices taken from each volume per epoch, none twice before all were taken. */
  readonly samplesPerVolume: number;
  /** Which slices train: all of them, or those in which something is labeled. */
  readonly slices: "all" | "labeled";
  /** Array axis that slices are taken along. */
  readonly sliceAxis: 0 | 1 | 2;
  /** Size of a training slice and of the inference window. In pixels. */
  readonly patchSize: readonly number[];
  /** How slices become `patchSize`: by resizing, or by padding, and crops at random places of what is larger. */
  readonly fit: "resize" | "crop";
  /** Intensities per volume to [0, 1] or to zero mean and unit variance, or the HU −160 … 240 of CT to [0, 1]. */
  readonly normalize: "scale" | "zscore" | "ct";
  /** "flips": flips, transposition, scale, quarter turns, brightness and contrast. */
  readonly augment: "none" | "flips";
  /** MONAI's UNet, or the one of milesial/Pytorch-UNet. */
  readonly network: "unet" | "milesial";
  /** Channels of each level. */
  readonly channels: readonly number[];
  /** Convolutions per residual unit of `unet`. */
  readonly numResUnits: number;
  /** Of the focal loss. */
  readonly gamma: number;
  /** Weight of the organs in the focal loss, 1 − alpha that of the background. */
  readonly alpha: number | "none";
  /** Adam's learning rate at the start. */
  readonly lr: number;
  /** Every `lrEvery` epochs it is multiplied by `lrFactor`. */
  readonly lrEvery: number;
  /** What the rate is multiplied by, 0 to 1. */
  readonly lrFactor: number;
}

const organs: Option<readonly string[]> = {
  expects: "a list of organs, such as liver,spleen, of ranges of gray values, such as liver=55-70, or all",
  fits: (v) => Array.isArray(v) && v.length > 0 && v.every((o) => typeof o === "string" && o !== ""),
  help: "of a CHAOS folder: liver,spleen,…, all, or ranges of gray values such as liver=55-70",
  read: (text) => text.split(",").map((o) => o.trim()),
  standard: ["liver"],
};

const alpha: Option<number | "none"> = {
  expects: 'a number from 0 to 1, or "none"',
  fits: (v) => v === "none" || (typeof v === "number" && v >= 0 && v <= 1),
  help: "weight of the organs in the focal loss, or none",
  read: (text) => (text.trim() === "" || Number.isNaN(Number(text)) ? text : Number(text)),
};

const someSlices = oneOf(["all", "labeled"], "train on all slices, or on labeled ones");

export const chaosOptions: OptionTable<ChaosOptions> = {
  sequence: oneOf(chaosAcquisitionNames, "of a CHAOS folder: T1DUAL, T2SPIR, CT, MR (T1 and T2) or all", { standard: "T1DUAL" }),
  phases: oneOf(chaosPhaseNames, "of T1DUAL: in, out, both (two channels) or each (a case each)", { standard: "in" }),
  organs,
  samplesPerVolume: integer(1, "slices taken from each volume per epoch"),
  // "labelled" as 0.1.0 had it, which the configs of its runs say.
  slices: { ...someSlices, fits: (v) => someSlices.fits(v) || v === "labelled" },
  sliceAxis: oneOf([0, 1, 2], "array axis across the slices: 0, 1 or 2"),
  patchSize: integers(2, "height,width of a slice"),
  fit: oneOf(["resize", "crop"], "resize slices to the patch size, or pad and crop"),
  normalize: oneOf(["scale", "zscore", "ct"], "intensities: scale or zscore per volume, or ct (a window of HU)"),
  augment: oneOf(["none", "flips"], "none, or flips (transposed, scaled, turned, brighter too)"),
  network: oneOf(["unet", "milesial"], "unet (MONAI's) or milesial"),
  channels: integers(2, "of each level, e.g. 16,32,64,128", { open: true }),
  numResUnits: integer(0, "convolutions per residual unit of unet; 0 for plain ones"),
  gamma: between(0, 10, "exponent of the focal loss"),
  alpha,
  lr: positive("Adam's learning rate at the start"),
  lrEvery: integer(1, "epochs between falls of the learning rate"),
  lrFactor: between(0, 1, "what it is multiplied by then"),
};

/** Networks halve a slice once per level, and turned slices must be square. Throws `ConfigError`. */
export function checkChaosOptions(config: RunConfig<ChaosOptions>, source: string): void {
  const { augment, channels, network, patchSize } = config;
  const multiple = 2 ** (channels.length - 1);
  if (!patchSize.every((n) => n % multiple === 0))
    throw new ConfigError(
      `${source}: patchSize [${patchSize}] must be multiples of ${multiple} for ${channels.length} levels of channels`,
    );
  if (augment !== "none" && patchSize[0] !== patchSize[1])
    throw new ConfigError(`${source}: patchSize [${patchSize}] must be square, for slices are turned; or set augment to none`);
  if (network === "milesial" && channels.some((c, i) => i > 0 && c !== 2 * channels[i - 1]))
    throw new ConfigError(`${source}: channels [${channels}] of the network milesial must double from level to level`);
}

// Larger slices are cropped at random places.
const mostPixels = 512;

/**
 * As in the tutorial that the recipe follows, on whole slices. At its learning rate batch norm (milesial) has the liver after a hundred steps, instance norm
 * (unet) wants ten times the rate.
 */
export function suggestChaosOptions({ channels: names, shapes, spacings }: DataFacts): SuggestedOptions<ChaosOptions> {
  const channels = [16, 32, 64, 128];
  const spacing = [0, 1, 2].map((a) => medianLow(spacings.map((s) => s[a])));
  const sliceAxis = ([2, 1, 0] as const).reduce((best, a) => (spacing[a] > 1.2 * spacing[best] ? a : best));
  const multiple = 2 ** (channels.length - 1);
  const largest = Math.max(...shapes.flatMap((s) => s.toSpliced(sliceAxis, 1)));
  const side = Math.max(multiple, Math.min(mostPixels, Math.ceil(largest / multiple) * multiple));
  return {
    epochs: 20,
    batchSize: 4,
    validateEvery: 1,
    onBadLoss: "skip",
    sequence: "T1DUAL",
    phases: "in",
    organs: ["liver"],
    samplesPerVolume: medianLow(shapes.map((s) => s[sliceAxis])),
    slices: "all",
    sliceAxis,
    patchSize: [side, side],
    fit: "crop",
    normalize: names[0] === "CT" ? "ct" : "scale",
    augment: "flips",
    network: "milesial",
    channels,
    numResUnits: 2,
    gamma: 2,
    alpha: "none",
    lr: 1e-4,
    lrEvery: 4,
    lrFactor: 0.1,
  };
}
