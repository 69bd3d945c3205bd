/** @file The options of the recipe "nodules", and what suits scans that nobody has tuned yet. */

import { nativeOf } from "../../../host/elements.ts";
import { ConfigError } from "../../../host/errors.ts";
import { medianLow } from "../../../host/stats.ts";
import { between, integer, integers, type Option, oneOf, type OptionTable, positive, toggle } from "../options.ts";
import type { DataFacts, RunConfig, SuggestedOptions } from "../recipe.ts";

/** Options of `nodules`. */
export interface NoduleOptions {
  /** Edge in mm of the voxels that scans are brought to. */
  readonly spacing: number;
  /** Values of the scans that become 0 and 1. */
  readonly window: readonly number[];
  /** What trains: the voxels of the label, or balls at the listed nodules. */
  readonly mask: "label" | "balls";
  /** Size of a crop and of the inference window. In voxels. */
  readonly patchSize: readonly number[];
  /** Crops per nodule and epoch, on average. */
  readonly cropsPerNodule: number;
  /** Nodules come in proportion to 1 / diameter^sizePower: 0 all alike, 3 so that each size brings about as many voxels. */
  readonly sizePower: number;
  /** Shares of crops around the nodule, without a nodule, and in the middle of the scan. */
  readonly crops: readonly number[];
  /** A nodule begins at most this share of a crop behind the crop's first voxel. */
  readonly leftTop: number;
  /** "mirror" flips. */
  readonly augment: "none" | "mirror";
  /** VNet, or MONAI's UNet. */
  readonly network: "vnet" | "unet";
  /** Channels of each level of the UNet. */
  readonly channels: readonly number[];
  /** Convolutions per residual unit of the UNet. */
  readonly numResUnits: number;
  /** Of the UNet. "instance" makes each crop's deviations equally large, so that a crop without a nodule gets an output like one that has some. */
  readonly norm: "instance" | "batch";
  /** Dice alone, with cross-entropy, or with focal loss. */
  readonly loss: "dice" | "diceCe" | "diceFocal";
  /** Learning rate at the start. */
  readonly lr: number;
  /** How it falls over the epochs: "poly" is (1 − e/E)^0.9. */
  readonly schedule: "constant" | "poly";
  /** Of inference windows. */
  readonly overlap: number;
  /** Predict mirrored windows too. */
  readonly tta: boolean;
  /** Windows per pass of the network. */
  readonly windowBatch: number;
  /** Dice of a batch as a whole, which large nodules rule, or of each crop. */
  readonly batchDice: boolean;
  /** Probability above which voxels join to candidates: lower than that of labels, so that the less certain ones are there to be ranked. */
  readonly detectAt: number;
  /** Candidates smaller than a ball of this diameter in mm are none. */
  readonly minDiameter: number;
}

const numbers = (
  count: number,
  help: string,
  fits: (v: readonly number[]) => boolean,
  expects: string,
): Option<readonly number[]> => ({
  expects,
  fits: (v) => Array.isArray(v) && v.length === count && v.every((n) => Number.isFinite(n)) && fits(v as number[]),
  help,
  read: (text) => text.split(",").map((word) => (word.trim() === "" ? NaN : Number(word))),
});

