/** @file What a training says of classes that it has not found. */

import { expect, test } from "vitest";
import type { DetectionSummary } from "../../../src/seg/index.ts";
import { unlearnedHint } from "../../../src/seg/run/unlearned.ts";

const scores = (mean: number[]) => ({ cases: [], labels: ["liver", "kidney", "lesion"], mean });

test("names classes that are hardly found, and how to go on", () => {
  const hint = unlearnedHint(scores([0.7, 0.03, 0]), 20, "voxgrad train --resume runs/a");
  expect(hint).toContain("below 0.1): kidney, lesion.");
  expect(hint).toContain("voxgrad train --resume runs/a --epochs 60");
});

test("says nothing of those that are found, or that no case has", () => {
  expect(unlearnedHint(scores([0.7, 0.3, NaN]), 20, "")).toBeUndefined();
});

test("says nothing of the overlap of what is detected", () => {
  const detection = {} as DetectionSummary;
  expect(unlearnedHint({ ...scores([0, 0, 0]), detection }, 20, "")).toBeUndefined();
});
