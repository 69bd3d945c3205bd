/** @file nnU-Net's files: plans of any age, what labels and regions mean, logits on their way back to a case's own grid. */

import { expect, test } from "vitest";
import { ConfigError, FormatError } from "../../../src/host/errors.ts";
import { labelManager, labelsOfLogits } from "../../../src/seg/nnunet/label_manager.ts";
import { openNnunetModel } from "../../../src/seg/nnunet/model_folder.ts";
import { nnunetNetwork } from "../../../src/seg/nnunet/network.ts";
import { parsePlans } from "../../../src/seg/nnunet/plans_file.ts";
import { keptInMemory } from "../../../src/seg/inference/kept_scores.ts";
import { scoresInMemory } from "../../../src/seg/inference/score_map.ts";
import { restoreLabels, restoreProbabilities } from "../../../src/seg/nnunet/restore.ts";
import { device } from "../../lib/device.ts";

const bytes = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));

const old = {
  spacing: [1, 1, 1],
  patch_size: [16, 16, 16],
  normalization_schemes: ["ZScoreNormalization"],
  use_mask_for_norm: [false],
  resampling_fn_data: "resample_data_or_seg_to_shape",
  resampling_fn_data_kwargs: { is_seg: false, order: 3, order_z: 0, force_separate_z: null },
  resampling_fn_probabilities: "resample_data_or_seg_to_shape",
  resampling_fn_probabilities_kwargs: { is_seg: false, order: 1, order_z: 0, force_separate_z: null },
  UNet_class_name: "PlainConvUNet",
  UNet_base_num_features: 4,
  unet_max_num_features: 8,
  n_conv_per_stage_encoder: [2, 2, 2],
  n_conv_per_stage_decoder: [2, 2],
  conv_kernel_sizes: [
    [1, 3, 3],
    [3, 3, 3],
    [3, 3, 3],
  ],
  pool_op_kernel_sizes: [
    [1, 1, 1],
    [1, 2, 2],
    [2, 2, 2],
  ],
};
const plans = (configurations: object) => ({
  transpose_forward: [0, 1, 2],
  transpose_backward: [0, 1, 2],
  image_reader_writer: "SimpleITKIO",
  foreground_intensity_properties_per_channel: {},
  configurations,
});

test("plans from before 2.4 describe the same network; configurations inherit", async () => {
  const file = parsePlans(bytes(plans({ "3d_fullres": old, small: { inherits_from: "3d_fullres", patch_size: [8, 8, 8] } })));
  const small = file.configuration("small");
  expect([small.patch_size, small.architecture.arch_kwargs.features_per_stage]).toEqual([
    [8, 8, 8],
    [4, 8, 8],
  ]);
  const network = nnunetNetwork(await device(), small, 1, 3);
  expect(network.parameterCount).toBeGreaterThan(1000);
  network.dispose();
});

test("what is wrong with a folder is said", async () => {
  expect(() => parsePlans(bytes({ configurations: {} }))).toThrow(/"transpose_forward" is missing/);
  expect(() => parsePlans(new TextEncoder().encode("{"))).toThrow(FormatError);
  const cascade = { a: old, b: { inherits_from: "a", previous_stage: "a" }, c: { inherits_from: "c" } };
  const file = parsePlans(bytes(plans(cascade)));
  expect(file.configuration("b").previous_stage).toBe("a");
  expect(() => file.configuration("c")).toThrow(/inherits from itself/);
  expect(() => file.configuration("d")).toThrow(/no configuration "d"; it has a, b, c/);
  const open = openNnunetModel(await device(), async (path) => (path === "plans.json" ? bytes(plans({ a: old })) : undefined));
  await expect(open).rejects.toThrow(/no dataset\.json/);
  const known = parsePlans(bytes(plans({ a: old }))).configuration("a");
  const strange = { ...known, architecture: { ...known.architecture, network_class_name: "monai.SwinUNETR" } };
  const gpu = await device();
  expect(() => nnunetNetwork(gpu, strange, 1, 2)).toThrow(ConfigError);
  expect(() => nnunetNetwork(gpu, strange, 1, 2)).toThrow(/network_class_name "monai.SwinUNETR"; known is PlainConvUNet/);
});

test("labels, regions and their order", () => {
  const classes = labelManager({ labels: { background: 0, b: 2, a: 1, ignore: 3 } });
  expect(classes).toEqual({
    heads: 3,
    hasRegions: false,
    regionsClassOrder: [],
    names: ["background", "a", "b"],
  });
  const regions = labelManager({ labels: { background: 0, whole: [1, 2], core: [2] }, regions_class_order: [1, 2] });
  expect([regions.heads, regions.names]).toEqual([2, ["whole", "core"]]);
  const logits = { data: Float32Array.of(1, 1, -1, -1, -1, 1, 1, -1), shape: [2, 4] };
  expect([...labelsOfLogits(logits, regions).data]).toEqual([1, 2, 2, 0]);
  expect(() => labelManager({ labels: { background: 0, whole: [1, 2] } })).toThrow(/regions_class_order/);
});

test("logits come back through resampling, crop and transposition", () => {
  const manager = labelManager({ labels: { background: 0, a: 1 } });
  const options = {
    configuration: parsePlans(bytes(plans({ a: { ...old, spacing: [2, 1, 1] } }))).configuration("a"),
    properties: {
      spacing: [1, 1, 1],
      shapeBeforeCropping: [3, 6, 3],
      bboxUsedForCropping: [
        [1, 2],
        [1, 5],
        [0, 3],
      ] as [number, number][],
      shapeAfterCroppingAndBeforeResampling: [1, 4, 3],
    },
    transposeForward: [1, 0, 2],
    transposeBackward: [1, 0, 2],
    manager,
  };
  // Class 1 where the row is above the middle.
  const logits = { data: new Float32Array(2 * 1 * 4 * 3), shape: [2, 1, 4, 3] };
  for (let i = 0; i < 12; i++) logits.data[12 + i] = i < 6 ? 3 : -3;
  const labels = restoreLabels(scoresInMemory(logits), options);
  expect(labels.shape).toEqual([1, 6, 3, 3]);
  expect(Array.from(labels.data).reduce((a, b) => a + b, 0)).toBe(6);
  const both = restoreProbabilities(scoresInMemory(logits), options, keptInMemory);
  expect(both.labels).toEqual(labels);
  expect([both.probabilities.channels, ...both.probabilities.shape]).toEqual([2, 6, 3, 3]);
  const [p0, p1] = [0, 1].map((c) => both.probabilities.channel(c));
  expect(p0[0]).toBe(1);
  for (let i = 0; i < 54; i++) expect(p0[i] + p1[i]).toBeCloseTo(1, 6);
});
