/** @file The evaluation of nnU-Net: counts, Dice and IoU of label maps per label or region, their means, and its `summary.json`. */

import { expectArguments, expectItems } from "../../host/kinds.ts";
import { expectOptions } from "../../host/options.ts";
import type { HostArray } from "../../host/array.ts";
import { nanMean } from "../../host/stats.ts";
import { LabelPairs } from "./label_pairs.ts";

/** A label value, or the values of a region. */
export type LabelOrRegion = number | readonly number[];

/** Under the names of nnU-Net. */
export interface NnunetMetrics {
  /** 2 TP / (2 TP + FP + FN); NaN where neither has the label. */
  readonly Dice: number;
  /** TP / (TP + FP + FN); NaN where neither has the label. */
  readonly IoU: number;
  /** Voxels that both have. */
  readonly TP: number;
  /** Voxels that the prediction alone has. */
  readonly FP: number;
  /** Voxels that the truth alone has. */
  readonly FN: number;
  /** Voxels that neither has. */
  readonly TN: number;
  /** Voxels of the prediction. */
  readonly n_pred: number;
  /** Voxels of the truth. */
  readonly n_ref: number;
}

/** How nnU-Net writes a label or region as a key: `1`, `(1, 2)`, `(1,)`. */
export function labelOrRegionToKey(label: LabelOrRegion): string {
  expectArguments("labelOrRegionToKey", "spread", { label });
  if (typeof label === "number") return String(label);
  return label.length === 1 ? `(${label[0]},)` : `(${label.join(", ")})`;
}

/**
 * Counts, Dice and IoU per label or region (nnU-Net `compute_metrics`); NaN where neither map has any of it.
 * @param reference label values, any shape
 * @param prediction of the same shape
 * @param options.ignoreLabel reference value of voxels that do not count
 * @returns by key of the label or region
 * @throws ShapeError
 */
export function computeMetrics(
  reference: HostArray,
  prediction: HostArray,
  labelsOrRegions: readonly LabelOrRegion[],
  options: { readonly ignoreLabel?: number } = {},
): Record<string, NnunetMetrics> {
  expectOptions("computeMetrics", options, "ignoreLabel");
  expectArguments("computeMetrics", "array", { reference, prediction });
  expectArguments("computeMetrics", "list", { labelsOrRegions });
  const { ignoreLabel } = options;
  const pairs = new LabelPairs("computeMetrics", prediction, reference, ignoreLabel);
  const entries = labelsOrRegions.map((label) => {
    const { tp: TP, fp: FP, fn: FN, tn: TN } = pairs.confusion(typeof label === "number" ? [label] : label);
    const any = TP + FP + FN;
    const [Dice, IoU] = any === 0 ? [NaN, NaN] : [(2 * TP) / (2 * TP + FP + FN), TP / any];
    return [labelOrRegionToKey(label), { Dice, IoU, FP, TP, FN, TN, n_pred: FP + TP, n_ref: FN + TP }] as const;
  });
  return Object.fromEntries(entries);
}

/** What nnU-Net writes as `summary.json`. */
export interface NnunetSummary {
  /** Means of `mean` over the labels but background. */
  readonly foreground_mean: NnunetMetrics;
  /** Means over the cases, by label. */
  readonly mean: Readonly<Record<string, NnunetMetrics>>;
  /** The cases. */
  readonly metric_per_case: readonly NnunetCase[];
}

/** A case of the summary. */
export interface NnunetCase {
  /** By label; a region is "(1, 2)". */
  readonly metrics: Readonly<Record<string, NnunetMetrics>>;
  /** Path of the truth. */
  readonly reference_file?: string;
  /** Path of the prediction. */
  readonly prediction_file?: string;
}

const fields = ["Dice", "IoU", "FP", "TP", "FN", "TN", "n_pred", "n_ref"] as const;

const record = (value: (field: (typeof fields)[number]) => number): NnunetMetrics =>
  Object.fromEntries(fields.map((f) => [f, value(f)])) as unknown as NnunetMetrics;

/** The summary of some cases: per label the mean over the cases that are not NaN, and the mean of those over all labels but 0. */
export function summarizeMetrics(cases: readonly NnunetCase[]): NnunetSummary {
  expectItems("summarizeMetrics", "cases", cases, { metrics: "object" });
  const keys = Object.keys(cases[0]?.metrics ?? {});
  const mean = Object.fromEntries(keys.map((k) => [k, record((f) => nanMean(cases.map((c) => c.metrics[k][f])))]));
  const foreground = keys.filter((k) => k !== "0");
  const foregroundMean = record((f) => foreground.reduce((sum, k) => sum + mean[k][f], 0) / foreground.length);
  return { foreground_mean: foregroundMean, mean, metric_per_case: cases };
}
