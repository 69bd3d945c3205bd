/** @file The options of the recipe "3-D patches", and what suits data that nobody has tuned yet. */

import { ConfigError } from "../../../host/errors.ts";
import { medianLow } from "../../../host/stats.ts";
import { passesToMirror } from "../../training/short_runs.ts";
import { type IntensityOptions, intensityOptions, suggestIntensities } from "../intensities.ts";
import { between, integer, integers, oneOf, type OptionTable, positive, toggle } from "../options.ts";
import type { DataFacts, RunConfig, SuggestedOptions } from "../recipe.ts";

/** Options of `PatchDataset`, `patches3d`. */
export interface PatchOptions extends IntensityOptions {
  /** Patches taken from each volume per epoch. */
  readonly samplesPerVolume: number;
  /** Size of a patch and of the inference window. In voxels. */
  readonly patchSize: readonly number[];
  /** How patches are centered: on foreground or background voxels, on voxels of each class equally often, or anywhere. */
  readonly centers: "posneg" | "classes" | "uniform";
  /** Share of the patches of `centers` "posneg" that are centered on foreground. */
  readonly foreground: number;
  /** "mirror" flips; "strong" has all kinds of nnU-Net, on the device; "unmirrored" all of these but flips. */
  readonly augment: "none" | "mirror" | "strong" | "unmirrored";
  /** MONAI's network of that name. */
  readonly network: "unet" | "vnet" | "segresnet" | "dynunet";
  /** Channels of each level of UNet and DynUNet; the first is that of SegResNet. */
  readonly channels: readonly number[];
  /** Convolutions per residual unit of the UNet; residual blocks of the DynUNet if above 0. */
  readonly numResUnits: number;
  /** The DynUNet's lower levels are trained too. */
  readonly deepSupervision: boolean;
  /** Dice with cross-entropy, Dice with focal loss, or focal loss alone. */
  readonly loss: "diceCe" | "diceFocal" | "focal";
  /** Adam, or SGD with Nesterov momentum. */
  readonly optimizer: "adam" | "sgd";
  /** Learning rate at the start. */
  readonly lr: number;
  /** How it falls over the epochs: "poly" is (1 − e/E)^0.9, "cosine" a warm-up and half a cosine. */
  readonly schedule: "constant" | "poly" | "cosine";
  /** Of inference windows. */
  readonly overlap: number;
  /** Windows per pass of the network. */
  readonly windowBatch: number;
  /** Predict mirrored images too. */
  readonly tta: boolean;
}

export const patchOptions: OptionTable<PatchOptions> = {
  samplesPerVolume: integer(1, "patches taken from each volume per epoch"),
  patchSize: integers(3, "x,y,z size of a patch"),
  centers: oneOf(
    ["posneg", "classes", "uniform"],
    "of patches: posneg (foreground or background), classes (each equally often) or uniform",
  ),
  foreground: between(0, 1, "share of posneg patches centered on foreground"),
  ...intensityOptions,
  augment: oneOf(
    ["none", "mirror", "strong", "unmirrored"],
    "none, mirror, strong (all of nnU-Net's kinds, on the device) or unmirrored (these but mirroring)",
  ),
  network: oneOf(["unet", "vnet", "segresnet", "dynunet"], "unet, vnet, segresnet or dynunet"),
  channels: integers(2, "of each level, e.g. 16,32,64,128", { open: true }),
  numResUnits: integer(0, "convolutions per residual unit of the UNet; 0 for plain ones"),
  deepSupervision: toggle("train the lower levels of the DynUNet too"),
  loss: oneOf(["diceCe", "diceFocal", "focal"], "diceCe, diceFocal or focal"),
  optimizer: oneOf(["adam", "sgd"], "adam or sgd (Nesterov 0.99)"),
  lr: positive("learning rate at the start"),
  schedule: oneOf(["constant", "poly", "cosine"], "constant, poly or cosine (with a warm-up)"),
  overlap: between(0, 0.95, "of inference windows"),
  windowBatch: integer(1, "windows per pass of the network", { standard: 2 }),
  tta: toggle("predict mirrored images too"),
};

/** What patch sizes must be multiples of. */
const multipleOf = ({ network, channels }: PatchOptions): number =>
  network === "vnet" ? 16 : network === "segresnet" ? 8 : 2 ** (channels.length - 1);

/** Networks halve a patch once per level. Throws `ConfigError`. */
export function checkPatchOptions(config: RunConfig<PatchOptions>, source: string): void {
  const { network, channels, patchSize, deepSupervision, augment, tta } = config;
  const multiple = multipleOf(config);
  if (!patchSize.every((n) => n % multiple === 0))
    throw new ConfigError(`${source}: patchSize [${patchSize}] must be multiples of ${multiple} for this ${network}`);
  if (network === "dynunet" && channels.length < 3)
    throw new ConfigError(`${source}: channels [${channels}] of a dynunet must be at least three`);
  if (tta && (augment === "unmirrored" || augment === "none"))
    throw new ConfigError(`${source}: tta predicts mirror images, which augment ${augment} does not show in training`);
  if (deepSupervision && network !== "dynunet")
    throw new ConfigError(`${source}: deepSupervision is for the network dynunet, not ${network}`);
}

/**
 * Patches of the median size of the volumes, up to 128 voxels along an axis and 2²⁰ in all; mirror images in runs that see each volume often enough.
 * @param given options that the user has chosen
 */
export async function suggestPatchOptions(
  facts: DataFacts,
  given: Readonly<Record<string, unknown>> = {},
): Promise<SuggestedOptions<PatchOptions>> {
  const { shapes } = facts;
  const { epochs = 20, samplesPerVolume = 2, tta, optimizer = "adam" } = given as Partial<RunConfig<PatchOptions>>;
  const channels = [16, 32, 64, 128];
  const multiple = 2 ** (channels.length - 1);
  const patchSize = [0, 1, 2].map((a) => {
    const size = medianLow(shapes.map((s) => s[a]));
    return Math.max(multiple, Math.min(128, Math.ceil(size / multiple) * multiple));
  });
  while (patchSize.reduce((n, s) => n * s, 1) > 2 ** 20) {
    const largest = patchSize.indexOf(Math.max(...patchSize));
    patchSize[largest] -= multiple;
  }
  return {
    epochs,
    batchSize: 2,
    validateEvery: 5,
    samplesPerVolume,
    patchSize,
    centers: "posneg",
    foreground: 0.67,
    ...(await suggestIntensities(facts, given)),
    augment: tta || epochs * samplesPerVolume >= passesToMirror ? "strong" : "unmirrored",
    network: "unet",
    channels,
    numResUnits: 2,
    deepSupervision: false,
    loss: "diceCe",
    optimizer,
    lr: optimizer === "adam" ? 2e-3 : 1e-2,
    schedule: "cosine",
    overlap: 0.5,
    windowBatch: 2,
    tta: false,
  };
}
