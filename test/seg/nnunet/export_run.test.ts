/** @file Classes of a results folder have the values that nnU-Net writes. */

import { expect, test } from "vitest";
import type { LabelClass } from "../../../src/data/labels.ts";
import { datasetJson } from "../../../src/seg/nnunet/experiment.ts";
import { exportedLabels } from "../../../src/seg/nnunet/export_run.ts";

const valuesOf = (labels: readonly LabelClass[]) => datasetJson(labels, ["CT"], { fileEnding: ".nii.gz", numTraining: 1 }).labels;

test("classes are numbered as the network's outputs, whatever values the dataset has", () => {
  const labels: LabelClass[] = [
    { name: "high", values: [300] },
    { name: "background", values: [0] },
    { name: "left out", values: [7], ignore: true },
    { name: "low", values: [5] },
  ];
  expect(valuesOf(exportedLabels(labels))).toEqual({ background: 0, low: 1, high: 2, "left out": 3 });
  expect(exportedLabels(labels).find((l) => l.ignore)?.name).toBe("left out");
});

test("regions keep their values, which regions_class_order writes", () => {
  const labels: LabelClass[] = [
    { name: "background", values: [0] },
    { name: "whole", values: [10, 20] },
    { name: "core", values: [20] },
  ];
  expect(exportedLabels(labels)).toBe(labels);
});
