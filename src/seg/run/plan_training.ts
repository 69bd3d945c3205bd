/** @file What a training will take on the device, before it begins. */

import { expectRecipe } from "../recipes/expect_recipe.ts";
import { expectOptions } from "../../host/options.ts";
import { contextOf } from "./files.ts";
import { start } from "./standing.ts";
import { prepareTraining, type TrainingOptions } from "./training.ts";
import { type Recipe } from "../recipes/recipe.ts";

/** A training that is planned. */
export interface TrainingPlan {
  /** Bytes of device memory of a step at most, parameters and optimizer state included; of several networks together. */
  readonly peakBytes: number;
  /** Kernels of a step, of all networks. */
  readonly dispatches: number;
  /** Numbers that the networks learn. */
  readonly parameters: number;
  /** Steps of an epoch, of all networks. */
  readonly stepsPerEpoch: number;
}

/**
 * Makes the networks of a run, traces their steps on a first batch of its data and compiles the kernels, but trains nothing. `fit` with these options then
 * begins at once.
 * @param onProgress told of the kernels that are compiled
 * @throws as `fit` before its first step: ConfigError, DataError, ShapeError, OutOfMemoryError
 * @param onProgress told of the kernels that are compiled, `done` of `total`
 */
export async function planTraining<C extends object>(
  recipe: Recipe<C>,
  options: TrainingOptions<C>,
  onProgress: (done: number, total: number) => void = () => undefined,
): Promise<TrainingPlan> {
  expectOptions("planTraining", options, "device:object! data:object! config:object! info:object!");
  expectRecipe("planTraining", recipe);
  const context = contextOf(recipe, options.config, options.info);
  const networks = recipe.networks(options.device, context);
  try {
    const training = await prepareTraining(recipe, context, networks, options);
    try {
      const plans = await training.compile(start, onProgress);
      return {
        peakBytes: plans.reduce((sum, p) => sum + p.peakBytes, 0),
        dispatches: plans.reduce((sum, p) => sum + p.dispatches, 0),
        parameters: Object.values(networks).reduce((sum, model) => sum + model.parameterCount, 0),
        stepsPerEpoch: training.stepsPerEpoch,
      };
    } finally {
      await training.close();
    }
  } finally {
    for (const model of Object.values(networks)) model.dispose();
  }
}
