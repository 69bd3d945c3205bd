/** @file A results folder of nnU-Net v2 as a model. */

import type { Volume } from "../../data/volume.ts";
import { ConfigError } from "../../host/errors.ts";
import type { Device } from "../../tensor/device.ts";
import { openNnunetModel } from "../nnunet/model_folder.ts";
import { probabilityEndings, probabilityFiles } from "../nnunet/probability_files.ts";
import type { ModelFiles, ModelSegmentOptions, OpenModelOptions, SegmentationModel } from "./model.ts";
import { refuseOthers } from "./refuse.ts";

/** Opens it; `overlap` is one less nnU-Net's tile step size, `mirror` its test-time mirroring, on by default; `weights` "best" takes `checkpoint_best.pth`. @throws FormatError, CheckpointError, ConfigError */
export async function openNnunet(device: Device, files: ModelFiles, options: OpenModelOptions): Promise<SegmentationModel> {
  refuseOthers("nnunet", options, "folds weights inference.mirror inference.overlap inference.batchSize inference.maxBytes");
  const { mirror, overlap, batchSize, maxBytes } = options.inference ?? {};
  if (overlap !== undefined && !(overlap >= 0 && overlap < 1))
    throw new ConfigError(`overlap must be a share from 0 to below 1, got ${overlap}`);
  const read = async (path: string) => (files.paths.includes(path) ? files.read(path) : undefined);
  const model = await openNnunetModel(device, read, {
    ...(options.folds && { folds: options.folds }),
    ...(options.weights === "best" && { checkpoint: "checkpoint_best.pth" }),
  });
  const named = ["plans.json", "dataset.json"];
  const folder = new Map(await Promise.all(named.map(async (path) => [path, await files.read(path)] as const)));
  return {
    kind: "nnunet",
    channels: model.channels,
    labels: model.classes,
    description: `nnU-Net ${model.configurationName}, ${model.folds} ${model.folds === 1 ? "fold" : "folds"}`,
    writes: { ending: model.fileEnding, probabilities: probabilityEndings, folder },
    async segment(image: Volume, { signal, probabilities, keepScores, onProgress }: ModelSegmentOptions = {}) {
      const { properties, ...found } = await model.predict(image, {
        ...(mirror !== undefined && { mirroring: mirror }),
        ...(overlap !== undefined && { tileStepSize: 1 - overlap }),
        ...(batchSize !== undefined && { batchSize }),
        ...(maxBytes !== undefined && { maxBytes }),
        ...(probabilities !== undefined && { probabilities }),
        keepScores,
        ...(signal && { signal }),
        ...(onProgress && { onProgress }),
      });
      const { probabilityMap: map } = found;
      return map ? { ...found, files: probabilityFiles(image, map, model.reader, properties) } : found;
    },
    dispose: () => model.dispose(),
  };
}
