/**
 * @file Overlap metrics on host arrays: Dice and IoU per sample and class, and their reductions. Voxels are counted as integers, so
 * the scores are exact; empty labels follow MONAI (`NaN` when ignored). Metrics take masks, never probabilities: a soft input is
 * rejected, because it would give a plausible wrong score.
 */
import { ConfigError, DataError, ShapeError } from "../../host/errors.ts";
import type { HostArray } from "../../host/array.ts";
import { expectOptions } from "../../host/options.ts";

/**
 * How per-sample, per-class scores become one result; only scores that are not NaN take part. Not the `Reduction` of losses: scores have two axes,
 * and each may be reduced alone.
 */
export type MetricReduction = "none" | "mean" | "sum" | "mean_batch" | "sum_batch" | "mean_channel" | "sum_channel";

export interface OverlapOptions {
  /** Score class 0 too. Ignored for single-channel (binary) masks. Default true. */
  includeBackground?: boolean;
  /** Score an empty label as NaN (left out of means). Otherwise 1 if the prediction is empty too, else 0. Default true. */
  ignoreEmpty?: boolean;
  /** Number of classes including background, needed when `yPred` holds class indices (one channel). Default: channels of `yPred`. */
  numClasses?: number;
  /** Reject values other than 0 and 1 (or a class index). `false` counts any non-zero as true, as MONAI does. Default true. */
  strict?: boolean;
}

const overlapNames = "includeBackground ignoreEmpty numClasses strict";

export interface MetricOptions extends OverlapOptions {
  /** Default "mean": over the classes of each sample, then over samples. */
  reduction?: MetricReduction;
}

/** A reduced metric. `notNans` counts the scores behind every value and has its shape (for "mean": the number of samples, shape []). */
export interface Aggregate {
  readonly value: HostArray<Float64Array>;
  readonly notNans: HostArray<Float64Array>;
}

/** Integer counts per (sample, class), flat in that order. */
interface Counts {
  readonly samples: number;
  readonly classes: number;
  readonly both: Float64Array;
  readonly pred: Float64Array;
  readonly label: Float64Array;
}

/**
 * Dice scores `2|P∩Y| / (|P|+|Y|)` per sample and class (MONAI `compute_dice`).
 * @param yPred masks [N, C, ...spatial], or class indices [N, 1, ...spatial] with `numClasses`
 * @param y label masks of the same shape, or class indices [N, 1, ...spatial]
 * @returns [N, classes], without class 0 if `includeBackground` is false
 * @throws ShapeError when shapes do not agree, DataError when an input is not a mask
 */
export function computeDice(yPred: HostArray, y: HostArray, options: OverlapOptions = {}): HostArray<Float64Array> {
  expectOptions("computeDice", options, overlapNames);
  const { ignoreEmpty = true } = options;
  return score(countOverlap("computeDice", yPred, y, options), (both, pred, label) => {
    if (label > 0) return (2 * both) / (pred + label);
    if (ignoreEmpty) return NaN;
    return pred > 0 ? 0 : 1;
  });
}

/** Intersection over union `|P∩Y| / |P∪Y|` per sample and class (MONAI `compute_iou`); arguments and errors as `computeDice`. */
export function computeIou(yPred: HostArray, y: HostArray, options: OverlapOptions = {}): HostArray<Float64Array> {
  expectOptions("computeIou", options, overlapNames);
  const { ignoreEmpty = true } = options;
  return score(countOverlap("computeIou", yPred, y, options), (both, pred, label) => {
    if (label === 0 && ignoreEmpty) return NaN;
    const union = pred + label - both;
    return union > 0 ? both / union : 1;
  });
}

/**
 * Reduces scores [N, C], leaving NaN out (MONAI `do_metric_reduction`). A mean over nothing is 0 with `notNans` 0.
 * Shapes: "mean" [1], "sum" [], "*_batch" [C], "*_channel" [N], "none" [N, C].
 */
