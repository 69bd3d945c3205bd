/** @file Confusion matrices of masks and the 17 rates that follow from them, with MONAI's names and options. */

import { expectOptions } from "../../host/options.ts";
import { expectArguments } from "../../host/kinds.ts";
import { sizeOf, type HostArray } from "../../host/array.ts";
import { ConfigError, ShapeError } from "../../host/errors.ts";
import { sameShape, showShape } from "../../host/shape.ts";
import { CumulativeMetric, type ReductionOptions } from "./cumulative.ts";
import { countOverlap } from "./overlap.ts";
import { type Aggregate, type MetricReduction, reduceMetric } from "./reduction.ts";

/** Counts of one class: true and false positives, true and false negatives. */
export interface Confusion {
  /** True positives. */
  readonly tp: number;
  /** False positives. */
  readonly fp: number;
  /** True negatives. */
  readonly tn: number;
  /** False negatives. */
  readonly fn: number;
}

const ratio = (a: number, b: number): number => (b === 0 ? NaN : a / b);
const tpr = ({ tp, fn }: Confusion): number => ratio(tp, tp + fn);
const tnr = ({ tn, fp }: Confusion): number => ratio(tn, tn + fp);
const ppv = ({ tp, fp }: Confusion): number => ratio(tp, tp + fp);
const npv = ({ tn, fn }: Confusion): number => ratio(tn, tn + fn);

function prevalenceThreshold(c: Confusion): number {
  const [hit, reject] = [tpr(c), tnr(c)];
  return ratio(Math.sqrt(hit * (1 - reject)) + reject - 1, hit + reject - 1);
}

/** A rate: its short name, all of its names, and the rule; 0/0 is NaN. */
const rates: readonly (readonly [names: string, rule: (c: Confusion) => number])[] = [
  ["tpr sensitivity recall hit_rate true_positive_rate", tpr],
  ["tnr specificity selectivity true_negative_rate", tnr],
  ["ppv precision positive_predictive_value", ppv],
  ["npv negative_predictive_value", npv],
  ["fnr miss_rate false_negative_rate", ({ tp, fn }) => ratio(fn, tp + fn)],
  ["fpr fall_out false_positive_rate", ({ tn, fp }) => ratio(fp, tn + fp)],
  ["fdr false_discovery_rate", ({ tp, fp }) => ratio(fp, tp + fp)],
  ["for false_omission_rate", ({ tn, fn }) => ratio(fn, tn + fn)],
  ["pt prevalence_threshold", prevalenceThreshold],
  ["ts threat_score critical_success_index csi", ({ tp, fp, fn }) => ratio(tp, tp + fn + fp)],
  ["acc accuracy", ({ tp, fp, tn, fn }) => ratio(tp + tn, tp + fp + tn + fn)],
  ["ba balanced_accuracy", (c) => (tpr(c) + tnr(c)) / 2],
  ["f1 f1_score", ({ tp, fp, fn }) => ratio(2 * tp, 2 * tp + fn + fp)],
  [
    "mcc matthews_correlation_coefficient",
    ({ tp, fp, tn, fn }) => ratio(tp * tn - fp * fn, Math.sqrt((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn))),
  ],
  ["fm fowlkes_mallows_index", (c) => Math.sqrt(ppv(c) * tpr(c))],
  ["bm informedness bookmaker_informedness youden_index youden", (c) => tpr(c) + tnr(c) - 1],
  ["mk markedness deltap", (c) => ppv(c) + npv(c) - 1],
];

const byName = new Map(rates.flatMap(([names, rule]) => names.split(" ").map((name) => [name, rule] as const)));

/** All names of `computeConfusionMatrixMetric`. */
export const confusionMatrixMetrics: readonly string[] = [...byName.keys()];

function ruleOf(op: string, name: string): (c: Confusion) => number {
  const rule = byName.get(name.replaceAll(" ", "_").toLowerCase());
  if (!rule) throw new ConfigError(`${op}: there is no rate "${name}"; known are ${confusionMatrixMetrics.join(", ")}`);
  return rule;
}

/** Options of `getConfusionMatrix`. */
export interface ConfusionMatrixOptions {
  /** Count class 0 too, where there are several. Default true. */
  readonly includeBackground?: boolean;
  /**
   * Reject what is no mask of 0 and 1. Default true. `false` counts any other as 1, and NaN in the truth as not known: false positives and negatives of
   * that sample and class are NaN, as in MONAI.
   */
  readonly strict?: boolean;
}

/**
 * True positives, false positives, true negatives and false negatives of each sample and class (MONAI `get_confusion_matrix`).
 * @param yPred masks `[N, C, ...spatial]`, or `[N, C]` for a classification
 * @param y of the same shape
 * @returns `[N, classes, 4]` in that order
 * @throws ShapeError, DataError
 */
export function getConfusionMatrix(
  yPred: HostArray,
  y: HostArray,
  options: ConfusionMatrixOptions = {},
): HostArray<Float64Array> {
  expectOptions("getConfusionMatrix", options, "includeBackground:boolean strict:boolean");
  return confusionOf("getConfusionMatrix", yPred, y, options);
}

