/** @file The second stage of nnU-Net's cascade: trained on what a first stage found, predicts with it, and as an exported folder too. */

import { beforeAll, expect, test } from "vitest";
import type { Case } from "../../../src/data/folders/dataset_index.ts";
import { makeVolume, type Volume } from "../../../src/data/index.ts";
import { ConfigError, type Device, ShapeError } from "../../../src/index.ts";
import { exportRuns } from "../../../src/seg/nnunet/export_run.ts";
import { openNnunetModel } from "../../../src/seg/nnunet/model_folder.ts";
import type { NnunetPlans } from "../../../src/seg/nnunet/plan.ts";
import type { NnunetRecipeOptions } from "../../../src/seg/recipes/nnunet/options.ts";
import nnunet from "../../../src/seg/recipes/nnunet/recipe.ts";
import { configure, fit, memoryStore, openRun, segmentCases } from "../../../src/seg/index.ts";
import { files, readEpochs } from "../../../src/seg/run/files.ts";
import { device } from "../../lib/device.ts";
import { memoryData } from "../../lib/memory_data.ts";

let gpu: Device;
beforeAll(async () => (gpu = await device()));

const tiny = { epochs: 2, stepsPerEpoch: 2, validationSteps: 1, batchSize: 2, noMirroring: true, timeLimit: 0, features: 4 };

/** The image with a label map behind it. */
function withMap(image: Volume, map: Volume): Volume {
  const data = new Float32Array(image.data.length + map.data.length);
  data.set(image.data);
  data.set(map.data, image.data.length);
  return makeVolume({ data, shape: [image.shape[0] + 1, ...image.shape.slice(1)] }, image.affine, image.meta);
}

async function secondStage() {
  const plain = memoryData({ background: 0, small: 1, large: 2 }, 2);
  const first = await configure<NnunetRecipeOptions>(nnunet, plain, { data: "memory", ...tiny });
  const plans: NnunetPlans = {
    ...first.config.plans,
    configurations: {
      ...first.config.plans.configurations,
      "3d_lowres": { ...first.config.trained, next_stage: "3d_cascade_fullres" },
      "3d_cascade_fullres": { inherits_from: "3d_fullres", previous_stage: "3d_lowres" },
    },
  };
  // A first stage that is right: what the second one finds must come from there.
  const data = {
    ...plain,
    index: { ...plain.index, modality: [...plain.index.modality, "label map of 3d_lowres"] },
    read: async (source: Case) => {
      const found = await plain.read(source);
      return { ...found, image: withMap(found.image as Volume, found.label!) };
    },
  };
  return { data, given: { data: "memory", ...tiny, plans, previous: ["of 3d_lowres"] } };
}

test("trains, predicts with the first stage's label map, and an exported folder predicts the same", async () => {
  const { data, given } = await secondStage();
  const { config, info } = await configure<NnunetRecipeOptions>(nnunet, data, given);
  expect(config.configuration).toBe("3d_cascade_fullres");
  expect(config.trained.previous_stage).toBe("3d_lowres");
  const store = memoryStore();
  expect((await fit(nnunet, { device: gpu, data, store, config, info })).finished).toBe(true);
  const opened = await openRun(gpu, store, nnunet);
  const found = (await segmentCases(opened, data.val.slice(0, 1), data.read).next()).value!;
  opened.dispose();
  const folder = exportRuns([
    {
      ...config,
      ...info,
      files: { fileEnding: ".nii.gz", numTraining: 4 },
      mirrorAxes: [],
      epochs: await readEpochs(store),
      weights: (await store.read(files.weights))!,
    },
  ]);
  const bytes = (x: Uint8Array | string | undefined) => (typeof x === "string" ? new TextEncoder().encode(x) : x);
  const model = await openNnunetModel(gpu, async (path) => bytes(folder.get(path)));
  expect(model.channels).toEqual(["synthetic", "label map of 3d_lowres"]);
  const { image } = await data.read(data.val[0]);
  expect((await model.predict(image)).labels.data).toEqual(found.labels.data);
  // Another first stage is another prediction, so that its channel is not lost on the way.
  const { probabilities } = await model.predict(image, { probabilities: true });
  const voxels = image.data.length / 2;
  const none = makeVolume({ data: image.data.slice().fill(0, voxels), shape: image.shape }, image.affine, image.meta);
  const other = await model.predict(none, { probabilities: true });
  expect(other.probabilities!.data).not.toEqual(probabilities!.data);
  await expect(model.predict(makeVolume({ data: image.data.slice(0, voxels), shape: [1, 16, 16, 16] }))).rejects.toThrow(
    /takes 2: synthetic, label map of 3d_lowres/,
  );
  await expect(model.predict(makeVolume({ data: image.data.slice(0, voxels), shape: [1, 16, 16, 16] }))).rejects.toThrow(
    ShapeError,
  );
  model.dispose();
});

test("what does not go together is refused", async () => {
  const { data, given } = await secondStage();
  const { previous: _, ...without } = given;
  await expect(configure(nnunet, data, { ...without, configuration: "3d_cascade_fullres" })).rejects.toThrow(
    /comes behind 3d_lowres: give the folders/,
  );
  await expect(configure(nnunet, data, { ...given, configuration: "3d_fullres" })).rejects.toThrow(ConfigError);
  const { plans: _plans, ...unplanned } = given;
  await expect(configure(nnunet, data, unplanned)).rejects.toThrow(/goes by the plans of the first/);
});