export function reduceMetric(scores: HostArray, reduction: MetricReduction): Aggregate {
  const [n, c] = scores.shape as [number, number];
  const at = (i: number, j: number): number => scores.data[i * c + j];
  const rows = (): Tally[] => Array.from({ length: n }, (_, i) => tally(c, (j) => at(i, j)));
  const columns = (): Tally[] => Array.from({ length: c }, (_, j) => tally(n, (i) => at(i, j)));
  switch (reduction) {
    case "none":
      return {
        value: { data: Float64Array.from(scores.data), shape: [n, c] },
        notNans: { data: Float64Array.from(scores.data, (v) => (Number.isNaN(v) ? 0 : 1)), shape: [n, c] },
      };
    case "mean": {
      // Two steps: a sample with many absent classes weighs as much as any other, and an all-NaN sample nothing.
      const samples = rows().filter((t) => t.count > 0);
      const total = tally(samples.length, (i) => samples[i].sum / samples[i].count);
      return { value: vector([mean(total)], [1]), notNans: vector([total.count], []) };
    }
    case "sum": {
      const total = tally(n * c, (k) => scores.data[k]);
      return { value: vector([total.sum], []), notNans: vector([total.count], []) };
    }
    case "mean_batch":
      return pack(columns(), mean);
    case "mean_channel":
      return pack(rows(), mean);
    case "sum_batch":
      return pack(columns(), (t) => t.sum);
    case "sum_channel":
      return pack(rows(), (t) => t.sum);
    default:
      throw new ConfigError(
        `reduceMetric: unknown reduction "${String(reduction)}"; use none, mean, sum, mean_batch, sum_batch, mean_channel or sum_channel`,
      );
  }
}

/** Collects scores over many calls and reduces all of them at once, as MONAI's cumulative metrics do. */
export abstract class CumulativeMetric {
  readonly options: MetricOptions;
  #scores: HostArray[] = [];

  constructor(options: MetricOptions = {}) {
    expectOptions(new.target.name, options, "reduction includeBackground ignoreEmpty numClasses strict");
    this.options = options;
  }

  protected abstract compute(yPred: HostArray, y: HostArray): HostArray<Float64Array>;

  /** Scores one batch, keeps the scores and returns them, [N, classes]. */
  append(yPred: HostArray, y: HostArray): HostArray<Float64Array> {
    const scores = this.compute(yPred, y);
    const classes = this.#scores[0]?.shape[1];
    if (classes !== undefined && classes !== scores.shape[1])
      throw new ShapeError(
        `${this.constructor.name}.append: this batch has ${scores.shape[1]} classes, earlier ones had ${classes}; call reset() first`,
      );
    this.#scores.push(scores);
    return scores;
  }

