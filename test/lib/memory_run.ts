/** @file Runs in memory, for tests of what a run leaves behind. */

import type { Device } from "../../src/index.ts";
import { configure, fit, type Recipe, type RunData, type RunStore } from "../../src/seg/index.ts";
import { memoryData, tinyRun } from "./memory_data.ts";

/** Trains on a device, by default on `memoryData` with the options of `tinyRun`; `given` are further options, `more` what else `fit` takes. */
export const memoryRun =
  (device: Device) =>
  async (recipe: Recipe, store: RunStore, data: RunData = memoryData(), given: object = {}, more: object = {}) => {
    const { config, info } = await configure(recipe, data, { data: "memory", ...tinyRun, ...given });
    return fit(recipe, { device, data, store, config, info, ...more });
  };

export const textIn = async (store: RunStore, file: string): Promise<string> => new TextDecoder().decode(await store.read(file));

/** The lines of a run's metrics but for what the clock says. */
export const epochsIn = async (store: RunStore) =>
  (await textIn(store, "metrics.jsonl"))
    .trim()
    .split("\n")
    .map((line) => ({ ...JSON.parse(line), seconds: undefined, timing: undefined }));
