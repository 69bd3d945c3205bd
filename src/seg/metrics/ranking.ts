/** @file Metrics of a classifier's ranking over a data set: area under the ROC curve and average precision, with MONAI's averages. */

import { expectWord } from "../../host/words.ts";
import { expectOptions } from "../../host/options.ts";
import { expectArguments } from "../../host/kinds.ts";
import type { HostArray, TypedArray } from "../../host/array.ts";
import { ShapeError } from "../../host/errors.ts";
import { sameShape, showShape } from "../../host/shape.ts";
import { type Batch, eachSample, ScoreBuffer } from "./cumulative.ts";

/** "macro": mean over the classes; "weighted": by how often each is true; "micro": all classes as one; "none": a score per class. */
export type ClassAverage = "macro" | "weighted" | "micro" | "none";

/** Score of one class: predictions and whether each is true. */
type Score = (yPred: Float64Array, y: Float64Array) => number;

/** Positions in the order of the values, from low to high. */
function order(values: Float64Array): Uint32Array {
  return Uint32Array.from(values, (_, i) => i).sort((a, b) => values[a] - values[b]);
}

/** Whether there are both zeros and ones, and nothing else. */
function isBinary(y: Float64Array): boolean {
  let [zeros, ones] = [false, false];
  for (const v of y) {
    if (v === 0) zeros = true;
    else if (v === 1) ones = true;
    else return false;
  }
  return zeros && ones;
}

/** Pairs of a positive and a negative that are in order, ties counted half, over all pairs. */
const area: Score = (yPred, y) => {
  if (!isBinary(y)) return NaN;
  const rank = order(yPred);
  let [negatives, pairs] = [0, 0];
  for (let i = 0; i < rank.length;) {
    const value = yPred[rank[i]];
    let [tiedPositive, tied] = [0, 0];
    for (; i < rank.length && yPred[rank[i]] === value; i++, tied++) tiedPositive += y[rank[i]];
    const tiedNegative = tied - tiedPositive;
    pairs += tiedPositive * (negatives + tiedNegative / 2);
    negatives += tiedNegative;
  }
  return pairs / (negatives * (rank.length - negatives));
};

/** Σ precision · gain in recall, from the most certain prediction down. */
const precision: Score = (yPred, y) => {
  if (!isBinary(y)) return NaN;
  const rank = order(yPred);
  let [positives, sum] = [0, 0];
  for (let i = rank.length - 1; i >= 0;) {
    const value = yPred[rank[i]];
    let tied = 0;
    for (; i >= 0 && yPred[rank[i]] === value; i--) tied += y[rank[i]];
    positives += tied;
    sum += (tied * positives) / (rank.length - 1 - i);
  }
  return sum / positives;
};

/** `[N]` or `[N, 1]` as `[N]`. @throws ShapeError */
function flat(op: string, name: string, { data, shape }: HostArray): HostArray {
  if (shape.length !== 1 && shape.length !== 2)
    throw new ShapeError(`${op}: ${name} has the shape ${showShape(shape)}; expected [N] or [N, classes]`);
  return { data, shape: shape[1] === 1 ? [shape[0]] : shape };
}

const column = (data: TypedArray, classes: number, c: number): Float64Array =>
  Float64Array.from({ length: data.length / classes }, (_, i) => data[i * classes + c]);

const averages = ["macro", "weighted", "micro", "none"];

function averaged(op: string, score: Score, yPred: HostArray, y: HostArray, average: ClassAverage): number | number[] {
  expectArguments(op, "array", { yPred, y });
  expectWord(op, "average", average, averages);
  const [p, t] = [flat(op, "yPred", yPred), flat(op, "y", y)];
  if (!sameShape(p.shape, t.shape))
    throw new ShapeError(`${op}: yPred ${showShape(yPred.shape)} and y ${showShape(y.shape)} must have the same shape`);
  const [all, truth] = [Float64Array.from(p.data), Float64Array.from(t.data)];
  if (p.shape.length === 1 || average === "micro") return score(all, truth);
  const classes = p.shape[1];
  const truths = Array.from({ length: classes }, (_, c) => column(truth, classes, c));
  const values = truths.map((of, c) => score(column(all, classes, c), of));
  if (average === "none") return values;
  const weights = truths.map((of) => (average === "weighted" ? of.reduce((s, v) => s + v, 0) : 1));
  return values.reduce((s, v, c) => s + v * weights[c], 0) / weights.reduce((s, w) => s + w, 0);
}

