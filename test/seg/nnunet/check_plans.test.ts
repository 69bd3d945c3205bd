/** @file Plans that were cut short, edited or made by another program: what is wrong is named, before anything is computed. */

import { expect, test } from "vitest";
import { FormatError } from "../../../src/host/errors.ts";
import { planExperiment } from "../../../src/seg/nnunet/plan.ts";
import { plansFile } from "../../../src/seg/nnunet/plans_file.ts";

const plans = planExperiment(
  {
    foreground_intensity_properties_per_channel: {
      0: { max: 1, mean: 0, median: 0, min: -1, percentile_00_5: -1, percentile_99_5: 1, std: 1 },
    },
    median_relative_size_after_cropping: 1,
    shapes_after_crop: Array.from({ length: 6 }, () => [36, 50, 34]),
    spacings: Array.from({ length: 6 }, () => [1, 1, 1]),
  },
  { channel_names: { 0: "MRI" }, labels: { background: 0, one: 1 }, numTraining: 6, file_ending: ".nii.gz" } as never,
);

/* oxlint-disable typescript/no-explicit-any -- what is changed is of any kind */
test.each<[string, (p: any) => void, RegExp]>([
  ["no record", (p) => Object.keys(p).forEach((key) => delete p[key]), /"configurations" is missing/],
  ["axes twice", (p) => (p.transpose_forward = [0, 0, 1]), /transpose_forward is \[0,0,1\]/],
  ["no inverse", (p) => (p.transpose_backward = [1, 2, 0]), /undo each other/],
  ["no patch", (p) => delete p.configurations["3d_fullres"].patch_size, /lacks "patch_size"/],
  ["negative patch", (p) => (p.configurations["3d_fullres"].patch_size = [-8, 8, 8]), /patch_size is \[-8,8,8\]/],
  ["spacing of another length", (p) => (p.configurations["3d_fullres"].spacing = [1, 1]), /3 numbers, as patch_size has/],
  ["spacing 0", (p) => (p.configurations["3d_fullres"].spacing = [0, 1, 1]), /spacing is \[0,1,1\]; expected 2 or 3 positive/],
  ["no network", (p) => delete p.configurations["3d_fullres"].architecture, /neither an architecture nor/],
  ["strides cut", (p) => p.configurations["3d_fullres"].architecture.arch_kwargs.strides.pop(), /one for each of \d stages/],
  [
    "flat kernels",
    (p) => (p.configurations["3d_fullres"].architecture.arch_kwargs.kernel_sizes[0] = [3, 3]),
    /3 numbers for each stage/,
  ],
  [
    "features of text",
    (p) => (p.configurations["3d_fullres"].architecture.arch_kwargs.features_per_stage[0] = "32"),
    /features_per_stage is/,
  ],
  ["circle", (p) => (p.configurations["3d_fullres"].inherits_from = "3d_fullres"), /inherits from itself/],
])("%s", (_, change, message) => {
  const changed = structuredClone(plans);
  expect(() => plansFile(changed).configuration("3d_fullres")).not.toThrow();
  change(changed);
  const read = () => plansFile(changed).configuration("3d_fullres");
  expect(read).toThrow(FormatError);
  expect(read).toThrow(message);
});

test("a list in place of plans", () => {
  expect(() => plansFile([])).toThrow(/is no record/);
});