export const noduleOptions: OptionTable<NoduleOptions> = {
  spacing: positive("edge of a voxel in mm that scans are brought to"),
  window: numbers(
    2,
    "low,high: values of the scans that become 0 and 1",
    ([low, high]) => low < high,
    "two numbers, the lower first",
  ),
  mask: oneOf(["label", "balls"], "what trains: label (voxels of the masks) or balls (at the listed nodules)"),
  patchSize: integers(3, "x,y,z size of a crop, such as 96,96,48 or 96,96,16"),
  cropsPerNodule: integer(1, "crops per nodule and epoch"),
  sizePower: between(0, 6, "nodules come in proportion to 1 / diameter^this; 0: all alike", { standard: 0 }),
  crops: numbers(
    3,
    "shares of crops around a nodule, without one, and in the middle",
    (v) => v.every((p) => p >= 0) && Math.abs(v[0] + v[1] + v[2] - 1) < 1e-6,
    "three numbers from 0 with sum 1",
  ),
  leftTop: between(0, 1, "a nodule begins at most this share of a crop behind its start"),
  augment: oneOf(["none", "mirror"], "none or mirror"),
  network: oneOf(["vnet", "unet"], "vnet or unet"),
  channels: integers(2, "of each level of the UNet, e.g. 16,32,64", { open: true }),
  numResUnits: integer(0, "convolutions per residual unit of the UNet; 0 for plain ones"),
  norm: oneOf(["instance", "batch"], "of the UNet: instance or batch", { standard: "instance" }),
  loss: oneOf(["dice", "diceCe", "diceFocal"], "dice, diceCe or diceFocal"),
  lr: positive("learning rate at the start"),
  schedule: oneOf(["constant", "poly"], "constant or poly"),
  overlap: between(0, 0.95, "of inference windows"),
  tta: toggle("predict mirrored images too"),
  windowBatch: integer(1, "windows per pass of the network", { standard: 2 }),
  batchDice: toggle("one Dice for all crops of a batch instead of one for each"),
  detectAt: between(0.01, 0.99, "probability above which voxels join to candidates", { standard: 0.1 }),
  minDiameter: between(0, 100, "mm; smaller candidates are left out", { standard: 2 }),
};

/** What patch sizes must be multiples of. */
const multipleOf = ({ network, channels }: Pick<NoduleOptions, "network" | "channels">): number =>
  network === "vnet" ? 16 : 2 ** (channels.length - 1);

/** Throws `ConfigError` for patches that the network cannot halve, and for mirror images that it has never seen. */
export function checkNoduleOptions(config: RunConfig<NoduleOptions>, source: string): void {
  const multiple = multipleOf(config);
  if (!config.patchSize.every((n) => n % multiple === 0))
    throw new ConfigError(
      `${source}: patchSize [${config.patchSize}] must be multiples of ${multiple} for this ${config.network}`,
    );
  if (config.tta && config.augment !== "mirror")
    throw new ConfigError(`${source}: tta predicts mirror images, which augment ${config.augment} does not show in training`);
}

const largestPatch = [96, 96, 48];
const edge = 1;
// What LUNA16's recipes take for black and white in a lung.
const hounsfield = [-1200, 600];

/** Patches of 48×96×96 mm, less for smaller scans; bytes are windowed already. */
export async function suggestNoduleOptions(facts: DataFacts): Promise<SuggestedOptions<NoduleOptions>> {
  const { shapes, spacings, cases, read } = facts;
  const patchSize = [0, 1, 2].map((a) => {
    const size = medianLow(shapes.map((s, i) => Math.round((s[a] * spacings[i][a]) / edge)));
    return Math.max(16, Math.min(largestPatch[a], Math.ceil(size / 16) * 16));
  });
  const { image } = await read(cases[0]);
  return {
    epochs: 30,
    batchSize: 2,
    validateEvery: 5,
    spacing: edge,
    window: nativeOf(image.data) === "u8" ? [0, 255] : hounsfield,
    mask: cases[0].layout?.balls === true ? "balls" : "label",
    patchSize,
    cropsPerNodule: 1,
    sizePower: 1,
    crops: [0.5, 0.4, 0.1],
    leftTop: 0.3,
    augment: "mirror",
    network: "vnet",
    channels: [16, 32, 64, 128],
    numResUnits: 2,
    norm: "batch",
    loss: "dice",
    lr: 1e-3,
    schedule: "poly",
    overlap: 0.25,
    tta: false,
    windowBatch: 2,
    batchDice: false,
    detectAt: 0.1,
    minDiameter: 2,
  };
}