/**
 * Area under the ROC curve (MONAI `compute_roc_auc`).
 * @param yPred scores `[N]`, `[N, 1]` or `[N, classes]`
 * @param y 0 or 1 each, of the same shape
 * @returns a number, or one per class for "none"; NaN where `y` is all one value, or not 0 and 1
 * @throws ShapeError, ConfigError
 */
export function computeRocAuc(yPred: HostArray, y: HostArray, options: RankingOptions = {}): number | number[] {
  expectOptions("computeRocAuc", options, "average");
  const { average = "macro" } = options;
  return averaged("computeRocAuc", area, yPred, y, average);
}

/** Average precision Σ precision · gain in recall (MONAI `compute_average_precision`); shapes, arguments, result and errors as `computeRocAuc`. */
export function computeAveragePrecision(yPred: HostArray, y: HostArray, options: RankingOptions = {}): number | number[] {
  expectOptions("computeAveragePrecision", options, "average");
  const { average = "macro" } = options;
  return averaged("computeAveragePrecision", precision, yPred, y, average);
}

/** Options of `computeRocAuc`, `computeAveragePrecision`, `RankingMetric` and others. */
export interface RankingOptions {
  /** Default "macro". */
  readonly average?: ClassAverage;
}

/** Keeps predictions and truths of every batch, since a ranking is of all of them. */
export abstract class RankingMetric {
  /** The options it was made with. */
  readonly options: RankingOptions;
  readonly #predictions: ScoreBuffer;
  readonly #truths: ScoreBuffer;

  constructor(options: RankingOptions) {
    expectOptions(this.constructor.name, options, "average");
    expectWord(this.constructor.name, "average", options.average ?? "macro", averages);
    this.options = options;
    this.#predictions = new ScoreBuffer(this.constructor.name);
    this.#truths = new ScoreBuffer(this.constructor.name);
  }

  /** The metric of everything appended: `yPred` and `y` are `[N]` or `[N, classes]`. */
  protected abstract score(yPred: HostArray, y: HostArray, options: RankingOptions): number | number[];

  /** Keeps a batch `[N]` or `[N, classes]`, or a list of samples. @throws ShapeError */
  append(yPred: Batch, y: Batch): void {
    const op = this.constructor.name;
    const copy = (a: HostArray): HostArray<Float64Array> => ({ data: Float64Array.from(a.data), shape: a.shape });
    this.#predictions.add(eachSample(op, yPred, y, copy));
    this.#truths.add(eachSample(op, y, yPred, copy));
  }

  /** @throws DataError when nothing was appended */
  aggregate(average: ClassAverage = this.options.average ?? "macro"): number | number[] {
    return this.score(this.#predictions.all(), this.#truths.all(), { average });
  }

  /** Forgets everything. */
  reset(): void {
    this.#predictions.clear();
    this.#truths.clear();
  }
}

/** Area under the ROC curve over a data set (MONAI `ROCAUCMetric`). */
export class ROCAUCMetric extends RankingMetric {
  constructor(options: RankingOptions = {}) {
    super(options);
  }

  protected override score(yPred: HostArray, y: HostArray, options: RankingOptions): number | number[] {
    return computeRocAuc(yPred, y, options);
  }
}

/** Average precision over a data set (MONAI `AveragePrecisionMetric`). */
export class AveragePrecisionMetric extends RankingMetric {
  constructor(options: RankingOptions = {}) {
    super(options);
  }

  protected override score(yPred: HostArray, y: HostArray, options: RankingOptions): number | number[] {
    return computeAveragePrecision(yPred, y, options);
  }
}
