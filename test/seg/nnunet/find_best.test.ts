/** @file The choice between configurations and their ensembles. */

import { expect, test } from "vitest";
import { ConfigError } from "../../../src/index.ts";
import { bestOf, datasetJson, foregroundMean, membersOf, nnunetLabels } from "../../../src/seg/index.ts";
import { type PlannedConfiguration, withFeatures, withSmallerPatch } from "../../../src/seg/nnunet/configuration.ts";
import { type NnunetPlans, planExperiment } from "../../../src/seg/nnunet/plan.ts";

const cases = (...rows: number[][]) => new Map(rows.map((row, i) => [`case${i}`, row]));

test("the mean over classes of the means over cases that have them", () => {
  expect(foregroundMean(cases([0.8, NaN], [0.6, 0.5]))).toBeCloseTo(0.6, 12);
  expect(foregroundMean(cases([NaN, 0.5]))).toBe(0.5);
});

test("single ones before pairs, and of equals the first", () => {
  expect(membersOf(["2d", "3d", "low"], true)).toEqual([["2d"], ["3d"], ["low"], ["2d", "3d"], ["2d", "low"], ["3d", "low"]]);
  expect(membersOf(["2d", "3d"], false)).toEqual([["2d"], ["3d"]]);
  const { best, all } = bestOf([
    { members: ["2d"], cases: cases([0.7]) },
    { members: ["3d"], cases: cases([0.9]) },
    { members: ["2d", "3d"], cases: cases([0.9]) },
  ]);
  expect(best).toBe(all[1]);
});

test("what was validated on other cases is not compared", () => {
  const other = new Map([["another", [0.9]]]);
  expect(() =>
    bestOf([
      { members: ["a"], cases: cases([0.7]) },
      { members: ["b"], cases: other },
    ]),
  ).toThrow(ConfigError);
  expect(() => bestOf([])).toThrow(ConfigError);
});

test("dataset.json has classes by value, regions in their order with the values that they write", () => {
  const files = { fileEnding: ".png", numTraining: 3, reader: "NaturalImage2DIO" };
  const plain = [
    { name: "b", values: [2] },
    { name: "background", values: [0] },
    { name: "a", values: [1] },
  ];
  expect(nnunetLabels(plain).map((l) => l.name)).toEqual(["background", "a", "b"]);
  const json = datasetJson(plain, ["R", "G"], files);
  expect(Object.keys(json.labels)).toEqual(["background", "a", "b"]);
  expect(json).toMatchObject({
    channel_names: { 0: "R", 1: "G" },
    numTraining: 3,
    overwrite_image_reader_writer: "NaturalImage2DIO",
  });
  const regions = [
    { name: "background", values: [0] },
    { name: "whole", values: [1, 2] },
    { name: "core", values: [2] },
  ];
  expect(datasetJson(regions, ["T1"], files)).toMatchObject({
    labels: { background: 0, whole: [1, 2], core: 2 },
    regions_class_order: [1, 2],
  });
});

test("a smaller patch has nnU-Net's next size and the network for it; fewer features keep the rest", () => {
  const fingerprint = {
    spacings: [[1, 1, 1]],
    shapes_after_crop: [[200, 200, 200]],
    median_relative_size_after_cropping: 1,
    foreground_intensity_properties_per_channel: {},
  };
  const plans: NnunetPlans = planExperiment(fingerprint, {
    channel_names: { 0: "MRI" },
    labels: { a: 0, b: 1 },
    numTraining: 100,
  });
  const full = plans.configurations["3d_fullres"] as PlannedConfiguration;
  expect(full.patch_size).toEqual([128, 128, 128]);
  const smaller = withSmallerPatch(full)!;
  expect(smaller.patch_size.reduce((a, b) => a * b)).toBeLessThan(128 ** 3);
  expect(Math.max(...smaller.patch_size)).toBe(128);
  expect(withFeatures(full, 8).architecture.arch_kwargs.features_per_stage).toEqual([8, 16, 32, 64, 128, 256]);
  let least = full;
  for (let next = withSmallerPatch(full); next; next = withSmallerPatch(next)) least = next;
  expect(least.architecture.arch_kwargs.n_stages).toBeGreaterThan(1);
});
