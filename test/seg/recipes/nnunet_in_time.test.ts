/** @file What the recipe "nnunet" trains in a given time: network, patch, steps and mirroring from what steps cost on some device. */

import { expect, test } from "vitest";
import { sizeOf } from "../../../src/host/array.ts";
import { type PlannedConfiguration, planConfiguration } from "../../../src/seg/nnunet/configuration.ts";
import { planners } from "../../../src/seg/nnunet/planners.ts";
import { chooseInTime, type TimeRequest } from "../../../src/seg/recipes/nnunet/in_time.ts";
import { mirrorAxesOf } from "../../../src/seg/recipes/nnunet/samples.ts";

const planned = (medianShape: readonly number[]): PlannedConfiguration =>
  planConfiguration({
    settings: planners.ExperimentPlanner,
    gpuMemoryTargetInGb: 8,
    spacing: medianShape.map(() => 1),
    medianShape,
    dataIdentifier: "d",
    preprocessorName: "DefaultPreprocessor",
    approximateVoxels: 1e7,
    numLabels: 3,
    normalizationSchemes: ["ZScoreNormalization"],
    useMaskForNorm: [false],
  });

const perVoxel = 1e-6;
const firstOf = (c: PlannedConfiguration): number => c.architecture.arch_kwargs.features_per_stage[0];

/** A device whose step takes a time for each voxel and channel of the first stage. */
const request = (minutes: number, given: Partial<TimeRequest> = {}): TimeRequest => ({
  cases: 160,
  validation: 40,
  minutes,
  sliceCount: 1,
  secondsOf: async (c) => 2 * sizeOf(c.patch_size) * firstOf(c) * perVoxel,
  ...given,
});

test("steps fill the time, of a network that is narrow at its top", async () => {
  const whole = planned([35, 50, 35]);
  const { configuration, augment, step, epochs, stepsPerEpoch } = await chooseInTime(whole, request(55));
  const a = configuration.architecture.arch_kwargs;
  expect(configuration.patch_size).toEqual(whole.patch_size);
  expect(a.n_conv_per_stage).toEqual([1, ...a.n_conv_per_stage!.slice(1).map(() => 2)]);
  expect(a.n_conv_per_stage_decoder.at(-1)).toBe(1);
  expect(augment).toBe("unmirrored");
  const predicting = (40 * step) / 2 / 3;
  const used = (epochs * stepsPerEpoch * step + predicting) / 60;
  expect(used).toBeGreaterThan(48);
  expect(used).toBeLessThan(55);
});

test.each([
  ["an hour for few cases: wider", 60, { cases: 20 }, 32, "unmirrored"],
  ["days: mirror images too", 3e4, {}, 32, "nnunet"],
  ["what was asked for is kept", 3e4, { widths: [12], augment: "mirror" as const }, 12, "mirror"],
])("%s", async (_name, minutes, given, first, augment) => {
  const chosen = await chooseInTime(planned([35, 50, 35]), request(minutes, given));
  expect(firstOf(chosen.configuration)).toBe(first);
  expect(chosen.augment).toBe(augment);
});

test("patches shrink until each case can be seen at least a few times", async () => {
  const whole = planned([200, 200, 200]);
  const { configuration, epochs, stepsPerEpoch } = await chooseInTime(whole, request(60, { cases: 100, validation: 2 }));
  expect(sizeOf(configuration.patch_size)).toBeLessThan(sizeOf(whole.patch_size));
  expect(firstOf(configuration)).toBe(8);
  expect(epochs * stepsPerEpoch).toBeGreaterThan(1);
});

test("a network that has seen no mirror images predicts none", () => {
  const trained = planned([35, 50, 35]);
  expect(mirrorAxesOf({ augment: "nnunet", trained })).toEqual([0, 1, 2]);
  expect(mirrorAxesOf({ augment: "unmirrored", trained })).toEqual([]);
});