  /** Reduces everything appended since the last `reset`. @throws DataError when nothing was appended. */
  aggregate(reduction: MetricReduction = this.options.reduction ?? "mean"): Aggregate {
    if (this.#scores.length === 0)
      throw new DataError(`${this.constructor.name}.aggregate: nothing to aggregate; call append(yPred, y) before`);
    const samples = this.#scores.reduce((n, s) => n + s.shape[0], 0);
    const data = Float64Array.from(this.#scores.flatMap((s) => Array.from(s.data)));
    return reduceMetric({ data, shape: [samples, this.#scores[0].shape[1]] }, reduction);
  }

  /** Forgets all scores; call it before every validation. */
  reset(): void {
    this.#scores = [];
  }
}

/** Mean Dice over a data set (MONAI `DiceMetric`): `append` every batch, then `aggregate`. */
export class DiceMetric extends CumulativeMetric {
  protected override compute(yPred: HostArray, y: HostArray): HostArray<Float64Array> {
    const { reduction: _, ...options } = this.options;
    return computeDice(yPred, y, options);
  }
}

/** Mean intersection over union over a data set (MONAI `MeanIoU`). */
export class MeanIoU extends CumulativeMetric {
  protected override compute(yPred: HostArray, y: HostArray): HostArray<Float64Array> {
    const { reduction: _, ...options } = this.options;
    return computeIou(yPred, y, options);
  }
}

function countOverlap(op: string, yPred: HostArray, y: HostArray, options: OverlapOptions): Counts {
  const { includeBackground = true, strict = true } = options;
  checkShapes(op, yPred, y);
  const [samples, predChannels] = yPred.shape;
  const n = options.numClasses ?? predChannels;
  if (!Number.isInteger(n) || n < 1) throw new ConfigError(`${op}: numClasses must be a positive integer, got ${n}`);
  for (const [name, a] of [["yPred", yPred] as const, ["y", y] as const]) {
    if (a.shape[1] !== 1 && a.shape[1] !== n)
      throw new ShapeError(`${op}: ${name} has ${a.shape[1]} channels; expected ${n} (one per class) or 1 (class indices)`);
    if (strict) checkMask(op, name, a, n);
  }
  const first = n === 1 || includeBackground ? 0 : 1;
  const classes = n - first;
  const voxels = yPred.data.length / (samples * predChannels);
  const size = samples * classes;
  const counts = { samples, classes, both: new Float64Array(size), pred: new Float64Array(size), label: new Float64Array(size) };
  for (let s = 0; s < samples; s++) {
    for (let k = 0; k < classes; k++) {
      const c = n === 1 ? 1 : first + k; // a single channel is a binary mask: class 1 of an index map
      const p = channel(yPred, s, c, voxels);
      const t = channel(y, s, c, voxels);
      let both = 0;
      let pred = 0;
      let label = 0;
      for (let i = 0; i < voxels; i++) {
        const inPred = p.index ? p.data[i] === c : p.data[i] !== 0;
        const inLabel = t.index ? t.data[i] === c : t.data[i] !== 0;
        if (inPred) pred++;
        if (inLabel) label++;
        if (inPred && inLabel) both++;
      }
      const at = s * classes + k;
      counts.both[at] = both;
      counts.pred[at] = pred;
      counts.label[at] = label;
    }
  }
  return counts;
}

/** The voxels that decide class `c`: its own channel, or the index map where there is only one. */
function channel(a: HostArray, sample: number, c: number, voxels: number): { data: HostArray["data"]; index: boolean } {
  const index = a.shape[1] === 1;
  const start = index ? sample * voxels : (sample * a.shape[1] + c) * voxels;
  return { data: a.data.subarray(start, start + voxels), index };
}

function checkShapes(op: string, yPred: HostArray, y: HostArray): void {
  const [p, t] = [yPred.shape, y.shape];
  if (p.length < 3)
    throw new ShapeError(`${op}: yPred has shape [${p}]; expected [N, C, ...spatial] with at least one spatial axis`);
  if (p.length !== t.length || p.some((d, i) => i !== 1 && d !== t[i]))
    throw new ShapeError(`${op}: yPred is [${p}] but y is [${t}]; all axes but the channels must agree`);
}

function checkMask(op: string, name: string, a: HostArray, numClasses: number): void {
  const indices = a.shape[1] === 1 && numClasses > 1;
  const top = indices ? numClasses - 1 : 1;
  const bad = a.data.findIndex((v) => !(Number.isInteger(v) && v >= 0 && v <= top));
  if (bad < 0) return;
  const wanted = indices ? `class indices 0…${top}` : "a mask of 0 and 1";
  const hint = indices
    ? "Check numClasses and the label values."
    : "Threshold or argmax the network's output first; pass class indices as [N, 1, ...spatial] with numClasses.";
  throw new DataError(`${op}: ${name} holds ${a.data[bad]} at flat index ${bad}; expected ${wanted}. ${hint}`);
}

function score(c: Counts, rule: (both: number, pred: number, label: number) => number): HostArray<Float64Array> {
  return { data: c.both.map((both, i) => rule(both, c.pred[i], c.label[i])), shape: [c.samples, c.classes] };
}

interface Tally {
  readonly sum: number;
  readonly count: number;
}

function tally(n: number, value: (i: number) => number): Tally {
  let [sum, count] = [0, 0];
  for (let i = 0; i < n; i++) {
    const v = value(i);
    if (Number.isNaN(v)) continue;
    sum += v;
    count++;
  }
  return { sum, count };
}

function mean(t: Tally): number {
  return t.count > 0 ? t.sum / t.count : 0;
}

function vector(values: readonly number[], shape: readonly number[]): HostArray<Float64Array> {
  return { data: Float64Array.from(values), shape };
}

function pack(tallies: readonly Tally[], value: (t: Tally) => number): Aggregate {
  const shape = [tallies.length];
  return {
    value: vector(tallies.map(value), shape),
    notNans: vector(
      tallies.map((t) => t.count),
      shape,
    ),
  };
}
