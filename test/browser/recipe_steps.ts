/** @file Ten steps of each recipe on made-up volumes, for any platform: Node and the browser must agree on their losses. */

import { type Device, openDevice } from "../../src/index.ts";
import { nodulesOfMask } from "../../src/data/index.ts";
import {
  chaos,
  configure,
  fit,
  memoryStore,
  nnunetRecipe,
  nodules,
  patches3d,
  quicknatRecipe,
  type Recipe,
  type RunData,
  slices2d,
} from "../../src/seg/index.ts";
import { memoryData, tinyRun } from "../lib/memory_data.ts";

const steps = 10;

/** The volumes with a list of what is in them. */
async function withNodules(): Promise<RunData> {
  const data = memoryData();
  const listed = await Promise.all(
    data.index.training.map(async (item) => {
      const { image, label } = await data.read(item);
      return { ...item, grid: { shape: image.shape.slice(1), affine: image.affine }, nodules: nodulesOfMask(label!) };
    }),
  );
  return { ...data, index: { ...data.index, training: listed }, train: listed.slice(0, 4), val: listed.slice(4) };
}

const classes = { background: 0, one: 1, two: 2 };

/** Data and options of each recipe, all of it so small that ten steps take a moment. */
export const tiny: Readonly<Record<string, { recipe: Recipe; data: () => RunData | Promise<RunData>; options: object }>> = {
  slices2d: { recipe: slices2d as Recipe, data: () => memoryData(), options: tinyRun },
  patches3d: {
    recipe: patches3d as Recipe,
    data: () => memoryData(classes, 2),
    options: { patchSize: [16, 16, 16], channels: [4, 8], batchSize: 2, numResUnits: 1, augment: "strong" },
  },
  quicknat: {
    recipe: quicknatRecipe as Recipe,
    data: () => memoryData(classes, 2),
    options: {
      batchSize: 4,
      samplesPerVolume: 2,
      volumeSize: [16, 16, 16],
      filters: 4,
      kernel: 3,
      seBlock: "NONE",
      views: ["AXI"],
    },
  },
  nodules: {
    recipe: nodules as Recipe,
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
  },
  chaos: {
    recipe: chaos as Recipe,
    data: () => memoryData(),
    options: { network: "unet", channels: [4, 8], batchSize: 4, numResUnits: 1 },
  },
  nnunet: {
    recipe: nnunetRecipe as Recipe,
    data: () => memoryData(classes, 2),
    options: { timeLimit: 0, features: 4, batchSize: 2, stepsPerEpoch: 4, validationSteps: 1 },
  },
};

/** The losses of a recipe's first steps, on `device` or on one opened for this. */
export async function lossesOf(name: string, device?: Device): Promise<number[]> {
  const own = device ?? (await openDevice());
  const { recipe, data: dataOf, options } = tiny[name];
  const data = await dataOf();
  const { config, info } = await configure(recipe, data, {
    data: "memory",
    numWorkers: 0,
    epochs: 20,
    validateEvery: 20,
    ...options,
  });
  const stop = new AbortController();
  const losses: number[] = [];
  const store = memoryStore();
  let seen = 0;
  await fit(recipe, {
    device: own,
    data,
    store,
    config,
    info,
    signal: stop.signal,
    onEvent(event) {
      if (event.kind === "progress" && event.state.label?.startsWith("epoch") && ++seen === steps) stop.abort();
    },
  });
  const lines = new TextDecoder().decode(await store.read("metrics.jsonl")).trim().split("\n"); // prettier-ignore
  losses.push(...lines.map((line) => JSON.parse(line)).flatMap(({ step, loss }) => (step === undefined ? [] : [loss])));
  if (!device) own.close();
  return losses.slice(0, steps);
}
