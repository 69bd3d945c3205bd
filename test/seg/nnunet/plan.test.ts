/** @file Plans are nnU-Net's, key for key: plain and residual encoders, 2d, 3d_fullres, 3d_lowres, cascade. */

import { expect, test } from "vitest";
import type { DatasetFingerprint } from "../../../src/data/nnunet/fingerprint.ts";
import { ConfigError } from "../../../src/host/errors.ts";
import { computeConvFeatureMapSize } from "../../../src/seg/nnunet/feature_map_size.ts";
import { type PlannedDatasetJson, planExperiment } from "../../../src/seg/nnunet/plan.ts";
import type { PlannerName } from "../../../src/seg/nnunet/planners.ts";
import { readFixture } from "../../lib/fixture.ts";

interface Stored {
  readonly planner: PlannerName;
  readonly options: {
    readonly gpu_memory_target_in_gb?: number;
    readonly suppress_transpose?: boolean;
    readonly overwrite_target_spacing?: number[];
  };
  readonly dataset: PlannedDatasetJson;
  readonly fingerprint: DatasetFingerprint;
  readonly plans: object;
}

test("plans that nnU-Net made of the same fingerprints", () => {
  const all = readFixture<Stored[]>("nnunet_plans.json");
  for (const { planner, options, dataset, fingerprint, plans } of all) {
    const made = planExperiment(
      fingerprint,
      { ...dataset, overwrite_image_reader_writer: "NibabelIO" },
      {
        planner,
        datasetName: "Dataset001_x",
        ...(options.gpu_memory_target_in_gb && { gpuMemoryTargetInGb: options.gpu_memory_target_in_gb }),
        ...(options.suppress_transpose && { suppressTranspose: true }),
        ...(options.overwrite_target_spacing && { overwriteTargetSpacing: options.overwrite_target_spacing }),
      },
    );
    expect(JSON.parse(JSON.stringify(made))).toEqual(plans);
    expect(JSON.stringify(Object.keys(made))).toBe(JSON.stringify(Object.keys(plans)));
  }
  expect(all.some(({ plans }) => "3d_lowres" in (plans as { configurations: object }).configurations)).toBe(true);
});

test("planners that resample by torch write what their Python does: data and probabilities are no segmentation, sepz parts thick slices", () => {
  const [{ dataset, fingerprint }] = readFixture<Stored[]>("nnunet_plans.json");
  for (const [planner, separate] of [
    ["nnUNetPlannerResEncL_torchres", { force_separate_z: false }],
    ["nnUNetPlannerResEncL_torchres_sepz", { force_separate_z: null, separate_z_anisotropy_threshold: 3 }],
  ] as const) {
    const { configurations } = planExperiment(fingerprint, dataset, { planner, datasetName: "Dataset001_x" });
    const kwargs = (isSeg: boolean) => ({ is_seg: isSeg, memefficient_seg_resampling: false, ...separate });
    expect(configurations["3d_fullres"]).toMatchObject({
      resampling_fn_data: "resample_torch_fornnunet",
      resampling_fn_data_kwargs: kwargs(false),
      resampling_fn_seg_kwargs: kwargs(true),
      resampling_fn_probabilities_kwargs: kwargs(false),
    });
  }
});

test("the estimate that nnU-Net's sources quote; errors", () => {
  const strides = [1, 2, 2, 2, 2, 2].map((s) => [s, s, s]);
  const featuresPerStage = [32, 64, 128, 256, 320, 320];
  const network = {
    featuresPerStage,
    strides,
    blocksPerStage: [1, 3, 4, 6, 6, 6],
    convsPerStageDecoder: [1, 1, 1, 1, 1],
    numClasses: 3,
  };
  expect(computeConvFeatureMapSize({ ...network, residual: true, deepSupervision: true }, [128, 128, 128])).toBe(558_319_104);
  const none = {
    spacings: [],
    shapes_after_crop: [],
    median_relative_size_after_cropping: 1,
    foreground_intensity_properties_per_channel: {},
  };
  expect(() => planExperiment(none, { channel_names: { 0: "CT" }, labels: {}, numTraining: 1 })).toThrow(ConfigError);
});

test("a stack of TIFF pages is not read as a photograph is", () => {
  const [{ dataset, fingerprint }] = readFixture<Stored[]>("nnunet_plans.json");
  const readerOf = (file_ending: string) => planExperiment(fingerprint, { ...dataset, file_ending }).image_reader_writer;
  expect([".tif", ".png", ".nrrd"].map(readerOf)).toEqual(["Tiff3DIO", "NaturalImage2DIO", "SimpleITKIO"]);
});
