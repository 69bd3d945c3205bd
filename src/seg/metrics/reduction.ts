/** @file How scores per sample and class become one result: only those that are not NaN take part. */

import { expectArguments } from "../../host/kinds.ts";
import { sizeOf, type HostArray } from "../../host/array.ts";
import { ConfigError, ShapeError } from "../../host/errors.ts";
import { showShape } from "../../host/shape.ts";

/**
 * How per-sample, per-class scores become one result; only scores that are not NaN take part. Not the `Reduction` of losses: scores have two axes,
 * and each may be reduced alone.
 */
export type MetricReduction = "none" | "mean" | "sum" | "mean_batch" | "sum_batch" | "mean_channel" | "sum_channel";

/** All of them. */
const metricReductions: readonly MetricReduction[] = [
  "none",
  "mean",
  "sum",
  "mean_batch",
  "sum_batch",
  "mean_channel",
  "sum_channel",
];

/** A reduced metric. `notNans` counts the scores behind every value and has its shape (for "mean": the number of samples, shape []). */
export interface Aggregate {
  /** The reduced scores; their shape follows from the reduction. */
  readonly value: HostArray<Float64Array>;
  /** How many scores are behind each. */
  readonly notNans: HostArray<Float64Array>;
}

/** Throws `ConfigError` for what is no reduction. */
export function expectMetricReduction(op: string, reduction: MetricReduction): void {
  if (!metricReductions.includes(reduction))
    throw new ConfigError(`${op}: unknown reduction "${String(reduction)}"; use ${metricReductions.join(", ")}`);
}

/** Sums and counts along one axis of scores `[outer, n, inner]`. */
function tally(scores: ArrayLike<number>, outer: number, n: number, inner: number): { sum: Float64Array; count: Float64Array } {
  const sum = new Float64Array(outer * inner);
  const count = new Float64Array(outer * inner);
  for (let o = 0, i = 0; o < outer; o++) {
    for (let k = 0; k < n; k++) {
      for (let j = 0; j < inner; j++, i++) {
        const v = scores[i];
        if (v !== v) continue;
        sum[o * inner + j] += v;
        count[o * inner + j]++;
      }
    }
  }
  return { sum, count };
}

/** Means in place of sums; `empty` where nothing was counted. */
const means = (sum: Float64Array, count: Float64Array, empty: number): Float64Array =>
  sum.map((s, i) => (count[i] > 0 ? s / count[i] : empty));

/**
 * Reduces scores `[N, C]`, or `[N, C, K]` each of the K alone, leaving NaN out (MONAI `do_metric_reduction`). A mean over nothing is 0 with `notNans` 0.
 * Shapes: "mean" `[1]`, "sum" `[]`, "*_batch" `[C]`, "*_channel" `[N]`, "none" `[N, C]`; with K, `[K]` behind it, and `[K]` for "mean".
 * @throws ConfigError, ShapeError
 */
export function reduceMetric(scores: HostArray, reduction: MetricReduction): Aggregate {
  expectArguments("reduceMetric", "array", { scores });
  expectMetricReduction("reduceMetric", reduction);
  if (scores.shape.length < 2)
    throw new ShapeError(`reduceMetric: scores are [samples, classes, …], got the shape ${showShape(scores.shape)}`);
  const [n, c, ...rest] = scores.shape;
  const inner = sizeOf(rest);
  if (reduction === "none") {
    const counted = Float64Array.from(scores.data, (v) => (Number.isNaN(v) ? 0 : 1));
    return {
      value: { data: Float64Array.from(scores.data), shape: scores.shape },
      notNans: { data: counted, shape: scores.shape },
    };
  }
  if (reduction === "sum") return pack(tally(scores.data, 1, n * c, inner), rest);
  if (reduction === "mean") {
    // Two steps: a sample with many absent classes weighs as much as any other, and an all-NaN sample nothing.
    const each = tally(scores.data, n, c, inner);
    const { sum, count } = tally(means(each.sum, each.count, NaN), 1, n, inner);
    return { value: { data: means(sum, count, 0), shape: rest.length > 0 ? rest : [1] }, notNans: { data: count, shape: rest } };
  }
  const [over, kind] = [reduction.endsWith("_batch"), reduction.slice(0, reduction.indexOf("_"))];
  const { sum, count } = over ? tally(scores.data, 1, n, c * inner) : tally(scores.data, n, c, inner);
  return pack({ sum: kind === "mean" ? means(sum, count, 0) : sum, count }, [over ? c : n, ...rest]);
}

const pack = ({ sum, count }: { sum: Float64Array; count: Float64Array }, shape: readonly number[]): Aggregate => ({
  value: { data: sum, shape },
  notNans: { data: count, shape },
});
