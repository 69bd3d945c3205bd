/** @file Data and options for each recipe of the library, so small that steps of it take a moment: a row here is what a new one adds to the tests over all. */

import { nodulesOfMask } from "../../src/data/index.ts";
import type { RunData } from "../../src/seg/index.ts";
import { memoryData, tinyRun } from "./memory_data.ts";

interface TinyRecipe {
  /** Cases in memory, for any platform, and options for a few steps. */
  readonly data: () => RunData | Promise<RunData>;
  readonly options: object;
  /** A folder as `test/seg/recipes/killed.long.test.ts` writes them, and options of the command for some seconds of training. */
  readonly folder: "ball" | "balls" | "chests" | "chaos";
  readonly flags: string;
}

/** The volumes with a list of what is in them. */
async function withNodules(): Promise<RunData> {
  const data = memoryData();
  const listed = await Promise.all(
    data.index.training.map(async (item) => {
      const { image, label } = await data.read(item);
      return { ...item, grid: { shape: image.shape, affine: image.affine }, nodules: nodulesOfMask(label!) };
    }),
  );
  return { ...data, index: { ...data.index, training: listed }, train: listed.slice(0, 4), val: listed.slice(4) };
}

const classes = { background: 0, one: 1, two: 2 };
const twoClasses = () => memoryData(classes, 2);

/** By the recipe's name. */
export const tinyRecipes: Readonly<Record<string, TinyRecipe>> = {
  slices2d: {
    data: () => memoryData(),
    options: tinyRun,
    folder: "ball",
    flags:
      "--channels 4,8 --num-res-units 1 --patch-size 16,16 --fit resize --normalize scale --slice-axis 2 --foreground 0.5 " +
      "--batch-size 4 --samples-per-volume 128 --epochs 2 --validate-every 1 --lr 0.01",
  },
  patches3d: {
    data: twoClasses,
    options: { patchSize: [16, 16, 16], channels: [4, 8], batchSize: 2, numResUnits: 1, augment: "strong" },
    folder: "balls",
    flags: "--epochs 4 --batch-size 2 --validate-every 2 --patch-size 16,16,16 --channels 4,8 --num-res-units 1",
  },
  quicknat: {
    data: twoClasses,
    options: {
      batchSize: 4,
      samplesPerVolume: 2,
      volumeSize: [16, 16, 16],
      filters: 4,
      kernel: 3,
      seBlock: "NONE",
      views: ["AXI"],
    },
    folder: "balls",
    flags:
      "--epochs 2 --batch-size 4 --validate-every 2 --samples-per-volume 2 --volume-size 16,16,16 --filters 4 --kernel 3 " +
      "--se-block NONE --slice-batch 16",
  },
  nodules: {
    data: withNodules,
    options: {
      patchSize: [8, 8, 8],
      network: "unet",
      channels: [4, 8],
      batchSize: 2,
      numResUnits: 1,
      minDiameter: 1,
      spacing: 1,
    },
    folder: "chests",
    flags:
      "--epochs 4 --batch-size 2 --validate-every 2 --spacing 2 --patch-size 8,8,8 --network unet --channels 8,16 --num-res-units 1 " +
      "--crops-per-nodule 6",
  },
  chaos: {
    data: () => memoryData(),
    options: { network: "unet", channels: [4, 8], batchSize: 4, numResUnits: 1 },
    folder: "chaos",
    flags: "--epochs 4 --batch-size 4 --validate-every 2 --network unet --channels 8,16 --num-res-units 1 --lr 0.01",
  },
  nnunet: {
    data: twoClasses,
    options: { timeLimit: 0, features: 4, batchSize: 2, stepsPerEpoch: 4, validationSteps: 1 },
    folder: "balls",
    flags:
      "--epochs 4 --steps-per-epoch 8 --validation-steps 2 --batch-size 2 --time-limit 0 --estimate nnunet --features 4 --no-mirroring",
  },
};
