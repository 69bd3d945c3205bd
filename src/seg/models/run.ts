/** @file A run of voxgrad as a model. */

import { makeVolume, type Volume, withGeometryOf } from "../../data/volume.ts";
import { FormatError } from "../../host/errors.ts";
import { counted } from "../../host/text.ts";
import type { Device } from "../../tensor/device.ts";
import { readRunInfo } from "../run/files.ts";
import { storedRecipe } from "../run/load_recipe.ts";
import { readPostSteps } from "../run/postprocessing.ts";
import { openRun, segmentCases } from "../run/segment.ts";
import type { RunStore } from "../run/store.ts";
import type { ModelFiles, ModelSegmentOptions, OpenModelOptions, SegmentationModel } from "./model.ts";
import { refuseOthers } from "./refuse.ts";

/** A run's files to read. */
function storeOf(files: ModelFiles): RunStore {
  const refuse = () => Promise.reject(new FormatError(`${files.name} is opened to be read only`));
  const has = (file: string) => files.paths.includes(file);
  return {
    name: files.name,
    has: async (file) => has(file),
    read: async (file) => (has(file) ? files.read(file) : undefined),
    write: refuse,
    append: refuse,
  };
}

/** Opens the folder of a run, with the post-processing that is stored with it. @throws FormatError, CheckpointError, ConfigError */
export async function openRunModel(device: Device, files: ModelFiles, options: OpenModelOptions): Promise<SegmentationModel> {
  refuseOthers("run", options, "inference weights recipe");
  const store = storeOf(files);
  const info = await readRunInfo(store);
  const recipe = options.recipe ?? (await storedRecipe(info.recipe));
  const which = options.weights === undefined ? undefined : ({ last: "weights", best: "best" } as const)[options.weights];
  const run = await openRun(device, store, recipe, which, options.inference);
  const steps = await readPostSteps(store);
  const weights = Object.values(run.networks).reduce((sum, network) => sum + network.parameterCount, 0);
  return {
    kind: "run",
    channels: info.channels,
    labels: info.labels.filter((l) => !l.ignore),
    description: `run of recipe ${recipe.name}, ${counted(weights, "parameter")}`,
    async segment(image: Volume, { signal, probabilities, keepScores, onPlan, onProgress }: ModelSegmentOptions = {}) {
      const read = async () => ({ id: "image", image });
      const found = await segmentCases(run, [{ id: "image", image: [] }], read, {
        signal,
        steps,
        probabilities,
        keepScores,
        onPlan: onPlan && ((_, plan) => onPlan(plan)),
        onProgress: onProgress && ((_, done, total) => onProgress(done, total)),
      }).next();
      const { labels, probabilities: map, probabilityMap, candidates, notes } = found.value!;
      return {
        labels: withGeometryOf(image, labels),
        ...(map && { probabilities: makeVolume(map, image.affine, image.meta) }),
        ...(probabilityMap && { probabilityMap }),
        ...(candidates && { candidates }),
        ...(notes && { notes }),
      };
    },
    dispose: () => run.dispose(),
  };
}
