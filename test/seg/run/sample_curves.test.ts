/** @file Curves of samples: of runs with one scored epoch too, with a line per network, part and class. */

import { expect, test } from "vitest";
import type { EpochMetrics } from "../../../src/seg/run/files.ts";
import { sampleCurvesOf } from "../../../src/seg/run/sample_curves.ts";

const part = { loss: 0.5, dice: [0.25, 0.75] };
const epoch = (samples?: EpochMetrics["samples"]): EpochMetrics =>
  ({ epoch: 1, loss: 1, ...(samples && { samples }) }) as EpochMetrics;

test("none where no epoch was scored", () => {
  expect(sampleCurvesOf([epoch()], ["liver"])).toEqual([]);
});

test("one scored epoch, of two networks and classes", () => {
  const curves = sampleCurvesOf(
    [epoch(), epoch({ a: { train: part, val: part }, b: { train: part, val: part } })],
    ["liver", "spleen"],
  );
  expect(curves).toHaveLength(2);
  const [loss, dice] = curves.map(({ svg }) => svg);
  for (const name of ["a training", "a validation", "b training", "b validation"]) expect(loss).toContain(name);
  for (const name of ["a liver training", "b spleen validation"]) expect(dice).toContain(name);
});
