/** @file The options of the recipe "2-D slices of volumes", and what suits data that nobody has tuned yet. */

import { ConfigError } from "../../../host/errors.ts";
import { medianLow } from "../../../host/stats.ts";
import { between, integer, integers, oneOf, type OptionTable, positive } from "../options.ts";
import { enoughSteps } from "../enough_steps.ts";
import { type IntensityOptions, intensityOptions, suggestIntensities } from "../intensities.ts";
import type { DataFacts, RunConfig, SuggestedOptions } from "../recipe.ts";

/** Options of `slices2d`, `syntheticOptions`. */
export interface SliceOptions extends IntensityOptions {
  /** Slices taken from each volume per epoch. */
  readonly samplesPerVolume: number;
  /** Share of the slices that are centered on a foreground voxel, the rest on background; 0 takes slices uniformly. */
  readonly foreground: number;
  /** Array axis that slices are taken along: 0, 1 or 2. */
  readonly sliceAxis: 0 | 1 | 2;
  /** Size of a training slice and of the inference window. In pixels. */
  readonly patchSize: readonly number[];
  /** How slices become `patchSize`: resized, or padded and cropped around the center. */
  readonly fit: "resize" | "crop";
  /** "rotate" turns volumes by 90° at random; "mild" flips and varies brightness, contrast and noise. */
  readonly augment: "none" | "rotate" | "mild";
  /** Channels of each level of the UNet. */
  readonly channels: readonly number[];
  /** Convolutions per residual unit of the UNet. */
  readonly numResUnits: number;
  /** Adam's learning rate at the start. */
  readonly lr: number;
  /** How it falls over the epochs: "poly" is (1 − e/E)^0.9. */
  readonly schedule: "constant" | "poly";
}

export const sliceOptions: OptionTable<SliceOptions> = {
  samplesPerVolume: integer(1, "slices taken from each volume per epoch"),
  foreground: between(0, 1, "share of slices centered on foreground; 0 takes them uniformly"),
  sliceAxis: oneOf([0, 1, 2], "array axis across the slices: 0, 1 or 2"),
  patchSize: integers(2, "height,width of a slice"),
  fit: oneOf(["resize", "crop"], "resize or crop slices to the patch size"),
  ...intensityOptions,
  augment: oneOf(["none", "rotate", "mild"], "none, rotate or mild"),
  channels: integers(2, "of each level of the UNet, e.g. 16,32,64,128", { open: true }),
  numResUnits: integer(0, "convolutions per residual unit; 0 for plain ones"),
  lr: positive("Adam's learning rate"),
  schedule: oneOf(["constant", "poly"], "constant or poly"),
};

/** The UNet halves a slice once per level. Throws `ConfigError`. */
export function checkSliceOptions({ channels, patchSize }: RunConfig<SliceOptions>, source: string): void {
  const multiple = 2 ** (channels.length - 1);
  if (patchSize.every((n) => n % multiple === 0)) return;
  throw new ConfigError(
    `${source}: patchSize [${patchSize}] must be multiples of ${multiple} for ${channels.length} levels of channels`,
  );
}

// What some hundreds of cases get.
const many = { epochs: 10, batchSize: 16, samplesPerVolume: 16 };

/**
 * Slices across the coarsest axis (the last of equals), of the median size of the volumes.
 * @param given options that the user has chosen
 */
export async function suggestSliceOptions(
  facts: DataFacts,
  given: Readonly<Record<string, unknown>> = {},
): Promise<SuggestedOptions<SliceOptions>> {
  const { shapes, spacings } = facts;
  const channels = [16, 32, 64, 128];
  const spacing = [0, 1, 2].map((a) => medianLow(spacings.map((s) => s[a])));
  const sliceAxis = ([2, 1, 0] as const).reduce((best, a) => (spacing[a] > 1.2 * spacing[best] ? a : best));
  const multiple = 2 ** (channels.length - 1);
  const patchSize = [0, 1, 2]
    .filter((a) => a !== sliceAxis)
    .map((a) => Math.max(multiple, Math.ceil(medianLow(shapes.map((s) => s[a])) / multiple) * multiple));
  return {
    ...enoughSteps(facts.cases.length, many, given),
    batchSize: many.batchSize,
    samplesPerVolume: many.samplesPerVolume,
    foreground: 0.75,
    sliceAxis,
    patchSize,
    fit: "crop",
    ...(await suggestIntensities(facts, given)),
    augment: "mild",
    channels,
    numResUnits: 2,
    lr: 2e-3,
    schedule: "poly",
  };
}