/** `getConfusionMatrix` under the name of its caller. */
export function confusionOf(
  op: string,
  yPred: HostArray,
  y: HostArray,
  options: ConfusionMatrixOptions,
): HostArray<Float64Array> {
  expectArguments(op, "array", { yPred, y });
  if (!sameShape(yPred.shape, y.shape))
    throw new ShapeError(`${op}: yPred ${showShape(yPred.shape)} and y ${showShape(y.shape)} must have the same shape`);
  if (yPred.shape.length < 2) throw new ShapeError(`${op}: expected [N, C, ...spatial], got ${showShape(yPred.shape)}`);
  const [p, t] = [yPred, y].map((a) => (a.shape.length === 2 ? { data: a.data, shape: [...a.shape, 1] } : a));
  const known = options.strict === false ? { ...t, data: t.data.map((v) => (Number.isNaN(v) ? 0 : v)) } : t;
  const { samples, classes, voxels, both, pred, label } = countOverlap(op, p, known, options);
  const data = new Float64Array(samples * classes * 4);
  for (let i = 0; i < both.length; i++) {
    const fp = pred[i] - both[i];
    const fn = label[i] - both[i];
    data.set([both[i], fp, voxels - both[i] - fp - fn, fn], 4 * i);
  }
  if (options.strict === false) withoutUnknown(data, p, t, classes);
  return { data, shape: [samples, classes, 4] };
}

/** Where the truth of a sample and class holds NaN, its false positives and negatives are NaN, and those voxels no true negatives, as in MONAI. */
function withoutUnknown(counts: Float64Array, p: HostArray, t: HostArray, classes: number): void {
  const [samples, channels] = t.shape;
  const voxels = t.data.length / (samples * channels);
  for (let i = 0; i < samples * classes; i++) {
    const start = (Math.floor(i / classes) * channels + channels - classes + (i % classes)) * voxels;
    let unknown = 0;
    for (let at = start; at < start + voxels; at++) {
      if (!Number.isNaN(t.data[at])) continue;
      unknown++;
      if (p.data[at] === 0) counts[4 * i + 2]--;
    }
    if (unknown > 0) counts[4 * i + 1] = counts[4 * i + 3] = NaN;
  }
}

/**
 * A rate of confusion matrices (MONAI `compute_confusion_matrix_metric`).
 * @param metricName one of `confusionMatrixMetrics`; spaces may stand for the underscores, and case does not matter
 * @param confusion `[…, 4]`: tp, fp, tn, fn
 * @returns the shape without its last axis, `[1]` for one matrix; NaN for 0/0
 * @throws ConfigError, ShapeError
 */
export function computeConfusionMatrixMetric(metricName: string, confusion: HostArray): HostArray<Float64Array> {
  expectArguments("computeConfusionMatrixMetric", "text", { metricName });
  expectArguments("computeConfusionMatrixMetric", "array", { confusion });
  const rule = ruleOf("computeConfusionMatrixMetric", metricName);
  const { data, shape } = confusion;
  if (shape.at(-1) !== 4)
    throw new ShapeError(`computeConfusionMatrixMetric: the last axis has tp, fp, tn and fn, got the shape ${showShape(shape)}`);
  const out = new Float64Array(sizeOf(shape) / 4);
  for (let i = 0; i < out.length; i++)
    out[i] = rule({ tp: data[4 * i], fp: data[4 * i + 1], tn: data[4 * i + 2], fn: data[4 * i + 3] });
  return { data: out, shape: shape.length > 1 ? shape.slice(0, -1) : [1] };
}

/** Options of `ConfusionMatrixMetric`. */
export interface ConfusionMatrixMetricOptions extends ConfusionMatrixOptions, ReductionOptions {
  /** One of `confusionMatrixMetrics`, or several. Default "hit_rate". */
  readonly metricName?: string | readonly string[];
  /** Work out the rate of each sample and class, then reduce; otherwise reduce the counts first. Default false. */
  readonly computeSample?: boolean;
}

/** Rates of confusion matrices over a data set (MONAI `ConfusionMatrixMetric`). */
export class ConfusionMatrixMetric extends CumulativeMetric<ConfusionMatrixMetricOptions> {
  #classification = false;

  constructor(options: ConfusionMatrixMetricOptions = {}) {
    expectOptions(
      "ConfusionMatrixMetric",
      options,
      "includeBackground:boolean strict:boolean reduction metricName:names computeSample:boolean",
    );
    super(options);
    for (const name of this.names()) ruleOf("ConfusionMatrixMetric", name);
  }

  private names(): readonly string[] {
    const { metricName = "hit_rate" } = this.options;
    return typeof metricName === "string" ? [metricName] : metricName;
  }

  protected override compute(yPred: HostArray, y: HostArray): HostArray<Float64Array> {
    // One voxel has no rate of its own: counts are reduced first, whatever the option says.
    const { length } = yPred.shape;
    if (length === 2 || (length === 3 && yPred.shape[2] === 1)) this.#classification = true;
    return confusionOf("ConfusionMatrixMetric", yPred, y, this.options);
  }

  /** The first rate. */
  override aggregate(reduction?: MetricReduction): Aggregate {
    return this.aggregateAll(reduction)[0];
  }

  /**
   * Every rate of `metricName`. Without `computeSample`, `notNans` counts the counts and has one more axis of size 4.
   * @throws DataError when nothing was appended
   */
  aggregateAll(reduction: MetricReduction = this.options.reduction ?? "mean", computeSample = false): Aggregate[] {
    const scores = this.scores();
    const sampled = computeSample || (this.options.computeSample === true && !this.#classification);
    if (sampled) return this.names().map((name) => reduceMetric(computeConfusionMatrixMetric(name, scores), reduction));
    const { value, notNans } = reduceMetric(scores, reduction);
    return this.names().map((name) => ({ value: computeConfusionMatrixMetric(name, value), notNans }));
  }
}
